"""What a request says, read within bounds: JSON bodies, query strings, ids, and the name of a mutation."""

import re
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from api import errors
from api.problems import Problem
from db.engine import Origin

Model = TypeVar("Model", bound=BaseModel)

LARGEST = 256 * 1024
_LONGEST_ID = 200
_JSON = re.compile(r"application/([\w.-]+\+)?json", re.ASCII | re.IGNORECASE)
_MUTATION = re.compile(r"[!-~]{1,200}")


async def read(request: Request, model: type[Model]) -> Model:
    """Read the body as a model."""
    try:
        return model.model_validate(await _json(request))
    except ValidationError as error:
        raise errors.of_validation(error) from None


def query(request: Request, model: type[Model]) -> Model:
    """Read the query string as a model; of a name given twice the last counts."""
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        problem = errors.of_validation(error, "query")
        for fault in problem.members["errors"]:
            if fault["code"] == "extra_forbidden":
                fault["detail"] = f"there is no such parameter; there are {', '.join(model.model_fields)}"
        raise problem from None


def identifier(request: Request, name: str, unknown: str) -> str:
    """Return the id in the path; one that no row can have is the problem `unknown`."""
    value: str = request.path_params[name]
    if "\0" in value or len(value) > _LONGEST_ID:
        raise Problem(unknown)
    return value


def origin(request: Request) -> Origin:
    """Return what the write's event will carry as its origin, and its trace."""
    mutation = request.headers.get("X-Mutation-Id")
    if mutation is not None and not _MUTATION.fullmatch(mutation):
        raise Problem("invalid-mutation-id")
    return Origin(request.state.request_id if mutation is None else mutation, request.state.traceparent)


async def _json(request: Request) -> Any:
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if not _JSON.fullmatch(media_type):
        raise Problem("unsupported-media-type")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise Problem("body-too-large", f"at most {LARGEST} bytes")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem("invalid-json", str(error)) from None
