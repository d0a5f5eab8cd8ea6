"""What a request for an event stream says: the same on both services, whatever framework brought it.

Invariant: a browser is only served from an Origin on the list; who is not a browser sends none and shows a token. What is wrong
with the sender is said before the stream begins; what is wrong with a cursor never is, since EventSource gives up on
anything but 200.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
from psycopg_pool import PoolTimeout

from feed.access.admission import RefusedError
from feed.access.tokens import TokenError
from feed.runtime import Runtime
from feed.wire.close_codes import NOT_OFFERED, OVERLOADED, RESTART, TOO_MANY
from feed.wire.encoding import SSE
from feed.wire.principal import Principal

COOKIE = "boardcast_session"
RETRY = b"retry: 2000\n\n"
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


_OF_TOKEN = {
    "token_expired": "expired-token",
    "token_invalid": "invalid-token",
    "keys_unavailable": "keys-unavailable",
}
_OF_ROOM = {
    NOT_OFFERED: "not-offered",
    TOO_MANY: "too-many-connections",
    RESTART: "draining",
    OVERLOADED: "overloaded",
}


class StreamError(Exception):
    """A stream that does not begin; `slug` names one of the problems."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """Header names in `headers` are case-insensitive, as both frameworks have them."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    cookies: Mapping[str, str]

    @property
    def cursor(self) -> str | None:
        """Last-Event-ID, which the browser keeps up to date, before ?since=, which it does not."""
        return self.headers.get("Last-Event-ID") or self.query.get("since") or None

    @property
    def boards(self) -> frozenset[str] | None:
        """Those named in ?boards=a,b; None for all."""
        named = self.query.get("boards")
        return None if named is None else frozenset(board for board in named.split(",") if board)

    async def admit(self, runtime: Runtime) -> Principal:
        """Who may begin a stream. Raises StreamError."""
        try:
            return await self._admit(runtime)
        except StreamError as error:
            runtime.metrics.refused.labels(error.slug).inc()
            raise

    async def _admit(self, runtime: Runtime) -> Principal:
        if not origin_allowed(self.headers, runtime):
            raise StreamError("wrong-origin", "this Origin is not one of BOARDCAST_ORIGINS")
        try:
            principal = await self._authenticate(runtime)
            await runtime.admission.arrive(principal, SSE)
        except TokenError as error:
            raise StreamError(_OF_TOKEN[error.code], error.message) from error
        except RefusedError as error:
            raise StreamError(_OF_ROOM[error.reason], str(error)) from error
        except (psycopg.Error, PoolTimeout, TimeoutError) as error:
            raise StreamError("database-unavailable", "the ticket cannot be looked up now: try again") from error
        return principal

    def cors(self) -> dict[str, str]:
        """The headers that let a page on another (allowed) origin read the answer."""
        origin = self.headers.get("Origin")
        if origin is None:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}

    async def _authenticate(self, runtime: Runtime) -> Principal:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme:
            if scheme.lower() != "bearer":
                raise TokenError("token_invalid", "Authorization must be Bearer")
            return await runtime.tokens.verify(token.strip())
        if (ticket := self.query.get("ticket")) is not None:
            principal = await runtime.redeem(ticket)
            if principal is None:
                raise StreamError("invalid-ticket", "the ticket is unknown, used or older than 30 s: ask for a new one")
            return principal
        if (session := self.cookies.get(COOKIE)) is not None:
            return await runtime.tokens.verify(session)
        raise StreamError("unauthenticated", "send Authorization: Bearer, a ticket, or the session cookie")


def origin_allowed(headers: Mapping[str, str], runtime: Runtime) -> bool:
    """Whether the Origin, if there is one, is on the list, or is the very address that was called."""
    origin = headers.get("Origin")
    if origin is None or origin in runtime.settings.allowed_origins:
        return True
    try:
        return urlsplit(origin).netloc == headers.get("Host")
    except ValueError:
        return False
