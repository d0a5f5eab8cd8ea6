"""The feed and the API in one process.

Invariant: everything that is started here is stopped before the process ends, and the ready line is printed once.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit, urlunsplit

import structlog
import typer
from pydantic import SecretStr

from cli.connect import make_tokens
from cli.schema import upgrade
from cli.services import print_ready, service_settings, serving_feed
from db.embedded.errors import EmbeddedError
from db.embedded.location import cluster_dir
from db.embedded.server import EmbeddedPostgres, ephemeral_postgres
from db.settings import LIBPQ_URL, Settings
from feed.system.signals import Signals

if TYPE_CHECKING:
    from api.server import ApiServer
    from feed.access.tokens import Tokens

_DRAIN_TIMEOUT = 2.0
"""Seconds for open requests to finish at a stop."""
_CHECK_INTERVAL = 0.5
"""Seconds between looks at the embedded server."""

_Ephemeral = Annotated[bool, typer.Option("--ephemeral", help="Use a temporary database that is deleted at the end.")]
_NoDemo = Annotated[bool, typer.Option("--no-demo", help="No demo data, and no sign-in without a password.")]

_log = structlog.get_logger()


def up(*, ephemeral: _Ephemeral = False, no_demo: _NoDemo = False) -> None:
    """Run everything in one process, for development.

    Starts the feed, the API and the board, on an embedded PostgreSQL with demo data. If DATABASE_URL or libpq's variables
    name a database, boardcast migrates and uses that database instead. It gets demo data only with BOARDCAST_DEMO=true, and
    only if it has no users of its own. The password is not printed: see `boardcast database`.
    """
    settings = service_settings()
    embedded = settings.database is None or ephemeral
    if no_demo:
        settings = settings.model_copy(update={"demo": False})
    elif "demo" not in settings.model_fields_set:
        # In a database that boardcast did not create, there is no sign-in without a password unless BOARDCAST_DEMO says so.
        demo = settings.model_copy(update={"demo": True})
        secret = demo.signing_secret()
        settings = (
            demo
            if embedded or secret is None
            else demo.model_copy(update={"demo": False, "jwt_secret": SecretStr(secret)})
        )
    tokens, signals = make_tokens(settings), Signals()
    signals.install()
    if settings.database is not None and not ephemeral:
        upgrade(settings.database)
        signals.run(_serve(settings, tokens, None, _without_password(settings.database)))
        return
    with _embedded_server(settings, signals, ephemeral=ephemeral) as server:
        if signals.stop_requested:
            return
        settings = settings.model_copy(update={"database_url": server.url(), "listen_database_url": None})
        upgrade(server.url())
        # `boardcast database` does not find a temporary one.
        shown = server.url() if ephemeral else _without_password(server.url())
        signals.run(_serve(settings, tokens, server, shown))


@contextmanager
def _embedded_server(settings: Settings, signals: Signals, *, ephemeral: bool) -> Iterator[EmbeddedPostgres]:
    with ephemeral_postgres() if ephemeral else EmbeddedPostgres(cluster_dir(settings)) as server:

        def quit_server() -> None:
            """Stop the server as in a crash, before a second signal ends this process; it recovers at the next start."""
            with suppress(EmbeddedError, ProcessLookupError):
                os.kill(server.pid, signal.SIGQUIT)

        signals.before_exit = quit_server
        yield server


async def _serve(settings: Settings, tokens: "Tokens", server: EmbeddedPostgres | None, database: str) -> None:
    """Serve until a signal; `database` is its URL in the ready line."""
    from api.serve import serving as serving_api
    from db import demo
    from db.engine import create_engine

    if settings.demo:
        engine = create_engine(settings.database or LIBPQ_URL, size=1)
        await demo.seed(engine)
        await engine.dispose()
    async with (
        serving_feed(settings, tokens) as feed,
        serving_api(settings, tokens, drain_timeout=_DRAIN_TIMEOUT) as api,
    ):
        try:
            print_ready(f"api={settings.api_url} feed={settings.public_feed_url} database={database}")
            await _watch(api, server)
        finally:
            # At the same time, since each waits for clients that do not answer.
            await asyncio.gather(feed.stop(), api.stop())


async def _watch(api: "ApiServer", server: EmbeddedPostgres | None) -> None:
    """Wait until the API stops, and restart the embedded server if it dies."""
    serving = asyncio.create_task(api.wait(), name="api")
    while not (await asyncio.wait({serving}, timeout=_CHECK_INTERVAL))[0]:
        if server is not None and server.died:
            _log.error("postgresql died; restarting it", log_file=str(server.log))
            try:
                await asyncio.to_thread(server.start)
            except EmbeddedError as error:
                _log.error("postgresql not restarted", error=str(error))
    serving.result()


def _without_password(database: str) -> str:
    """A database's URL without its password."""
    url = urlsplit(database)
    user, at, place = url.netloc.rpartition("@")
    return urlunsplit(url._replace(netloc=f"{user.partition(':')[0]}{at}{place}")) if at else url.geturl()
