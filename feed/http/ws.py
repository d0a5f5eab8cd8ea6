"""GET /ws: the feed over a WebSocket.

Invariant: the messages of a client are handled one at a time, in order, by a task that exists only while there are any.
If a browser could not see the HTTP status of an error, the WebSocket is opened and then closed with a code.
"""

import asyncio

import structlog
from aiohttp import web
from structlog.contextvars import bind_contextvars

from feed.access.admission import RefusedError, random_retry
from feed.delivery.subscription import Subscription
from feed.http.auth_message import AuthMessageError, verify_auth_message
from feed.http.handshake import is_handshake
from feed.http.message_queue import MessageQueue
from feed.http.problem import REQUEST_ID
from feed.http.socket import READ_SIZE, Limits, Socket
from feed.http.takeover import early_bytes, take_over
from feed.recovery.backpressure import drop_slow_client, unread_limit
from feed.router import Router, UnauthenticatedError
from feed.runtime import Runtime
from feed.stream_request import origin_allowed
from feed.system.tasks import end
from feed.wire.close_codes import (
    BAD_MESSAGE,
    FORBIDDEN,
    NO_AUTH,
    NOT_OFFERED,
    OVERLOADED,
    TOO_BIG,
    UNAUTHENTICATED,
    CloseReason,
)
from feed.wire.encoding import WEBSOCKET, WEBSOCKET_BATCH, frame
from feed.wire.event import message
from feed.wire.principal import Principal
from feed.wire.protocol import BadMessageError

PROTOCOL = "boardcast.v1"
_AUTH_TIMEOUT = 10.0
"""Seconds for the first message, and then again until the service has admitted or refused its sender."""
_MAX_UNREAD_BEFORE_AUTH = 4 * 1024
"""Maximum unread bytes of a client that has not authenticated."""

log = structlog.get_logger()


class WebSocketHandler:
    def __init__(self, runtime: Runtime, router: Router) -> None:
        self.runtime = runtime
        self.router = router
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
            if not origin_allowed(request.headers, self.runtime.settings):
                connection.reject(FORBIDDEN, "error", "forbidden_origin", "this Origin is not one of BOARDCAST_ORIGINS")
            take_over(request, early, connection, transport)
        # For aiohttp this connection is lost, and it waits for this handler to be canceled.
        raise asyncio.CancelledError

    def add(self, connection: "WebSocketConnection") -> None:
        self.connections.add(connection)
        self._empty.clear()

    def remove(self, connection: "WebSocketConnection") -> None:
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


