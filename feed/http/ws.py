"""GET /ws: the feed over a WebSocket.

Invariant: messages are taken one after the other, in order, by a task that lives only while there are some. Where a browser
could not see an HTTP status, the socket is opened and then closed with a code.
"""

import asyncio
from collections import deque

import structlog
from aiohttp import WSCloseCode, web
from structlog.contextvars import bind_contextvars

from feed.access.admission import RefusedError, some_time
from feed.access.tokens import TokenError
from feed.delivery.subscription import Subscription
from feed.http.problem import REQUEST_ID
from feed.http.socket import Limits, Socket, early, take_over
from feed.recovery.backpressure import drop, mark
from feed.router import Router, UnauthenticatedError
from feed.runtime import Runtime
from feed.stream import origin_allowed
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
from feed.wire.protocol import Auth, BadMessageError

PROTOCOL = "boardcast.v1"
_TO_AUTHENTICATE = 10.0
"""Seconds until the first message, and from then until the service has admitted or refused its sender."""
_UNKNOWN = 4 * 1024
"""Bytes that may be unread by a client that has not authenticated."""
_MOST_WAITING = 100, 64 * 1024
"""Messages of one client that wait for the one before, and their characters, above which no more are read."""
_AT_ONCE = 8 * 1024
"""Bytes read of a client at a time."""

log = structlog.get_logger()


class WebSocketHandler:
    def __init__(self, runtime: Runtime, router: Router) -> None:
        self.runtime = runtime
        self.router = router
        self.visits: set[Visit] = set()
        self.buffer = memoryview(bytearray(_AT_ONCE))
        self._empty = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        answer = web.WebSocketResponse(protocols=(PROTOCOL,), compress=False)
        if not answer.can_prepare(request).ok:
            raise web.HTTPUpgradeRequired(
                text="GET /ws is a WebSocket: connect with an Upgrade request\n", headers={"Upgrade": "websocket"}
            )
        begun = early(request)
        await answer.prepare(request)
        transport = request.transport
        if transport is not None:
            visit = Visit(transport, self, request[REQUEST_ID])
            if not origin_allowed(request.headers, self.runtime):
                text = "this Origin is not one of BOARDCAST_ORIGINS"
                visit.dismiss(FORBIDDEN, "error", "forbidden_origin", text)
            take_over(request, begun, visit, transport)
        # aiohttp has lost this connection, as far as it knows, and waits for this handler to be ended.
        raise asyncio.CancelledError

    def entered(self, visit: "Visit") -> None:
        self.visits.add(visit)
        self._empty.clear()

    def left(self, visit: "Visit") -> None:
        self.visits.discard(visit)
        if not self.visits:
            self._empty.set()

    async def stop(self, seconds: float) -> None:
        """Leave those who have been told to close so long to answer, then drop them. Idempotent."""
        try:
            if self.visits:
                async with asyncio.timeout(seconds):
                    await self._empty.wait()
        except TimeoutError:
            pass
        finally:
            working = [visit.working for visit in self.visits if visit.working is not None]
            for visit in list(self.visits):
                visit.abort()
            await end(*working)


