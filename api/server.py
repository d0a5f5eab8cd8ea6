"""uvicorn as a part of our process: `boardcast up` runs several servers, and only one piece of code may handle Ctrl-C.

Invariant: `start` returns when the socket is listening, or raises. `stop` returns within the drain timeout and one
second. What a client or the network does to a connection is not logged as an error, and a response that cannot be
finished is aborted.
"""

import asyncio
import contextlib
import math
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

import structlog
import uvicorn
from starlette.applications import Starlette

from api.http.connection import HttpConnection
from api.state import app_state
from feed.access.unauthenticated import Unauthenticated
from feed.system.sockets import listen
from feed.telemetry.metrics import Metrics

_GRACE = 1.0
"""Seconds to cancel and abort what outlasts the drain timeout."""

_log = structlog.get_logger("api")


class ApiServer:
    def __init__(self, app: Starlette, *, host: str, port: int, drain_timeout: float = 30.0) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._drain_timeout = drain_timeout
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that is listened on. The system has chosen it if 0 was requested."""
        return self._port

    async def start(self) -> None:
        sock = await listen(self._host, self._port, "BOARDCAST_API_PORT")
        self._port = sock.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                self._app,
                http=cast(type[asyncio.Protocol], self._connections()),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                # Longer than proxies keep idle connections, so that no proxy writes into one that was just closed.
                timeout_keep_alive=75,
                # Longer than `stop` takes: uvicorn logs an unfinished request as an error.
                timeout_graceful_shutdown=math.ceil(self._drain_timeout + 2 * _GRACE),
            )
        )
        self._serving = asyncio.create_task(self._server.serve([sock]), name="api-server")
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({self._serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if self._serving.done():
            sock.close()
            self._serving.result()
        app_state(self._app).start()

    async def stop(self) -> None:
        """Stop accepting, finish the requests under way, and abort what outlasts the drain timeout. Idempotent."""
        if self._server is None or self._serving is None:
            return
        state = app_state(self._app)
        # First: a proxy that cannot connect tries another instance, but it passes on a response that says "draining".
        self._server.stop_accepting()
        state.drain()
        if state.runtime is not None:
            state.runtime.drain()  # event streams end only when their clients are asked to reconnect elsewhere
        self._server.should_exit = True
        done, _ = await asyncio.wait({self._serving}, timeout=self._drain_timeout)
        if not done:
            self._server.cancel_requests()
            done, _ = await asyncio.wait({self._serving}, timeout=_GRACE / 2)
        if not done:
            self._server.abort_connections()
            done, _ = await asyncio.wait({self._serving}, timeout=_GRACE / 2)
        if not done:
            self._serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
        self._server.abort_connections()
        await state.stop()
        self._server = self._serving = None

    def _connections(self) -> Callable[..., HttpConnection]:
        """Return what makes a connection from uvicorn's arguments."""
        state = app_state(self._app)
        metrics = Metrics("api") if state.runtime is None else state.runtime.metrics
        unauthenticated = Unauthenticated(state.settings, metrics)
        return partial(HttpConnection, settings=state.settings, metrics=metrics, unauthenticated=unauthenticated)

    async def wait(self) -> None:
        """Return when the server was stopped. Raises its error if it failed."""
        if self._serving is not None:
            await asyncio.shield(self._serving)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    def stop_accepting(self) -> None:
        """Close the listening sockets now. uvicorn checks `should_exit` only ten times a second."""
        for listener in self.servers:
            listener.close()

    def cancel_requests(self) -> None:
        if tasks := list(self.server_state.tasks):
            _log.warning("requests cancelled at stop", number=len(tasks))
        for task in tasks:
            task.cancel()

    def abort_connections(self) -> None:
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
