"""GET /ws: the feed over a WebSocket.

Invariant: every byte after the handshake goes through one sink, in order. Nobody waits for a client here: what it does not
read stays in its transport, up to its budget. Where a browser could not see an HTTP status, the socket is opened and then
closed with a code.
"""

import asyncio

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from feed.encoding import WEBSOCKET, WEBSOCKET_BATCH, frame
from feed.event import message
from feed.goodbye import BAD_MESSAGE, FORBIDDEN, NO_AUTH, OVERLOADED, UNAUTHENTICATED, Goodbye
from feed.principal import Principal
from feed.protocol import Auth, BadMessageError, parse
from feed.router import Router, UnauthenticatedError
from feed.runtime import RefusedError, Runtime
from feed.stream import origin_allowed
from feed.subscription import Subscription
from feed.tokens import TokenError

PROTOCOL = "boardcast.v1"
_LARGEST = 64 * 1024
_TO_AUTHENTICATE = 10.0
_TO_CLOSE = 2.0
_PONG = frame(b"", opcode=0xA)


class SocketSink:
    """Writes frames straight to the transport."""

    def __init__(self, ws: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._ws = ws
        self._transport = transport
        self._closing: asyncio.Task[bool] | None = None

    def write(self, data: bytes) -> None:
        if self._closing is None and not self._transport.is_closing():
            self._transport.write(data)

    def pending(self) -> int:
        return self._transport.get_write_buffer_size()

    def close(self, goodbye: Goodbye, last: bytes) -> None:
        if self._closing is None:
            self.write(last)
            closing = self._ws.close(code=goodbye.code, message=goodbye.name.encode())
            self._closing = asyncio.create_task(closing, name="close")

    def abort(self) -> None:
        self._transport.abort()

    async def closed(self) -> None:
        """Wait for the closing handshake, if there is one."""
        if self._closing is not None:
            await asyncio.gather(self._closing, return_exceptions=True)


class WebSocketHandler:
    def __init__(self, runtime: Runtime, router: Router) -> None:
        self._runtime = runtime
        self._router = router
        self._log = structlog.get_logger()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(
            protocols=(PROTOCOL,), compress=False, autoping=False, max_msg_size=_LARGEST, timeout=_TO_CLOSE
        )
        if not ws.can_prepare(request).ok:
            raise web.HTTPUpgradeRequired(
                text="GET /ws is a WebSocket: connect with an Upgrade request\n", headers={"Upgrade": "websocket"}
            )
        await ws.prepare(request)
        transport = request.transport
        if transport is None:
            return ws
        sink = SocketSink(ws, transport)
        try:
            await self._serve(request, ws, sink)
            await sink.closed()
        finally:
            # A peer that does not answer the close would keep its socket and its bytes.
            if not ws.closed or transport.get_write_buffer_size():
                transport.abort()
        return ws

    async def _serve(self, request: web.Request, ws: web.WebSocketResponse, sink: SocketSink) -> None:
        if not origin_allowed(request.headers, self._runtime):
            self._refuse(sink, FORBIDDEN, "error", "forbidden_origin", "this Origin is not one of BOARDCAST_ORIGINS")
            return
        auth = await self._first(ws, sink)
        principal = None if auth is None else await self._authenticate(auth, sink)
        if auth is None or principal is None:
            return
        boards = None if auth.boards is None else frozenset(auth.boards)
        encoding = WEBSOCKET_BATCH if auth.batch else WEBSOCKET
        try:
            self._runtime.admit(principal)
        except RefusedError as error:
            self._refuse(sink, error.goodbye, "error", error.goodbye.name, error.goodbye.meaning)
            return
        subscription = self._runtime.subscribe(principal, encoding, sink, boards, auth.cursor)
        try:
            await self._listen(ws, subscription)
        finally:
            self._runtime.leave(subscription)

    async def _first(self, ws: web.WebSocketResponse, sink: SocketSink) -> Auth | None:
        try:
            async with asyncio.timeout(_TO_AUTHENTICATE):
                received = await ws.receive()
                while received.type in {WSMsgType.PING, WSMsgType.PONG}:
                    received = await ws.receive()
        except TimeoutError:
            self._refuse(sink, NO_AUTH, "auth_error", NO_AUTH.name, "the first message must be auth, within 10 s")
            return None
        if received.type is WSMsgType.BINARY:
            self._refuse(sink, BAD_MESSAGE, "auth_error", "binary", "messages are text")
        elif received.type is WSMsgType.TEXT:
            try:
                said = parse(received.data)
            except BadMessageError as error:
                self._refuse(sink, BAD_MESSAGE, "auth_error", error.code, str(error))
            else:
                if isinstance(said, Auth):
                    return said
                self._refuse(sink, UNAUTHENTICATED, "auth_error", "not_authenticated", "the first message must be auth")
        return None

    async def _authenticate(self, auth: Auth, sink: SocketSink) -> Principal | None:
        try:
            principal = await self._runtime.tokens.verify(auth.token)
        except TokenError as error:
            goodbye = OVERLOADED if error.code == "keys_unavailable" else UNAUTHENTICATED
            self._refuse(sink, goodbye, "auth_error", error.code, error.message)
            return None
        if principal.user_id != auth.userId:
            self._refuse(sink, UNAUTHENTICATED, "auth_error", "wrong_user", "userId must be the token's subject")
            return None
        return principal

    async def _listen(self, ws: web.WebSocketResponse, subscription: Subscription) -> None:
        clock = asyncio.get_running_loop().time
        subscription.heard = clock()
        async for received in ws:
            subscription.heard = clock()
            if received.type is WSMsgType.PING:
                subscription.sink.write(frame(received.data, opcode=0xA) if received.data else _PONG)
            elif received.type is WSMsgType.BINARY:
                subscription.end(BAD_MESSAGE, code="binary", text="messages are text")
            elif received.type is WSMsgType.TEXT:
                try:
                    await self._router.route(received.data, subscription)
                except BadMessageError as error:
                    subscription.end(BAD_MESSAGE, code=error.code, text=str(error))
                except UnauthenticatedError as error:
                    subscription.tell("auth_error", code=error.code, message=str(error))
                    subscription.end(UNAUTHENTICATED, code=error.code, text=str(error))
        if ws.close_code == WSCloseCode.MESSAGE_TOO_BIG:
            self._runtime.metrics.closed.labels("too_big").inc()

    def _refuse(self, sink: SocketSink, goodbye: Goodbye, kind: str, code: str, text: str) -> None:
        self._runtime.metrics.closed.labels(goodbye.name).inc()
        sink.close(goodbye, frame(message(kind, code=code, message=text)))