class Visit(Socket):
    """A client, from the first message to the last."""

    __slots__ = (
        "_clock",
        "_handler",
        "_late",
        "_request_id",
        "_runtime",
        "_size",
        "_subscription",
        "_unread",
        "_waiting",
        "working",
    )

    def __init__(self, transport: asyncio.Transport, handler: WebSocketHandler, request_id: str) -> None:
        super().__init__(transport, handler.buffer, Limits(_UNKNOWN, handler.runtime.settings.drain_timeout))
        self._request_id = request_id
        self._handler = handler
        self._runtime = handler.runtime
        self._waiting: deque[str | None] | None = None
        self._size = 0
        """Characters of these."""
        self._unread = 0
        """Bytes that were unread when the client last sent something."""
        self._subscription: Subscription | None = None
        self._clock = asyncio.get_running_loop().time
        self._late: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(_TO_AUTHENTICATE, self._too_late)
        self.working: asyncio.Task[None] | None = None
        handler.entered(self)

    def received(self, data: bytes) -> None:
        if self._subscription is not None:
            # What a client sends proves that it is alive only where it reads too.
            unread = self.pending()
            if unread == 0 or unread < self._unread:
                self._subscription.heard = self._clock()
            self._unread = unread
        super().received(data)

    def reads(self, *, on: bool) -> None:
        if self._subscription is not None:
            self._subscription.heard = self._clock() if on else None

    def said(self, text: str | None) -> None:
        if self._waiting is None:
            if self._subscription is None and self._late is not None:
                self._late.cancel()
                self._late = asyncio.get_running_loop().call_later(_TO_AUTHENTICATE, self._not_admitted)
            self._waiting = deque((text,))
            self.working = asyncio.create_task(self._work(self._waiting), name="messages")
        else:
            self._waiting.append(text)
        self._size += len(text or "")
        number, size = _MOST_WAITING
        if len(self._waiting) > number or self._size > size:
            self.busy()

    def stuck(self) -> None:
        subscription = self._subscription
        drop(self, self._runtime.metrics, connection=None if subscription is None else subscription.id)

    def failed(self, code: int) -> None:
        if code == WSCloseCode.MESSAGE_TOO_BIG:
            self._runtime.metrics.closed.labels(TOO_BIG.name).inc()

    def left(self) -> None:
        if self._late is not None:
            self._late.cancel()
        if self.working is not None:
            self.working.cancel()
        if self._subscription is not None:
            self._runtime.leave(self._subscription)
        self._handler.left(self)

    def dismiss(self, reason: CloseReason, kind: str, code: str, text: str) -> None:
        """End what has hardly begun."""
        self._runtime.metrics.closed.labels(reason.name).inc()
        self.close(reason, frame(message(kind, code=code, message=text)))

    async def _work(self, waiting: deque[str | None]) -> None:
        # A task of its own has nothing of its request's context.
        bind_contextvars(instance=self._runtime.instance, request_id=self._request_id)
        try:
            while waiting:
                await self.drained()
                if self.closing:
                    break
                text = waiting.popleft()
                self._size -= len(text or "")
                if self._subscription is None:
                    await self._first(text)
                else:
                    await self._next(text, self._subscription)
        except Exception:
            # A mistake of ours in one client's stream: it comes back with its cursor, and nobody else is touched.
            connection = None if self._subscription is None else self._subscription.id
            log.exception("a message could not be taken", connection=connection)
            self.abort()
        finally:
            self._waiting = self.working = None
            self._size = 0
            self.idle()

    async def _first(self, text: str | None) -> None:
        auth = self._auth(text)
        principal = None if auth is None else await self._authenticate(auth)
        if auth is None or principal is None:
            return
        encoding = WEBSOCKET_BATCH if auth.batch else WEBSOCKET
        try:
            await self._runtime.admission.arrive(principal, encoding)
        except RefusedError as error:
            self._refuse(error, principal)
            return
        if self.closing:
            return
        boards = None if auth.boards is None else frozenset(auth.boards)
        if self._late is not None:
            self._late.cancel()
        settings = self._runtime.settings
        self.limit(Limits(mark(settings), settings.drain_timeout))
        self._subscription = self._runtime.subscribe(principal, encoding, self, boards, auth.cursor)
        self.reads(on=self.reading)
        await self._runtime.greeted(self._subscription)

    def _refuse(self, error: RefusedError, principal: Principal) -> None:
        reason = error.reason
        if reason is NOT_OFFERED:
            self.write(frame(message("flags", realtime=self._runtime.rollout.realtime(principal.user_id))))
        if error.retry is None:
            self.dismiss(reason, "error", reason.name, reason.meaning)
            return
        self._refuse_for_now(reason, error.retry)

    def _refuse_for_now(self, reason: CloseReason, retry: int) -> None:
        self._runtime.metrics.closed.labels(reason.name).inc()
        self.close(reason, frame(message("goodbye", reason=reason.name, retryMs=retry)))

    def _auth(self, text: str | None) -> Auth | None:
        if text is None:
            self.dismiss(BAD_MESSAGE, "auth_error", "binary", "messages are text")
            return None
        try:
            said = self._handler.router.read(text)
        except BadMessageError as error:
            self.dismiss(BAD_MESSAGE, "auth_error", error.code, str(error))
            return None
        if not isinstance(said, Auth):
            self.dismiss(UNAUTHENTICATED, "auth_error", "not_authenticated", "the first message must be auth")
            return None
        return said

    async def _authenticate(self, auth: Auth) -> Principal | None:
        try:
            principal = await self._runtime.tokens.verify(auth.token)
        except TokenError as error:
            reason = OVERLOADED if error.code == "keys_unavailable" else UNAUTHENTICATED
            self.dismiss(reason, "auth_error", error.code, error.message)
            return None
        if principal.user_id != auth.userId:
            self.dismiss(UNAUTHENTICATED, "auth_error", "wrong_user", "userId must be the token's subject")
            return None
        return principal

    async def _next(self, text: str | None, subscription: Subscription) -> None:
        if text is None:
            subscription.end(BAD_MESSAGE, code="binary", text="messages are text")
            return
        try:
            await self._handler.router.route(text, subscription)
        except BadMessageError as error:
            subscription.end(BAD_MESSAGE, code=error.code, text=str(error))
        except UnauthenticatedError as error:
            subscription.tell("auth_error", code=error.code, message=str(error))
            subscription.end(UNAUTHENTICATED, code=error.code, text=str(error))

    def _too_late(self) -> None:
        if not self.closing:
            self.dismiss(NO_AUTH, "auth_error", NO_AUTH.name, "the first message must be auth, within 10 s")

    def _not_admitted(self) -> None:
        if not self.closing:
            self._refuse_for_now(OVERLOADED, some_time())
