"""The database itself: where the embedded one is, and the one that is used brought up to this version."""

import sys
from typing import Annotated

import structlog
import typer

from cli.connect import embedded_url, read_settings, url_of
from cli.failures import DATABASE, FailureError
from cli.output import Json, told
from db import logs

Down = Annotated[bool, typer.Option("--down", help="Take out boardcast and its log; adopted tables stay.")]

log = structlog.get_logger()


def database(*, json: Json = False) -> None:
    """Print the address of the embedded PostgreSQL.

    For psql "$(boardcast database)" while `boardcast up` runs.
    """
    url = embedded_url(read_settings())
    told(url, json=json, url=url)


def migrate(*, down: Down = False, json: Json = False) -> None:
    """Bring the database up to this version."""
    from db import migrate as migrations

    settings = read_settings()
    logs.configure(settings)
    url = url_of(settings)
    if not down:
        upgrade(url)
        log.info("the database is up to date", revision=migrations.head())
        told("", json=json, revision=migrations.head())
        return
    if sys.stdin.isatty():
        typer.confirm("Take out boardcast, with the log of all changes?", abort=True, err=True)
    migrations.downgrade(url)
    log.info("boardcast is taken out")
    told("", json=json, revision=None)


def upgrade(url: str) -> None:
    """Bring a database up to this version."""
    from alembic.util import CommandError

    from db import migrate as migrations

    try:
        migrations.upgrade(url)
    except CommandError as error:
        raise FailureError(DATABASE, str(error)) from error
