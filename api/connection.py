"""One HTTP connection of the API: uvicorn's, with what it does not do for requests that are cut off.

Invariant: when the connection is lost, every request on it learns that, not only the last of several sent in a row. Whoever answers
a request may cut the connection: the client gets no more, and the incomplete answer is not an error.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import structlog
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_log = structlog.get_logger("api")


class Protocol(HttpToolsProtocol):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._unfinished: deque[RequestResponseCycle] = deque()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["cut"] = self.cut

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        while self._unfinished and self._unfinished[0].response_complete:
            self._unfinished.popleft()
        self._unfinished.append(self.cycle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disconnect()
        super().connection_lost(exc)

    def cut(self) -> None:
        """Drop the connection, with all that the client has not read."""
        self._disconnect()
        self.transport.abort()

    def _disconnect(self) -> None:
        for cycle in self._unfinished:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self._unfinished.clear()

    def _unsupported_upgrade_warning(self) -> None:
        _log.info("upgrade refused: the API has no WebSocket, the feed service has")


def cutting(scope: Scope) -> Callable[[], None]:
    """What drops the connection of a request; does nothing where it has none, as in a test without a server."""
    cut: Callable[[], None] | None = scope.get("state", {}).get("cut")
    return cut or (lambda: None)
