"""A route that says what it is: the app serves it, and /openapi.json is made of the same object."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.problems import Problem

Handler = Callable[[Request], Awaitable[Response]]

LONGEST = 20.0
"""Seconds that a handler has; a stream's is done once the stream begins."""


class Operation(Route):
    """One method on one path. `answers` maps a status to the model of its body, or to None where there is no JSON."""

    def __init__(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        summary: str,
        tag: str,
        answers: Mapping[int, type[BaseModel] | None],
        query: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        headers: Sequence[str] = (),
        problems: Sequence[str] = (),
        public: bool = False,
        media_type: str = "application/json",
    ) -> None:
        super().__init__(path, _in_time(handler), methods=[method], name=handler.__name__)
        self.method = method
        self.summary = summary
        self.tag = tag
        self.answers = answers
        self.query = query
        self.body = body
        self.headers = headers
        self.problems = problems
        self.public = public
        self.media_type = media_type

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def _in_time(handler: Handler) -> Handler:
    """Bound the wait for a database, or a sender, that has gone silent without a word."""

    async def bounded(request: Request) -> Response:
        try:
            async with asyncio.timeout(LONGEST):
                return await handler(request)
        except TimeoutError:
            raise Problem("timeout") from None

    return bounded
