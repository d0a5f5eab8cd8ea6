"""Connections to PostgreSQL on which no wait is endless.

Invariant: every wait for the server passes through `Connection.wait`, whether psycopg starts it for a statement, a row, BEGIN,
COMMIT, COPY, or the cleanup after a cancellation. A wait ends when nothing has arrived for `read_timeout` seconds. The connection
is then closed, so nothing can wait on it again, and the error is handled as a lost connection. A proxy that died without closing
its sockets acknowledges every packet, so TCP keepalives do not notice it; this does.

Use this class wherever the services connect: the linter rejects psycopg's own (see `banned-api` in pyproject.toml).
"""

import asyncio
import math
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Self, TypeVar

import psycopg
from psycopg import AsyncConnection, conninfo
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from db import session

RV = TypeVar("RV")

Row = tuple[Any, ...]
PsycopgConnection = AsyncConnection[Row]
"""What the functions of db take: any connection of psycopg whose rows are tuples, `Connection` below among them."""

CONNECT_TIMEOUT = 5
"""Seconds for each host, from the first packet to the end of authentication."""
RESOLVE_TIMEOUT = 3
"""Seconds more for looking up the names of the hosts."""
READ_TIMEOUT = 4.0
"""Seconds of silence after which a connection is given up, unless it was given another limit."""
CANCEL_TIMEOUT = 1.0
"""Seconds to ask the server to cancel a statement, and again for its answer; the connection is closed after that."""

_INTERVAL = 0.1
"""Seconds between looks at the clock while nothing arrives; psycopg's default."""


class ReadTimeoutError(psycopg.OperationalError, TimeoutError):
    """The server has been silent for too long, and the connection was closed."""


class Connection(PsycopgConnection):
    """`max_read_timeout` bounds what anybody may set `read_timeout` to."""

    max_read_timeout = math.inf
    timed_out = False
    """Whether the connection was closed because the server was silent."""
    since = 0.0
    """When it was made, by the monotonic clock."""
    _read_timeout = READ_TIMEOUT
    _cancelling = False

    @classmethod
    async def connect(  # type: ignore[override]
        cls,
        dsn: str = "",
        *,
        read_timeout: float = READ_TIMEOUT,
        max_read_timeout: float = math.inf,
        own_settings: bool = True,
        **options: Any,
    ) -> Self:
        """Connect as psycopg does, in bounded time. Raises psycopg.OperationalError.

        Without `own_settings`, the session has those of its role and database (see db/session.py).
        """
        given = conninfo.conninfo_to_dict(dsn)
        if "connect_timeout" not in given:
            options.setdefault("connect_timeout", CONNECT_TIMEOUT)
        if own_settings and "client_encoding" not in given:
            options.setdefault("client_encoding", "utf8")
        seconds = conninfo.timeout_from_conninfo({**given, **options})
        hosts = 1 + str(options.get("host") or given.get("host") or "").count(",")
        try:
            # psycopg bounds each attempt, but not the time to resolve the names.
            async with asyncio.timeout(hosts * seconds + RESOLVE_TIMEOUT):
                try:
                    if own_settings:
                        connection = await cls._connect_with_settings(dsn, options)
                    else:
                        connection = await super().connect(dsn, **options)
                except BaseException as error:
                    # The frames hold the socket, which would stay open as long as anybody keeps the exception.
                    traceback.clear_frames(error.__traceback__)
                    raise
        except TimeoutError as error:
            raise psycopg.errors.ConnectionTimeout("connection timeout expired") from error
        connection.since = monotonic()
        connection.max_read_timeout = max_read_timeout
        connection.read_timeout = read_timeout
        return connection

    @classmethod
    async def _connect_with_settings(cls, dsn: str, options: dict[str, Any]) -> Self:
        given = {**conninfo.conninfo_to_dict(dsn), **options}
        try:
            connection = await super().connect(dsn, **options | {"options": session.with_settings(given)})
        except psycopg.OperationalError as error:
            if not session.refuses_settings(error):
                raise
            connection = await super().connect(dsn, **options)
        try:
            autocommit = connection.autocommit
            await connection.set_autocommit(True)
            await session.complete(connection)
            await connection.set_autocommit(autocommit)
        except BaseException:
            await connection.close()
            raise
        return connection

    @property
    def read_timeout(self) -> float:
        """Seconds of silence that a wait may last. Raise it for a statement that has to work for long before its first row."""
        return self._read_timeout

    @read_timeout.setter
    def read_timeout(self, seconds: float) -> None:
        self._read_timeout = min(seconds, self.max_read_timeout)

    @contextmanager
    def silent_for(self, seconds: float) -> Iterator[None]:
        """Let the server work for so long before it answers, within this block."""
        before, self.read_timeout = self.read_timeout, seconds
        try:
            yield
        finally:
            self.read_timeout = before

    async def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:  # noqa: ASYNC109
        """Run one of psycopg's generators. With a `timeout`, silence is what the caller expects (see `notifies`)."""
        if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
            self._cancelling = False
        try:
            return await super().wait(gen if timeout is not None else self._watched(gen), interval, timeout)
        except psycopg.OperationalError as error:
            if not self.timed_out:
                raise
            # Only here: inside, psycopg takes an OSError, and so a TimeoutError, for a socket that was closed.
            raise ReadTimeoutError(str(error)) from None

    async def _try_cancel(self, *, timeout: float = CANCEL_TIMEOUT) -> None:  # noqa: ASYNC109 - psycopg's signature
        # psycopg waits for the statement to end after this. On a dead line the request hangs, and so would that wait.
        self._cancelling = True
        await super()._try_cancel(timeout=min(timeout, CANCEL_TIMEOUT))

    def _watched(self, gen: PQGen[RV]) -> PQGen[RV]:
        """Pass everything through; close the connection and raise when nothing arrives in time."""
        since, late = monotonic(), False
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready or ready is None:  # None: psycopg goes on after a cancellation
                    since, late = monotonic(), False
                elif monotonic() - since > (limit := self._limit):
                    if late:
                        self.timed_out = True
                        self.pgconn.finish()
                        error = psycopg.OperationalError(f"the server has sent nothing for {limit:g} s")
                        gen.throw(error)  # raises it, but where psycopg takes care of a lost connection: rolling back
                        raise error
                    # After this process itself stood still there may be an answer that was not seen yet: look once more.
                    late = True
                wanted = gen.send(ready)
        except StopIteration as done:
            value: RV = done.value
            return value

    @property
    def _limit(self) -> float:
        return min(CANCEL_TIMEOUT, self._read_timeout) if self._cancelling else self._read_timeout
