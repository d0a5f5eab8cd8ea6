"""A route with its description: the app serves it, and /openapi.json is generated from the same object."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.http.problems import Problem

Handler = Callable[[Request], Awaitable[Response]]

HANDLER_TIMEOUT = 20.0
"""Seconds. A stream's handler is finished when the stream begins."""


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
