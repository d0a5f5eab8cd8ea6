"""JSON as the API writes and reads it: what PostgreSQL has made into JSON goes out as it is."""

from typing import Any

import orjson
from starlette.responses import Response


def raw(text: str) -> orjson.Fragment:
    """Mark a text that is JSON already, to be put into a body as it is."""
    return orjson.Fragment(text)


def dumps(body: Any) -> bytes:
    # An instance or a title may hold what came with the request: a lone surrogate must not break the answer.
    try:
        return orjson.dumps(body)
    except TypeError:
        return orjson.dumps(_sound(body))


def _sound(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {_sound(name): _sound(part) for name, part in value.items()}
        case list() | tuple():
            return [_sound(part) for part in value]
        case _:
            return value


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON that nobody on the way may keep."""
    return Response(dumps(body), status, {"Cache-Control": "no-store"} | (headers or {}), "application/json")
