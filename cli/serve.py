"""The services: all of it in one process, or the feed and the API each alone.

Invariant: whatever was started here is stopped before the process ends, and ready is said once, when it is. Each service imports
what it alone needs, when it starts: a feed without SQLAlchemy and the API takes a third less memory, and a command that serves
nothing starts a third sooner.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit, urlunsplit

import structlog
import typer

from cli.connect import make_tokens, read_settings
from cli.database import upgrade
from cli.failures import DATABASE, USAGE, FailureError
from db import embedded, logs, loopback
from db.connection import Connection
from db.embedded import EmbeddedError, EmbeddedPostgres
from db.rights import API, FEED, rights
from db.settings import LIBPQ_URL, Settings
from feed.system.database import dsn
from feed.system.signals import Signals

if TYPE_CHECKING:
    from api.server import ApiServer
    from feed.access.tokens import Tokens
    from feed.http.server import FeedServer

_UP_DRAIN = 2.0
"""Seconds that `up` leaves to requests under way when it is stopped."""
_LOOK = 0.5
"""Seconds between looks at the embedded server."""

log = structlog.get_logger()


def up(
    *,
    ephemeral: Annotated[bool, typer.Option("--ephemeral", help="On a throw-away database.")] = False,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Without the demo's data and its login by name.")] = False,
) -> None:
    """Run everything, on an embedded PostgreSQL.

    The feed, the API and the board, on an embedded PostgreSQL with demo data. Where DATABASE_URL or libpq's variables name a
    database it is that one; demo data are put only into one that has no people of its own.
    """
    settings = _service_settings()
    if no_demo or "demo" not in settings.model_fields_set:
        settings = settings.model_copy(update={"demo": not no_demo})
    tokens, signals = make_tokens(settings), Signals()
    signals.install()
    if settings.database is not None and not ephemeral:
        upgrade(settings.database)
        signals.run(_up(settings, tokens, None))
        return
    with _running(settings, signals, ephemeral=ephemeral) as server:
        if signals.asked:
            return
        settings = settings.model_copy(update={"database_url": server.url(), "listen_database_url": None})
        upgrade(server.url())
        signals.run(_up(settings, tokens, server))


def feed() -> None:
    """Run the feed alone: /ws and /sse."""
    settings = _of_named_database(_service_settings())
    tokens, signals = make_tokens(settings), Signals()
    signals.install()
    signals.run(_feed(settings, tokens))


def api() -> None:
    """Run the API alone: REST, /api/events, the board."""
    settings = _of_named_database(_service_settings())
    tokens, signals = make_tokens(settings), Signals()
    signals.install()
    signals.run(_api(settings, tokens))


def _service_settings() -> Settings:
    settings = read_settings()
    logs.configure(settings)
    # Pages and origins name the ports, so "any free one" is decided before anything else.
    free = {name: loopback.free_port() for name in ("api_port", "feed_port") if getattr(settings, name) == 0}
    return settings.model_copy(update=free)


def _of_named_database(settings: Settings) -> Settings:
    if settings.database is None:
        raise FailureError(USAGE, "set DATABASE_URL, or libpq's PGHOST and others, to the database to serve from")
    return settings


@contextmanager
def _running(settings: Settings, signals: Signals, *, ephemeral: bool) -> Iterator[EmbeddedPostgres]:
    with embedded.ephemeral() if ephemeral else EmbeddedPostgres(embedded.cluster_dir(settings)) as server:

        def quit_server() -> None:
            """End as in a crash, and recover at the next start: killed at once, we leave no server behind."""
            with suppress(EmbeddedError, ProcessLookupError):
                os.kill(server.pid, signal.SIGQUIT)

        signals.last_word = quit_server
        yield server


@asynccontextmanager
async def _serving_feed(settings: Settings, tokens: "Tokens") -> "AsyncIterator[FeedServer]":
    from feed.http.server import FeedServer
    from feed.runtime import Runtime
    from feed.system.process import settle, take_room

    server = FeedServer(settings, Runtime(settings, tokens))
    try:
        take_room()
        await server.start()
        settle()
        yield server
    finally:
        await server.stop()


async def _up(settings: Settings, tokens: "Tokens", server: EmbeddedPostgres | None) -> None:
    from api.serve import serving as serving_api
    from db import demo
    from db.engine import create_engine

    if settings.demo:
        engine = create_engine(settings.database or LIBPQ_URL, size=1)
        await demo.seed(engine)
        await engine.dispose()
    async with (
        _serving_feed(settings, tokens) as feed,
        serving_api(settings, tokens, drain_timeout=_UP_DRAIN) as api,
    ):
        try:
            where = _shown(settings) if server is None else server.url()
            _ready(f"api={settings.api_url} feed={settings.public_feed_url} database={where}")
            await _watch(api, server)
        finally:
            # Together: each waits a while for clients that do not answer.
            await asyncio.gather(feed.stop(), api.stop())


async def _require(settings: Settings, does: str) -> None:
    """Raise FailureError for a role that may not do all of it: half a service is worse than none."""
    address = dsn(settings.database, "boardcast")
    async with await Connection.connect(address, autocommit=True, prepare_threshold=None) as conn:
        (right,) = (each for each in await rights(conn) if each.does == does)
    if right.lacking:
        raise FailureError(DATABASE, f"role {right.role} may not run {does}: {right.lacks} ({right.cure})")


async def _feed(settings: Settings, tokens: "Tokens") -> None:
    await _require(settings, FEED)
    async with _serving_feed(settings, tokens):
        _ready(f"feed={settings.public_feed_url}")
        await asyncio.Event().wait()


async def _api(settings: Settings, tokens: "Tokens") -> None:
    from api.serve import serving as serving_api

    await _require(settings, API)
    async with serving_api(settings, tokens, drain_timeout=settings.drain_timeout) as api:
        _ready(f"api={settings.api_url}")
        await api.wait()


async def _watch(api: "ApiServer", server: EmbeddedPostgres | None) -> None:
    """Wait as long as the API serves, and bring the embedded server back if it dies."""
    serving = asyncio.create_task(api.wait(), name="api")
    while not (await asyncio.wait({serving}, timeout=_LOOK))[0]:
        if server is not None and server.died:
            log.error("PostgreSQL has died; starting it again", its_log=str(server.log))
            try:
                await asyncio.to_thread(server.start)
            except EmbeddedError as error:
                log.error("PostgreSQL does not come back", error=str(error))  # noqa: TRY400 - it says all there is
    serving.result()


def _ready(addresses: str) -> None:
    typer.echo(f"boardcast ready {addresses}")  # flushed


def _shown(settings: Settings) -> str:
    """The database's address as libpq would have it, without its password."""
    url = urlsplit(settings.database or LIBPQ_URL)
    user, at, place = url.netloc.rpartition("@")
    return urlunsplit(url._replace(netloc=f"{user.partition(':')[0]}{at}{place}")) if at else url.geturl()
