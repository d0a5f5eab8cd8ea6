"""The API's connections: SQLAlchemy's pool over psycopg.

Invariant: every session has the settings of db/session.py, so the JSON of a row is the same here as in the log. Every write
declares, for its transaction only, who makes it and for which request.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

import psycopg
import structlog
from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine  # noqa: TID251 - it is used here

from db.connection import CONNECT_TIMEOUT, Connection
from db.readiness import require_ready
from db.sqlfiles import sql

APPLICATION = "boardcast-api"
READ_TIMEOUT = 7.0
"""Seconds of silence after which a request's connection is given up. Writes may wait 5 s for a lock (declare.sql), and a query of
the DBA's page may take 5 s (dba_bounded.sql)."""
PING_TIMEOUT = 2.0
"""The same for a connection of the pool, before a request gets it."""
POOL_TIMEOUT = 5.0
"""Seconds to wait for a connection of the pool."""

_log = structlog.get_logger("api")


class Origin(NamedTuple):
    """Where a write comes from: the id of the request or of its client's mutation, and the trace that it is part of."""

    name: str
    traceparent: str | None = None


def create_engine(url: str, *, size: int = 10, application: str = APPLICATION) -> AsyncEngine:
    """Create a pool on the database at url. libpq reads it: several hosts, service files, and passwords included.

    Each new connection checks that the database is ready, and raises NotReadyError if it is not.
    """

    async def connect(**_: Any) -> Connection:
        connection = await Connection.connect(
            url,
            read_timeout=PING_TIMEOUT,
            application_name=application,
            connect_timeout=CONNECT_TIMEOUT,
            keepalives_idle=10,
            keepalives_interval=3,
            keepalives_count=3,
            tcp_user_timeout=10_000,
            # Behind a transaction pooler, the next transaction may get a server connection without the prepared statement.
            prepare_threshold=None,
        )
        try:
            await connection.set_autocommit(True)
            await require_ready(connection)
            await connection.set_autocommit(False)
        except BaseException:
            await connection.close()
            raise
        return connection

    engine = create_async_engine(
        "postgresql+psycopg://",
        async_creator=connect,
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        pool_pre_ping=True,
        hide_parameters=True,  # what people wrote on their cards must not be in the log
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _checked_out(adapted: Any, _record: object, _proxy: object) -> None:
        adapted.driver_connection.read_timeout = READ_TIMEOUT

    @event.listens_for(engine.sync_engine, "checkin")
    def _checked_in(adapted: Any, _record: object) -> None:
        if adapted is not None:  # None: it was lost
            adapted.driver_connection.read_timeout = PING_TIMEOUT

    logger = engine.pool.logger
    (logger if isinstance(logger, logging.Logger) else logger.logger).addFilter(_LOST)
    return engine


class _Lost(logging.Filter):
    """Logs a lost connection in one line: the pool would log an error with a traceback when it cannot reset one."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, exc.DBAPIError):
            error = error.orig
        if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | OSError | asyncio.CancelledError):
            return True
        _log.warning("database connection lost", error=str(error).strip().partition("\n")[0] or type(error).__name__)
        return False


_LOST = _Lost()


@asynccontextmanager
async def write(
    engine: AsyncEngine, *, actor: str, origin: Origin, parents: Sequence[int] = ()
) -> AsyncIterator[AsyncConnection]:
    """Open a transaction whose rows in the log have these values. It commits when the block ends without an error."""
    made_of = f"{{{','.join(map(str, parents))}}}" if parents else ""
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            sql("queries/set_write_context"),
            {"actor": actor, "origin": origin.name, "traceparent": origin.traceparent or "", "parents": made_of},
        )
        yield connection


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a read whose statements all see one snapshot."""
    async with engine.connect() as connection:
        yield await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


async def driver(connection: AsyncConnection) -> Connection:
    """The psycopg connection behind this one, in the same transaction."""
    raw = await connection.get_raw_connection()
    return cast("Connection", raw.driver_connection)
