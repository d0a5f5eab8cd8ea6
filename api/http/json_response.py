"""JSON responses. JSON that PostgreSQL produced is sent without parsing it."""

from typing import Any

import orjson
from starlette.responses import Response


def raw_json(text: str) -> orjson.Fragment:
    """Mark a string as JSON, to be embedded in a response as it is."""
    return orjson.Fragment(text)


def dumps(content: Any) -> bytes:
    # A response may echo the request, lone surrogates included. They must not break it.
    try:
        return orjson.dumps(content)
    except TypeError:
        return orjson.dumps(_replace_surrogates(content))


def _replace_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {_replace_surrogates(name): _replace_surrogates(item) for name, item in value.items()}
        case list() | tuple():
            return [_replace_surrogates(item) for item in value]
        case _:
            return value


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Respond with JSON that no cache may store, unless `headers` say otherwise."""
    return Response(dumps(content), status, {"Cache-Control": "no-store"} | (headers or {}), "application/json")
