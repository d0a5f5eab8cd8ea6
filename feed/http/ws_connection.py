"""One client of GET /ws, from its first message to its last.

Invariant: the messages of a client are handled one at a time, in order, by a task that exists only while there are any, and one
per turn of the loop, so that clients with many messages do not delay others. A client that sends more than `message_burst` frames,
and then more than `message_rate` a second, is disconnected. Before it has authenticated, it has a smaller burst.
"""

import asyncio
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bind_contextvars

from feed.access.admission import RefusedError, random_retry
from feed.delivery.subscription import Subscription
from feed.http.auth_message import AuthMessageError, verify_auth_message
from feed.http.message_queue import MessageQueue
from feed.http.socket import Limits, Socket
from feed.recovery.backpressure import drop_slow_client, unread_limit
from feed.router import UnauthenticatedError
from feed.wire.close_codes import (
    BAD_MESSAGE,
    NO_AUTH,
    NOT_OFFERED,
    OVERLOADED,
    TOO_BIG,
    TOO_FAST,
    UNAUTHENTICATED,
    CloseReason,
)
from feed.wire.encoding import WEBSOCKET, WEBSOCKET_BATCH, frame
from feed.wire.event import message
from feed.wire.principal import Principal
from feed.wire.protocol import BadMessageError

if TYPE_CHECKING:
    from feed.http.ws import WebSocketHandler

_ADMISSION_TIMEOUT = 10.0
"""Seconds from the first message until the service has admitted or refused its sender."""
_MAX_UNREAD_BEFORE_AUTH = 4 * 1024
"""Maximum unread bytes of a client that has not authenticated."""

_BURST_BEFORE_AUTH = 200
"""Frames that a client may send at once before it has authenticated: a client that does not wait for the answer to its auth message
is not read from when about half as many messages wait for it."""

log = structlog.get_logger()


class WebSocketConnection(Socket):
    """One client, from its first message to its last."""

    __slots__ = (
        "_allowance",
        "_allowance_at",
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

    def __init__(self, transport: asyncio.Transport, handler: "WebSocketHandler", request_id: str) -> None:
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
        self._allowance = float(min(self._runtime.settings.message_burst, _BURST_BEFORE_AUTH))
        """Frames that the client may send at once."""
        self._allowance_at = self._clock()
        self._timer: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            self._runtime.settings.request_timeout, self._on_auth_timeout
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

    def on_frames(self, number: int) -> None:
        settings, now = self._runtime.settings, self._clock()
        earned = (now - self._allowance_at) * settings.message_rate
        self._allowance = min(settings.message_burst, self._allowance + earned) - number
        self._allowance_at = now
        if self._allowance < 0 and not self.closing:
            self._runtime.metrics.limited.labels("messages").inc()
            self._reject_for_now(TOO_FAST, random_retry())

    def on_reading_changed(self, *, on: bool) -> None:
        if self._subscription is not None:
            self._subscription.last_seen = self._clock() if on else None

    def on_message(self, text: str | None) -> None:
        if self._queue is None:
            if self._subscription is None:
                self._cancel_timer()
                self._timer = asyncio.get_running_loop().call_later(_ADMISSION_TIMEOUT, self._on_admission_timeout)
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
        self._handler.unauthenticated.discard(self)
        self._cancel_timer()
        if self.task is not None:
            self.task.cancel()
        if self._subscription is not None:
            self._runtime.close_stream(self._subscription)
        self._handler.remove(self)

    def evict(self) -> None:
        if not self.closing:
            self._reject_for_now(OVERLOADED, random_retry())
        self.end()

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
                if queue:
                    await asyncio.sleep(0)  # the clients take turns
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
        self._handler.unauthenticated.discard(self)
        settings = self._runtime.settings
        if len(auth.boards or ()) > settings.max_boards:
            self._runtime.metrics.limited.labels("boards").inc()
            text = f"name at most {settings.max_boards} boards"
            self.reject(BAD_MESSAGE, "auth_error", "too_many_boards", text)
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
        self._allowance = float(settings.message_burst)
        self.set_limits(Limits(unread_limit(settings), settings.drain_timeout))
        self._subscription = self._runtime.open_stream(
            principal, encoding, self, boards, auth.cursor, collapse=auth.collapse
        )
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
            self.reject(NO_AUTH, "auth_error", NO_AUTH.name, "no auth message arrived in time")

    def _on_admission_timeout(self) -> None:
        if not self.closing:
            self._reject_for_now(OVERLOADED, random_retry())
