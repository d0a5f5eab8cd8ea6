"""Input of a request, parsed within bounds: JSON bodies, query strings, ids in paths, and the origin of a write."""

import re
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from api.http.problems import Problem, validation_problem
from db.engine import Origin
from feed.wire.protocol import MAX_KEY_LENGTH

Model = TypeVar("Model", bound=BaseModel)

MAX_BODY = 256 * 1024
"""Bytes."""
_JSON_TYPE = re.compile(r"application/([\w.-]+\+)?json", re.ASCII | re.IGNORECASE)
_MUTATION_ID = re.compile(r"[!-~]{1,200}")


async def parse_body(request: Request, model: type[Model]) -> Model:
    try:
        return model.model_validate(await _read_json(request))
    except ValidationError as error:
        raise validation_problem(error) from None


def parse_query(request: Request, model: type[Model]) -> Model:
    """Parse the query string; the last value of a repeated parameter counts."""
    try:
        # Starlette would replace what is not UTF-8.
        parameters = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise Problem("invalid-input", "The query string is not percent-encoded UTF-8.") from None
    try:
        return model.model_validate(dict(parameters))
    except ValidationError as error:
        problem = validation_problem(error, "query")
        for fault in problem.members["errors"]:
            if fault["code"] == "extra_forbidden":
                fault["detail"] = f"unknown parameter; the parameters are {', '.join(model.model_fields)}"
        raise problem from None


def path_id(request: Request, name: str, unknown: str) -> str:
    """Return an id from the path. Raises the problem `unknown` for a string that cannot be an id."""
    value: str = request.path_params[name]
    if "\0" in value or len(value) > MAX_KEY_LENGTH:
        raise Problem(unknown)
    return value


def write_origin(request: Request) -> Origin:
    """Return what identifies this write in its event: the mutation id or the request id, and the trace context."""
    mutation_id = request.headers.get("X-Mutation-Id")
    if mutation_id is not None and not _MUTATION_ID.fullmatch(mutation_id):
        raise Problem("invalid-mutation-id")
    return Origin(request.state.request_id if mutation_id is None else mutation_id, request.state.traceparent)


async def _read_json(request: Request) -> Any:
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if not _JSON_TYPE.fullmatch(media_type):
        raise Problem("unsupported-media-type")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Problem("body-too-large", f"The limit is {MAX_BODY} bytes.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem("invalid-json", str(error)) from None
