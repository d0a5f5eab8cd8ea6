"""The database that a command works on: DATABASE_URL, or else the running embedded server.

Invariant: no statement is sent to a database that is not ready for boardcast; the error says why it is not (cli/failures.py).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, LiteralString, TypeVar

from psycopg.rows import dict_row

from cli.failures import DATABASE, USAGE, FailureError, check_urls
from db.connection import Connection, PsycopgConnection
from db.embedded.location import cluster_dir
from db.embedded.server import EmbeddedPostgres
from db.readiness import require_ready
from db.settings import Settings
from feed.system.database import dsn

if TYPE_CHECKING:
    from feed.access.tokens import Tokens

T = TypeVar("T")

READ_TIMEOUT = 60.0
"""Seconds without data from the server after which a command gives up."""
WORK_TIMEOUT = 3600.0
"""The same for statements that take the server long, such as reading a whole table."""


def read_settings() -> Settings:
    """The settings, with URLs that libpq can parse."""
    settings = Settings()
    check_urls(settings)
    return settings


def make_tokens(settings: Settings) -> "Tokens":
    from feed.access.tokens import Tokens

    try:
        return Tokens(settings)
    except ValueError as error:
        raise FailureError(USAGE, str(error)) from None


def embedded_url(settings: Settings) -> str:
    """The URL of the running embedded server."""
    server = EmbeddedPostgres(cluster_dir(settings))
    if not server.is_running():
        message = f"no PostgreSQL is running in {server.home}: start it with `boardcast up`, or set DATABASE_URL"
        raise FailureError(DATABASE, message)
    return server.url()


def database_url(settings: Settings) -> str:
    """The configured database, or else the running embedded server."""
    return embedded_url(settings) if settings.database is None else settings.database


def with_connection(work: Callable[[PsycopgConnection], Awaitable[T]], *, read_timeout: float = READ_TIMEOUT) -> T:
    """Run `work` with an autocommit connection."""
    url = database_url(read_settings())

    async def connected() -> T:
        # A transaction pooler may run the next statement on a server connection without our prepared statements.
        address = dsn(url, "boardcast")
        async with await Connection.connect(address, autocommit=True, prepare_threshold=None) as conn:
            await require_ready(conn)
            conn.read_timeout = read_timeout
            return await work(conn)

    return asyncio.run(connected())


def fetch_value(
    statement: LiteralString,
    parameters: tuple[object, ...] | dict[str, Any] = (),
    *,
    read_timeout: float = READ_TIMEOUT,
) -> Any:
    """Run a statement and return its one value."""

    async def fetch(conn: PsycopgConnection) -> Any:
        row = await (await conn.execute(statement, parameters)).fetchone()
        return row[0] if row else None

    return with_connection(fetch, read_timeout=read_timeout)


def fetch_rows(statement: LiteralString, parameters: tuple[object, ...] | dict[str, Any] = ()) -> list[dict[str, Any]]:
    """Run a statement and return its rows, for cli.output.print_table()."""

    async def fetch(conn: PsycopgConnection) -> list[dict[str, Any]]:
        async with conn.cursor(row_factory=dict_row) as cursor:
            return await (await cursor.execute(statement, parameters)).fetchall()

    return with_connection(fetch)
