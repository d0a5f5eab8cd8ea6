"""What is done by hand: a token to try things with, the feed put on a table or taken off, old log forgotten.

Invariant: each command works on the database that is named, or else on the embedded one that runs.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, LiteralString, TypeVar

import psycopg
import typer

from api.failures import DATABASE, USAGE, FailureError, check_urls
from db import embedded, retention
from db.changelog import Connection
from db.embedded import EmbeddedPostgres
from db.retention import Dropped
from db.settings import Settings
from feed.database import NotReadyError, dsn, require_ready
from feed.tokens import Tokens

T = TypeVar("T")

_TRIES = 20
_AGAIN = 0.5
"""Seconds between them, for a log that is in use."""
_AGE = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}

Table = Annotated[str, typer.Argument(help="As SQL writes it: tasks, crm.tasks, '\"Tasks\"'.")]
Key = Annotated[str | None, typer.Option(help="Columns that tell rows apart, with commas; else the primary key.")]
Board = Annotated[str | None, typer.Option(help="The column with the board whose members are told.")]
Ttl = Annotated[str, typer.Option(metavar="TIME", help="How long it is good.")]
Roles = Annotated[list[str] | None, typer.Option(help="A role that it carries: dba.")]
OlderThan = Annotated[str, typer.Option(metavar="TIME", help="An age such as 30d, a date, or a time in UTC.")]
Age = Annotated[str, typer.Argument(metavar="TIME", help="An age such as 90d.")]


def token(user: str, ttl: Ttl = "12h", role: Roles = None) -> None:
    """Print a token to try things with.

    It is signed with JWT_SECRET, or else with the demo's own secret. USER is ana, bruno, carla or diego in the demo.
    """
    settings, seconds = read_settings(), _seconds(ttl)
    if settings.jwt_jwks_url:
        raise FailureError(USAGE, "tokens come from the issuer behind JWT_JWKS_URL: only it can make one")
    tokens = make_tokens(settings if settings.jwt_secret else settings.model_copy(update={"demo": True}))
    typer.echo(tokens.issue(user, _name_of(user), seconds, role or ()))


def attach(table: Table, key: Key = None, board: Board = None) -> None:
    """Put the feed on a table."""
    _ask("SELECT feed.attach(%s::text::regclass, key => %s, board => %s)::text", (table, key, board))


def detach(table: Table) -> None:
    """Take the feed off a table; what was logged stays."""
    _ask("SELECT feed.detach(%s::text::regclass)::text", (table,))


def prune(older_than: OlderThan) -> None:
    """Forget the old log.

    A partition is dropped when nothing in it is newer. A client that was away for longer takes a new snapshot.
    """
    before = _moment(older_than)
    any_dropped = False
    while (dropped := _with(lambda conn: _patiently(conn, before))).partition is not None:
        any_dropped = True
        typer.echo(f"{dropped.partition} dropped: {dropped.rows} rows forgotten")
    if not any_dropped:
        typer.echo("nothing is that old")


def retain(age: Age) -> None:
    """Keep the log for so long from now on.

    Services drop what is older, within minutes.
    """
    _with(lambda conn: retention.retain(conn, timedelta(seconds=_seconds(age))))


def reset_feed(reason: Annotated[str, typer.Option(help="Kept in feed.identity.")] = "by hand") -> None:
    """Make every cursor invalid.

    For a change of history that the feed cannot notice by itself, such as a copied data directory. Clients take a new
    snapshot, those with open streams within seconds.
    """
    feed_id = _ask("SELECT feed.reset_feed(%s)", (reason,))
    typer.echo(f"the feed is {feed_id} from now on")


def database() -> None:
    """Print the address of the embedded PostgreSQL.

    For psql "$(boardcast database)" while `boardcast up` runs.
    """
    typer.echo(_embedded_url(read_settings()))


def read_settings() -> Settings:
    """The settings, with addresses that libpq can read."""
    settings = Settings()
    check_urls(settings)
    return settings


def make_tokens(settings: Settings) -> Tokens:
    """What checks tokens, and makes them where the secret is ours."""
    try:
        return Tokens(settings)
    except ValueError as error:
        raise FailureError(USAGE, str(error)) from None


def _embedded_url(settings: Settings) -> str:
    server = EmbeddedPostgres(embedded.cluster_dir(settings))
    if not server.is_running():
        text = f"no server runs in {server.home}: start one with `boardcast up`, or name one in DATABASE_URL"
        raise FailureError(DATABASE, text)
    return server.url()


def url_of(settings: Settings) -> str:
    """The database that is named, else the embedded one that runs."""
    return _embedded_url(settings) if settings.database is None else settings.database


def _ask(statement: LiteralString, parameters: tuple[object, ...] = ()) -> Any:
    """Run a statement on the database that is named, or else on the embedded one that runs; the one value it returns."""

    async def ask(conn: Connection) -> Any:
        row = await (await conn.execute(statement, parameters)).fetchone()
        return row[0] if row else None

    return _with(ask)


def _with(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Work on the database that is named, or else on the embedded one that runs."""
    url = url_of(read_settings())

    async def connected() -> T:
        async with await psycopg.AsyncConnection.connect(dsn(url, "boardcast"), autocommit=True) as conn:
            await require_ready(conn)
            return await work(conn)

    return asyncio.run(connected())


async def _patiently(conn: Connection, before: datetime) -> Dropped:
    for _ in range(_TRIES):
        dropped = await retention.prune(conn, before)
        if dropped.partition is not None or dropped.rows is None:
            return dropped
        await asyncio.sleep(_AGAIN)
    raise FailureError(
        DATABASE, "the log is in use: somebody reads it, or has written to it and not ended yet. Try again later"
    )


def _name_of(user: str) -> str:
    """The user's name, where the database can be asked."""
    try:
        name = _ask("SELECT coalesce(name, id) FROM users WHERE id = %s", (user,))
    except (FailureError, NotReadyError, psycopg.Error):
        return user
    if name is None:
        typer.echo(f"boardcast: the database has no user {user}: the token is good, and sees no board", err=True)
    return str(name or user)


def _seconds(text: str) -> float:
    match = _AGE.fullmatch(text)
    if match is None:
        raise typer.BadParameter("must be a number of seconds, or such as 15m, 12h or 30d")
    return float(match[1]) * _UNITS[match[2]]


def _moment(text: str) -> datetime:
    try:
        if _AGE.fullmatch(text) and not text.isdecimal():
            return datetime.now(UTC) - timedelta(seconds=_seconds(text))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter("must be a date or time such as 2027-01-31T12:00Z, or an age such as 30d") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
