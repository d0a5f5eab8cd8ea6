"""/openapi.json, made of the routes, the models and the table of problems: nothing is described twice."""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.answers import ConflictBody, MergeConflictBody, ProblemBody
from api.operation import Operation
from api.problems import MEDIA_TYPE, PROBLEMS

_REF = "#/components/schemas/{model}"
_BODIES: Mapping[str, type[ProblemBody]] = {"stale-version": ConflictBody, "merge-conflict": MergeConflictBody}
"""Of the problems that say more than others."""
_ALWAYS = ("internal-error", "database-unavailable", "busy", "timeout")
_SIGNED_IN = ("unauthenticated", "invalid-token", "expired-token", "keys-unavailable")
_WITH_BODY = ("invalid-json", "invalid-input", "unsupported-media-type", "body-too-large")
_PATH_PARAMETER = re.compile(r"{(\w+)(?::int)?}")

_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "If-Match": {
        "description": 'The version that is to be replaced, such as "v9"; * for whichever it is. Without it: 428.',
        "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[^"]*")$'},
        "example": '"v9"',
    },
    "Cache-Control": {
        "description": "no-cache: as the database has it now, not as the feed has told it",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "description": "The ETag of what the caller has: 304 where it is still that",
        "schema": {"type": "string"},
    },
    "X-Feed-Cursor": {
        "description": "The cursor of the caller's stream: the snapshot is not older",
        "schema": {"type": "string"},
    },
    "X-Mutation-Id": {
        "description": "The caller's own name of this write, which comes back as `origin` in its event",
        "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    },
    "traceparent": {
        "description": "The W3C trace context of the caller, which its event carries too; passed over where it cannot be read",
        "schema": {"type": "string"},
        "example": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    },
    "Last-Event-ID": {"description": "The cursor to resume from; wins over `since`", "schema": {"type": "string"}},
}
_ANSWER_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "ETag": {
        "description": 'The version, such as "v9"; of a board a digest of what it shows',
        "schema": {"type": "string"},
    },
    "X-Feed-Cursor": {"description": "Where to follow from what the caller has", "schema": {"type": "string"}},
    "Location": {"description": "Where the new card is", "schema": {"type": "string"}},
    "X-Event-Xid": {
        "description": "The transaction, as `xid` in its event; absent where nothing changed",
        "schema": {"type": "string"},
    },
}


def document(operations: Iterable[Operation]) -> dict[str, Any]:
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
                "session": {"type": "apiKey", "in": "cookie", "name": "boardcast_session"},
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
        "responses": _answers(operation) | _problems(operation),
        "security": [] if operation.public else [{"bearer": []}, {"session": []}],
    }
    if operation.body is not None:
        content = {"schema": {"$ref": _REF.format(model=operation.body.__name__)}}
        media_types = ["application/json"]
        if operation.method == "PATCH":
            media_types.append("application/merge-patch+json")
        described["requestBody"] = {"required": True, "content": dict.fromkeys(media_types, content)}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
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
            found.append({"name": name, "in": "query", "required": False, "schema": schema, **description})
    found += [{"name": name, "in": "header", "required": False, **_HEADERS[name]} for name in operation.headers]
    return found


def _answers(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, model in operation.answers.items():
        answer: dict[str, Any] = {"description": _described(status)}
        if model is not None:
            answer["content"] = {operation.media_type: {"schema": {"$ref": _REF.format(model=model.__name__)}}}
        elif operation.media_type != "application/json" and status == 200:
            answer["content"] = {operation.media_type: {"schema": {"type": "string"}}}
        headers = []
        if model is not None and model.__name__ in {"Opportunity", "BoardSnapshot"}:
            headers.append("ETag")
        if status == 304 and operation.path == "/api/boards/{id}":
            headers.append("X-Feed-Cursor")
        if operation.method in {"POST", "PATCH", "DELETE"} and "X-Mutation-Id" in operation.headers:
            headers.append("X-Event-Xid")
        if status == 201 and model is not None and model.__name__ == "Opportunity":
            headers.append("Location")
        if headers:
            answer["headers"] = {name: dict(_ANSWER_HEADERS[name]) for name in headers}
        found[str(status)] = answer
    return found


def _problems(operation: Operation) -> dict[str, Any]:
    slugs = list(_ALWAYS)
    if not operation.public:
        slugs += _SIGNED_IN
        if operation.method not in {"GET", "HEAD"}:
            slugs.append("wrong-origin")
    if operation.body is not None:
        slugs += _WITH_BODY
    if operation.query is not None:
        slugs.append("invalid-input")
    slugs += operation.problems
    by_status: dict[int, list[str]] = {}
    for slug in slugs:
        named = by_status.setdefault(PROBLEMS[slug].status, [])
        if slug not in named:
            named.append(slug)
    return {
        str(status): {
            "description": "; ".join(f"{slug}: {PROBLEMS[slug].title}" for slug in named),
            "content": {MEDIA_TYPE: {"schema": _one_of(_BODIES.get(slug, ProblemBody) for slug in named)}},
        }
        for status, named in sorted(by_status.items())
        if status not in operation.answers
    }


def _one_of(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    found = [{"$ref": _REF.format(model=name)} for name in dict.fromkeys(model.__name__ for model in models)]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    special: tuple[type[BaseModel], ...] = (ProblemBody, *_BODIES.values())
    models: dict[str, type[BaseModel]] = {model.__name__: model for model in special}
    for operation in operations:
        for model in (*operation.answers.values(), operation.body):
            if model is not None:
                models[model.__name__] = model
    _, made = models_json_schema([(model, "validation") for model in models.values()], by_alias=True, ref_template=_REF)
    schemas: dict[str, Any] = made["$defs"]
    return schemas


def _described(status: int) -> str:
    return {200: "Done", 201: "Made", 204: "Done; there is nothing to tell", 304: "Still the same", 503: "Not ready"}[
        status
    ]
