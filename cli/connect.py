"""The database that a command works on: the one that is named, or else the embedded one that runs.

Invariant: nothing is asked of a database that is not ready for it; why it is not is one line (cli/failures.py).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, LiteralString, TypeVar

from psycopg.rows import dict_row

from cli.failures import DATABASE, USAGE, FailureError, check_urls
from db import embedded
from db.connection import Connection
from db.embedded import EmbeddedPostgres
from db.settings import Settings
from feed.system.database import dsn, require_ready

if TYPE_CHECKING:
    from feed.access.tokens import Tokens

T = TypeVar("T")

READ_TIMEOUT = 60.0
"""Seconds of silence after which a command gives up."""
WORK_TIMEOUT = 3600.0
"""The same where the server itself has a lot to do: to look through a table, to drop what is old."""


def read_settings() -> Settings:
    """The settings, with addresses that libpq can read."""
    settings = Settings()
    check_urls(settings)
    return settings


def make_tokens(settings: Settings) -> "Tokens":
    """What checks tokens, and makes them where the secret is ours."""
    from feed.access.tokens import Tokens

    try:
        return Tokens(settings)
    except ValueError as error:
        raise FailureError(USAGE, str(error)) from None


def embedded_url(settings: Settings) -> str:
    """The address of the embedded server that runs."""
    server = EmbeddedPostgres(embedded.cluster_dir(settings))
    if not server.is_running():
        text = f"no server runs in {server.home}: start one with `boardcast up`, or name one in DATABASE_URL"
        raise FailureError(DATABASE, text)
    return server.url()


def url_of(settings: Settings) -> str:
    """The database that is named, else the embedded one that runs."""
    return embedded_url(settings) if settings.database is None else settings.database


def on_database(work: Callable[[Connection], Awaitable[T]], *, read_timeout: float = READ_TIMEOUT) -> T:
    """Run `work` with an autocommit connection to it."""
    url = url_of(read_settings())

    async def connected() -> T:
        # Through a transaction pooler the next statement may come to a server connection that knows no prepared one.
        address = dsn(url, "boardcast")
        async with await Connection.connect(address, autocommit=True, prepare_threshold=None) as conn:
            await require_ready(conn)
            conn.read_timeout = read_timeout
            return await work(conn)

    return asyncio.run(connected())


def ask(
    statement: LiteralString,
    parameters: tuple[object, ...] | dict[str, Any] = (),
    *,
    read_timeout: float = READ_TIMEOUT,
) -> Any:
    """Run a statement; the one value it returns."""

    async def asked(conn: Connection) -> Any:
        row = await (await conn.execute(statement, parameters)).fetchone()
        return row[0] if row else None

    return on_database(asked, read_timeout=read_timeout)


def rows(statement: LiteralString, parameters: tuple[object, ...] | dict[str, Any] = ()) -> list[dict[str, Any]]:
    """Run a statement; all that it returns, for cli.output.table()."""

    async def asked(conn: Connection) -> list[dict[str, Any]]:
        async with conn.cursor(row_factory=dict_row) as cursor:
            return await (await cursor.execute(statement, parameters)).fetchall()

    return on_database(asked)
