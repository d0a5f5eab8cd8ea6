"""A route with its description: the app serves it, and /openapi.json is generated from the same object.

Invariant: any ID can be part of a path if it is percent-encoded, even one with a slash.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import quote, unquote, unquote_to_bytes

from pydantic import BaseModel
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from api.http.problems import Problem

Handler = Callable[[Request], Awaitable[Response]]

HANDLER_TIMEOUT = 20.0
"""Seconds. A stream's handler is finished when the stream begins."""


class _BoundedInteger(IntegerConvertor):
    """Python raises an exception if it is to convert thousands of digits."""

    regex = "[0-9]{1,18}"


register_url_convertor("int", _BoundedInteger())


class Operation(Route):
    """One method on one path. `responses` maps a status to the model of its body, or to None if that is not JSON."""

    def __init__(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        summary: str,
        tag: str,
        responses: Mapping[int, type[BaseModel] | None],
        query: type[BaseModel] | None = None,
        request_body: type[BaseModel] | None = None,
        headers: Sequence[str] = (),
        problems: Sequence[str] = (),
        public: bool = False,
        media_type: str = "application/json",
    ) -> None:
        super().__init__(path, _with_timeout(handler), methods=[method], name=handler.__name__)
        self.method = method
        self.summary = summary
        self.tag = tag
        self.responses = responses
        self.query = query
        self.request_body = request_body
        self.headers = headers
        self.problems = problems
        self.public = public
        self.media_type = media_type

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the path as it was sent: in `scope["path"]`, an encoded slash looks like a separator."""
        if b"%" not in scope["raw_path"]:
            # Of another length, it is the path with a slash removed or added, which Starlette would redirect to: a path
            # with an empty ID must not lead to another route.
            return super().matches(scope) if len(scope["path"]) == len(scope["raw_path"]) else (Match.NONE, {})
        segments = (quote(unquote_to_bytes(segment), safe="") for segment in scope["raw_path"].split(b"/"))
        match, found = super().matches({**scope, "path": "/".join(segments)})
        for name, value in found.get("path_params", {}).items():
            if isinstance(value, str):
                found["path_params"][name] = unquote(value)
        return match, found

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def _with_timeout(handler: Handler) -> Handler:
    """Bound the wait for a database or a client that has stopped responding."""

    async def handle(request: Request) -> Response:
        try:
            async with asyncio.timeout(HANDLER_TIMEOUT):
                return await handler(request)
        except TimeoutError:
            raise Problem("timeout") from None

    return handle