class WebSocketConnection(Socket):
    """One client, from its first message to its last."""

    __slots__ = (
        "_clock",
        "_handler",
        "_queue",
        "_request_id",
        "_runtime",
        "_subscription",
        "_timer",
        "_unread_at_last_read",
        "task",
    )

    def __init__(self, transport: asyncio.Transport, handler: WebSocketHandler, request_id: str) -> None:
        super().__init__(
            transport, handler.buffer, Limits(_MAX_UNREAD_BEFORE_AUTH, handler.runtime.settings.drain_timeout)
        )
        self._request_id = request_id
        self._handler = handler
        self._runtime = handler.runtime
        self._queue: MessageQueue | None = None
        self._unread_at_last_read = 0
        """Unread bytes when the client last sent something."""
        self._subscription: Subscription | None = None
        self._clock = asyncio.get_running_loop().time
        self._timer: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            _AUTH_TIMEOUT, self._on_auth_timeout
        )
        self.task: asyncio.Task[None] | None = None
        handler.add(self)

    def on_bytes(self, data: bytes) -> None:
        if self._subscription is not None:
            # Sending proves that a client is alive only if it also reads.
            unread = self.pending()
            if unread == 0 or unread < self._unread_at_last_read:
                self._subscription.last_seen = self._clock()
            self._unread_at_last_read = unread
        super().on_bytes(data)

    def on_reading_changed(self, *, on: bool) -> None:
        if self._subscription is not None:
            self._subscription.last_seen = self._clock() if on else None

    def on_message(self, text: str | None) -> None:
        if self._queue is None:
            if self._subscription is None:
                self._cancel_timer()
                self._timer = asyncio.get_running_loop().call_later(_AUTH_TIMEOUT, self._on_admission_timeout)
            self._queue = MessageQueue()
            self.task = asyncio.create_task(self._process_messages(self._queue), name="messages")
        self._queue.append(text)
        if self._queue.full:
            self.pause_messages()

    def on_drain_timeout(self) -> None:
        subscription = self._subscription
        drop_slow_client(self, self._runtime.metrics, connection=None if subscription is None else subscription.id)

    def on_protocol_error(self, code: int) -> None:
        if code == TOO_BIG.code:
            self._runtime.metrics.closed.labels(TOO_BIG.name).inc()

    def on_disconnect(self) -> None:
        self._cancel_timer()
        if self.task is not None:
            self.task.cancel()
        if self._subscription is not None:
            self._runtime.close_stream(self._subscription)
        self._handler.remove(self)

    def reject(self, reason: CloseReason, kind: str, code: str, text: str) -> None:
        """Close a connection that has no subscription, after an error message."""
        self._runtime.metrics.closed.labels(reason.name).inc()
        self.close(reason, frame(message(kind, code=code, message=text)))

    async def _process_messages(self, queue: MessageQueue) -> None:
        # This task does not inherit the context of the request.
        bind_contextvars(instance=self._runtime.instance, request_id=self._request_id)
        try:
            while queue:
                await self.drained()
                if self.closing:
                    break
                text = queue.popleft()
                if self._subscription is None:
                    await self._handle_auth(text)
                else:
                    await self._handle_message(text, self._subscription)
        except Exception:
            # A bug of ours in one client's stream. The client reconnects with its cursor; others are not affected.
            connection = None if self._subscription is None else self._subscription.id
            self._runtime.metrics.task_failures.labels("messages").inc()
            log.exception("message handling failed", connection=connection)
            self.abort()
        finally:
            self._queue = self.task = None
            self.resume_messages()

    async def _handle_auth(self, text: str | None) -> None:
        try:
            auth, principal = await verify_auth_message(text, self._handler.router, self._runtime.tokens)
        except AuthMessageError as error:
            self.reject(error.reason, "auth_error", error.code, str(error))
            return
        encoding = WEBSOCKET_BATCH if auth.batch else WEBSOCKET
        try:
            await self._runtime.admission.admit(principal, encoding)
        except RefusedError as error:
            self._reject_admission(error, principal)
            return
        if self.closing:
            return
        boards = None if auth.boards is None else frozenset(auth.boards)
        self._cancel_timer()
        settings = self._runtime.settings
        self.set_limits(Limits(unread_limit(settings), settings.drain_timeout))
        self._subscription = self._runtime.open_stream(principal, encoding, self, boards, auth.cursor)
        self.on_reading_changed(on=self.reading)
        await self._runtime.recovery_tasks.auth_success_sent(self._subscription)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None  # it holds a copy of the request's context

    def _reject_admission(self, error: RefusedError, principal: Principal) -> None:
        reason = error.reason
        if reason is NOT_OFFERED:
            self.write(frame(message("flags", realtime=self._runtime.rollout.best_transport(principal.user_id))))
        if error.retry is None:
            self.reject(reason, "error", reason.name, reason.meaning)
        else:
            self._reject_for_now(reason, error.retry)

    def _reject_for_now(self, reason: CloseReason, retry: int) -> None:
        self._runtime.metrics.closed.labels(reason.name).inc()
        self.close(reason, frame(message("goodbye", reason=reason.name, retryMs=retry)))

    async def _handle_message(self, text: str | None, subscription: Subscription) -> None:
        if text is None:
            subscription.close_with_error(BAD_MESSAGE, code="binary", text="messages are text")
            return
        try:
            await self._handler.router.route(text, subscription)
        except BadMessageError as error:
            subscription.close_with_error(BAD_MESSAGE, code=error.code, text=str(error))
        except UnauthenticatedError as error:
            subscription.send("auth_error", code=error.code, message=str(error))
            subscription.close_with_error(UNAUTHENTICATED, code=error.code, text=str(error))

    def _on_auth_timeout(self) -> None:
        if not self.closing:
            self.reject(NO_AUTH, "auth_error", NO_AUTH.name, "the first message must be auth, within 10 s")

    def _on_admission_timeout(self) -> None:
        if not self.closing:
            self._reject_for_now(OVERLOADED, random_retry())
