"""GET /ws: the feed over a WebSocket.

Invariant: if a browser could not see the HTTP status of an error, the WebSocket is opened and then closed with a code.
"""

import asyncio

from aiohttp import web

from feed.access.origins import origin_allowed
from feed.access.unauthenticated import Unauthenticated
from feed.http.handshake import is_handshake
from feed.http.problem import REQUEST_ID
from feed.http.socket import READ_SIZE
from feed.http.takeover import early_bytes, take_over
from feed.http.ws_connection import WebSocketConnection
from feed.router import Router
from feed.runtime import Runtime
from feed.system.tasks import end
from feed.wire.close_codes import FORBIDDEN

PROTOCOL = "boardcast.v1"


class WebSocketHandler:
    def __init__(self, runtime: Runtime, router: Router, unauthenticated: Unauthenticated) -> None:
        self.runtime = runtime
        self.router = router
        self.unauthenticated = unauthenticated
        self.connections: set[WebSocketConnection] = set()
        self.buffer = memoryview(bytearray(READ_SIZE))
        self._empty = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        answer = web.WebSocketResponse(protocols=(PROTOCOL,), compress=False)
        if not is_handshake(request, answer):
            raise web.HTTPUpgradeRequired(
                text="GET /ws is a WebSocket: connect with an Upgrade request of RFC 6455\n",
                headers={"Upgrade": "websocket", "Sec-WebSocket-Version": "13"},
            )
        early = early_bytes(request)
        await answer.prepare(request)
        transport = request.transport
        if transport is not None:
            connection = WebSocketConnection(transport, self, request[REQUEST_ID])
            forwarded_for = ",".join(request.headers.getall("X-Forwarded-For", ()))
            address = self.unauthenticated.address_of(transport.get_extra_info("peername"), forwarded_for)
            self.unauthenticated.add(connection, address)
            if not origin_allowed(request.headers, self.runtime.settings):
                connection.reject(FORBIDDEN, "error", "forbidden_origin", "this Origin is not one of BOARDCAST_ORIGINS")
            take_over(request, early, connection, transport)
        # For aiohttp this connection is lost, and it waits for this handler to be canceled.
        raise asyncio.CancelledError

    def add(self, connection: WebSocketConnection) -> None:
        self.connections.add(connection)
        self._empty.clear()

    def remove(self, connection: WebSocketConnection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()

    async def stop(self, seconds: float) -> None:
        """Wait for clients to answer their close frame, then drop the rest. Idempotent."""
        try:
            if self.connections:
                async with asyncio.timeout(seconds):
                    await self._empty.wait()
        except TimeoutError:
            pass
        finally:
            tasks = [connection.task for connection in self.connections if connection.task is not None]
            for connection in list(self.connections):
                connection.abort()
            await end(*tasks)
