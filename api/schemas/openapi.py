"""/openapi.json, generated from the operations, the models, and the table of problems."""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.http.operation import Operation
from api.http.problems import MEDIA_TYPE, PROBLEMS
from api.schemas.responses import ConflictBody, MergeConflictBody, ProblemBody, StaleBoardBody, StaleMemberBody
from feed.stream_request import COOKIE

_REF = "#/components/schemas/{model}"
_PROBLEM_MODELS: Mapping[str, type[ProblemBody]] = {
    "stale-version": ConflictBody,
    "stale-board": StaleBoardBody,
    "stale-member": StaleMemberBody,
    "merge-conflict": MergeConflictBody,
}
"""Of the problems that have additional fields."""
_ANY_OPERATION = ("wrong-host", "internal-error", "database-unavailable", "busy", "timeout")
_WITH_TOKEN = ("unauthenticated", "invalid-token", "expired-token", "keys-unavailable")
_WITH_BODY = ("invalid-json", "invalid-input", "unsupported-media-type", "body-too-large")
_PATH_PARAMETER = re.compile(r"{(\w+)(?::int)?}")

_REQUEST_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "If-Match": {
        "description": 'The version to replace, such as "v9"; * for any. Without the header: 428.',
        "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[^"]*")$'},
        "example": '"v9"',
    },
    "Cache-Control": {
        "description": "no-cache: read the board from the database, not from the cache that the feed keeps current",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "description": "The ETag of what the client has: 304 if it has not changed",
        "schema": {"type": "string"},
    },
    "X-Feed-Cursor": {
        "description": "The cursor of the client's stream: the snapshot will not be older",
        "schema": {"type": "string"},
    },
    "X-Mutation-Id": {
        "description": "The client's own name for this write, returned as `origin` in its event",
        "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    },
    "traceparent": {
        "description": "The W3C trace context of the client, which the event will contain; ignored if it is not valid",
        "schema": {"type": "string"},
        "example": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    },
    "Last-Event-ID": {"description": "The cursor to resume from; wins over `since`", "schema": {"type": "string"}},
}
_RESPONSE_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "ETag": {
        "description": 'The version, such as "v9"; for a snapshot, a digest of its contents; for a member, the role',
        "schema": {"type": "string"},
    },
    "X-Feed-Cursor": {"description": "The cursor to follow from", "schema": {"type": "string"}},
    "Location": {"description": "The address of what was created", "schema": {"type": "string"}},
    "X-Event-Xid": {
        "description": "The transaction, as `xid` in its event; absent if nothing changed",
        "schema": {"type": "string"},
    },
}
_STATUS_DESCRIPTIONS = {200: "OK", 201: "Created", 204: "Done", 304: "Not modified", 503: "Not ready"}


def openapi_document(operations: Iterable[Operation]) -> dict[str, Any]:
    operations = list(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = _PATH_PARAMETER.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "boardcast",
            "version": version("boardcast"),
            "description": "A live change feed for Kanban boards on plain PostgreSQL.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
        "x-problems": [
            {"type": f"/problems/{slug}", "status": kind.status, "title": kind.title} for slug, kind in PROBLEMS.items()
        ],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": _responses(operation) | _problem_responses(operation),
        "security": [] if operation.public else [{"bearer": []}, {"session": []}],
    }
    if operation.request_body is not None:
        content = {"schema": {"$ref": _REF.format(model=operation.request_body.__name__)}}
        media_types = ["application/json"]
        if operation.method == "PATCH":
            media_types.append("application/merge-patch+json")
        described["requestBody"] = {"required": True, "content": dict.fromkeys(media_types, content)}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer"} if f"{{{name}:int}}" in operation.path else {"type": "string"},
        }
        for name in _PATH_PARAMETER.findall(operation.path)
    ]
    if operation.query is not None:
        for name, schema in operation.query.model_json_schema()["properties"].items():
            description = {"description": schema.pop("description")} if "description" in schema else {}
            parameters.append({"name": name, "in": "query", "required": False, "schema": schema, **description})
    headers = [
        {"name": name, "in": "header", "required": False, **_REQUEST_HEADERS[name]} for name in operation.headers
    ]
    return parameters + headers


def _responses(operation: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, model in operation.responses.items():
        response: dict[str, Any] = {"description": _STATUS_DESCRIPTIONS[status]}
        if model is not None:
            response["content"] = {operation.media_type: {"schema": {"$ref": _REF.format(model=model.__name__)}}}
        elif operation.media_type != "application/json" and status == 200:
            response["content"] = {operation.media_type: {"schema": {"type": "string"}}}
        if headers := _response_headers(operation, status, model):
            response["headers"] = {name: dict(_RESPONSE_HEADERS[name]) for name in headers}
        responses[str(status)] = response
    return responses


def _response_headers(operation: Operation, status: int, model: type[BaseModel] | None) -> list[str]:
    headers = []
    if model is not None and model.__name__ in {"Opportunity", "BoardSnapshot", "BoardHead", "Member"}:
        headers.append("ETag")
    if status == 304 and operation.path == "/api/boards/{id}":
        headers.append("X-Feed-Cursor")
    if operation.method in {"POST", "PATCH", "DELETE"} and "X-Mutation-Id" in operation.headers:
        headers.append("X-Event-Xid")
    if status == 201 and model is not None and model.__name__ in {"Opportunity", "BoardHead", "Member"}:
        headers.append("Location")
    return headers


def _problem_responses(operation: Operation) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for slug in dict.fromkeys(_problem_slugs(operation)):
        by_status.setdefault(PROBLEMS[slug].status, []).append(slug)
    return {
        str(status): {
            "description": "; ".join(f"{slug}: {PROBLEMS[slug].title}" for slug in slugs),
            "content": {MEDIA_TYPE: {"schema": _any_of(_PROBLEM_MODELS.get(slug, ProblemBody) for slug in slugs)}},
        }
        for status, slugs in sorted(by_status.items())
        if status not in operation.responses
    }


def _problem_slugs(operation: Operation) -> list[str]:
    slugs = list(_ANY_OPERATION)
    if not operation.public:
        slugs += _WITH_TOKEN
        if operation.method not in {"GET", "HEAD"}:
            slugs.append("wrong-origin")
    if operation.request_body is not None:
        slugs += _WITH_BODY
    if operation.query is not None:
        slugs.append("invalid-input")
    return [*slugs, *operation.problems]


def _any_of(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    references = [{"$ref": _REF.format(model=name)} for name in dict.fromkeys(model.__name__ for model in models)]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    problem_models: tuple[type[BaseModel], ...] = (ProblemBody, *_PROBLEM_MODELS.values())
    models: dict[str, type[BaseModel]] = {model.__name__: model for model in problem_models}
    for operation in operations:
        for model in (*operation.responses.values(), operation.request_body):
            if model is not None:
                models[model.__name__] = model
    _, generated = models_json_schema(
        [(model, "validation") for model in models.values()], by_alias=True, ref_template=_REF
    )
    schemas: dict[str, Any] = generated["$defs"]
    return schemas
