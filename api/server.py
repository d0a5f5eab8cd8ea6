"""uvicorn in our own process and under our own signals: one `up` runs several servers, and only one may own Ctrl-C.

Invariant: `start` returns when the socket listens or raises; `stop` returns within the drain time and a second. What a client or
the network does to a connection is not logged as an error: an answer that cannot be finished is cut off.
"""

import asyncio
import contextlib
import math
import socket
from collections.abc import Iterator

import structlog
import uvicorn
from starlette.applications import Starlette

from api.connection import Protocol
from api.services import of_app
from feed.system.sockets import listen

_GRACE = 1.0

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
        """The port listened on; chosen by the system where 0 was asked for."""
        return self._port

    async def start(self) -> None:
        sock = await listen(self._host, self._port, "BOARDCAST_API_PORT")
        self._port = sock.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                self._app,
                http=Protocol,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                # Longer than a proxy keeps its idle connections, so that it never writes into one just closed.
                timeout_keep_alive=75,
                # `stop` is earlier: uvicorn calls it an error that a client did not finish.
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
        of_app(self._app).start()

    async def stop(self) -> None:
        """Take no more, finish what is under way, cut off what does not finish in time. Twice is once."""
        if self._server is None or self._serving is None:
            return
        own = of_app(self._app)
        # First: a proxy that is refused goes elsewhere, one that is told that this instance stops passes it on.
        self._server.take_no_more()
        own.drain()
        if own.hub is not None:
            own.hub.drain()  # streams end when their clients are told to go, and not by themselves
        self._server.should_exit = True
        done, _ = await asyncio.wait({self._serving}, timeout=self._drain_timeout)
        if not done:
            self._server.cancel()
            done, _ = await asyncio.wait({self._serving}, timeout=_GRACE / 2)
        if not done:
            self._server.cut()
            done, _ = await asyncio.wait({self._serving}, timeout=_GRACE / 2)
        if not done:
            self._serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
        self._server.cut()
        await own.stop()
        self._server = self._serving = None

    async def wait(self) -> None:
        """Return when the server has ended, by `stop` or because it failed: then with its error."""
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

    def take_no_more(self) -> None:
        """Close what listens; it looks for `should_exit` ten times a second only."""
        for listener in self.servers:
            listener.close()

    def cancel(self) -> None:
        """End the requests that outlived the drain."""
        if tasks := list(self.server_state.tasks):
            _log.warning("requests cancelled at stop", number=len(tasks))
        for task in tasks:
            task.cancel()

    def cut(self) -> None:
        """Drop the connections that outlived the drain."""
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
