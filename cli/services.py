"""What `up`, `feed` and `api` share.

Invariant: a service is imported only when it starts. A feed without SQLAlchemy and the API takes a third less memory, and a command
that serves nothing starts a third sooner.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import typer

from cli.connect import read_settings
from cli.failures import DATABASE, USAGE, FailureError
from db import logging_config
from db.connection import Connection
from db.embedded import loopback
from db.privileges import check_privileges
from db.readiness import require_ready
from db.settings import Settings
from feed.system.database import dsn

if TYPE_CHECKING:
    from feed.access.tokens import Tokens
    from feed.http.server import FeedServer


def service_settings() -> Settings:
    """The settings, with logging set up."""
    settings = read_settings()
    logging_config.configure(settings)
    # Pages and origins contain the ports, so a free one is chosen before anything uses it.
    free = {name: loopback.free_port() for name in ("api_port", "feed_port") if getattr(settings, name) == 0}
    return settings.model_copy(update=free)


def require_database(settings: Settings) -> Settings:
    """The same settings; raises FailureError if they name no database."""
    if settings.database is None:
        raise FailureError(USAGE, "no database configured: set DATABASE_URL, or the variables of libpq such as PGHOST")
    return settings


async def require_rights(settings: Settings, service: str) -> None:
    """Raise NotReadyError for a database that is not ready, FailureError for a role that lacks a privilege of the service."""
    address = dsn(settings.database, "boardcast")
    async with await Connection.connect(address, autocommit=True, prepare_threshold=None) as conn:
        (right,) = (each for each in await check_privileges(conn) if each.does == service)
        if not right.lacking:
            await require_ready(conn)
    if right.lacking:
        raise FailureError(DATABASE, f"role {right.role} may not run {service}: {right.lacks} ({right.fix})")


@asynccontextmanager
async def serving_feed(settings: Settings, tokens: "Tokens") -> "AsyncIterator[FeedServer]":
    from feed.http.server import FeedServer
    from feed.runtime import Runtime
    from feed.system.process import freeze_gc, raise_file_limit

    server = FeedServer(settings, Runtime(settings, tokens))
    try:
        raise_file_limit()
        await server.start()
        freeze_gc()
        yield server
    finally:
        await server.stop()


def print_ready(addresses: str) -> None:
    """Print the line that says that the service is ready; it is flushed."""
    typer.echo(f"boardcast ready {addresses}")
