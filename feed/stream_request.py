"""What a request for an event stream contains, independent of the web framework.

Invariant: browsers are served only from an allowed Origin; other clients send no Origin and authenticate by token. Problems
with the sender are reported before the stream begins. Problems with the cursor never are, because EventSource gives up on
any status but 200.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

import psycopg
from psycopg_pool import PoolTimeout

from feed.access.admission import RefusedError
from feed.access.origins import origin_allowed
from feed.access.tokens import TokenError
from feed.delivery.subscription import Sink, Subscription
from feed.runtime import Runtime
from feed.wire.close_codes import NOT_OFFERED, OVERLOADED, RESTART, TOO_MANY
from feed.wire.encoding import SSE, Encoding
from feed.wire.principal import Principal

COOKIE = "boardcast_session"
RETRY = b"retry: 2000\n\n"
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}

TOKEN_PROBLEMS = {
    "token_expired": "expired-token",
    "token_invalid": "invalid-token",
    "keys_unavailable": "keys-unavailable",
}
_REFUSAL_PROBLEMS = {
    NOT_OFFERED: "not-offered",
    TOO_MANY: "too-many-connections",
    RESTART: "draining",
    OVERLOADED: "overloaded",
}


class StreamError(Exception):
    """A stream was refused; `slug` names the problem."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """Names in `headers` are case-insensitive, as in both frameworks."""

    headers: Mapping[str, str]
    query_string: str
    """As it was sent, because the two frameworks parse it differently."""
    cookies: Mapping[str, str]

    @property
    def cursor(self) -> str | None:
        """Last-Event-ID, which the browser keeps up to date, or else ?since=."""
        return self.headers.get("Last-Event-ID") or self._parameter("since") or None

    @property
    def boards(self) -> frozenset[str] | None:
        """The boards in ?boards=a,b or ?boards=a&boards=b; None means all."""
        named = parse_qs(self.query_string, keep_blank_values=True).get("boards")
        return None if named is None else frozenset(board for board in ",".join(named).split(",") if board)

    @property
    def collapse(self) -> bool:
        return self._parameter("collapse") == "true"

    def open(self, runtime: Runtime, principal: Principal, encoding: Encoding, sink: Sink) -> Subscription:
        """Start the stream of an admitted sender."""
        return runtime.open_stream(principal, encoding, sink, self.boards, self.cursor, collapse=self.collapse)

    async def admit(self, runtime: Runtime, on_authenticated: Callable[[], None] = lambda: None) -> Principal:
        """Authenticate and admit the sender. `on_authenticated` is called in between. Raises StreamError."""
        try:
            return await self._admit(runtime, on_authenticated)
        except StreamError as error:
            runtime.metrics.refused.labels(error.slug).inc()
            raise

    async def _admit(self, runtime: Runtime, on_authenticated: Callable[[], None]) -> Principal:
        if not origin_allowed(self.headers, runtime.settings):
            raise StreamError("wrong-origin", "this Origin is not one of BOARDCAST_ORIGINS")
        try:
            principal = await self._authenticate(runtime)
            on_authenticated()
            if self._parameter("collapse") not in {None, "true", "false"}:
                raise StreamError("invalid-input", "collapse must be true or false")
            if len(self.boards or ()) > runtime.settings.max_boards:
                runtime.metrics.limited.labels("boards").inc()
                raise StreamError("too-many-boards", f"name at most {runtime.settings.max_boards} boards")
            await runtime.admission.admit(principal, SSE)
        except TokenError as error:
            raise StreamError(TOKEN_PROBLEMS[error.code], error.message) from error
        except RefusedError as error:
            raise StreamError(_REFUSAL_PROBLEMS[error.reason], str(error)) from error
        except (psycopg.Error, PoolTimeout, TimeoutError) as error:
            raise StreamError("database-unavailable", "the ticket cannot be looked up now: try again") from error
        return principal

    def _parameter(self, name: str) -> str | None:
        """Return a parameter of the query; the last value of a repeated one counts, as in the rest of the API."""
        values = parse_qs(self.query_string, keep_blank_values=True).get(name)
        return None if values is None else values[-1]

    async def _authenticate(self, runtime: Runtime) -> Principal:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme:
            if scheme.lower() != "bearer":
                raise TokenError("token_invalid", "Authorization must be Bearer")
            return await runtime.tokens.verify(token.strip())
        if (ticket := self._parameter("ticket")) is not None:
            principal = await runtime.redeem_ticket(ticket)
            if principal is None:
                raise StreamError("invalid-ticket", "the ticket is unknown, used or older than 30 s: ask for a new one")
            return principal
        if (session := self.cookies.get(COOKIE)) is not None:
            return await runtime.tokens.verify(session)
        raise StreamError("unauthenticated", "send Authorization: Bearer, a ticket, or the session cookie")
