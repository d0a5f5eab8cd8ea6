import sys
from typing import Annotated

import structlog
import typer

from cli.connect import database_url, read_settings
from cli.output import Json, print_result
from cli.schema import upgrade
from db import logging_config

_Down = Annotated[bool, typer.Option("--down", help="Remove boardcast and its log. Your tables and their rows stay.")]

_log = structlog.get_logger()


def migrate(*, down: _Down = False, json: Json = False) -> None:
    """Migrate the database to this version."""
    from db import migrate as migrations

    settings = read_settings()
    logging_config.configure(settings)
    url = database_url(settings)
    if not down:
        upgrade(url)
        _log.info("database migrated", revision=migrations.head())
        print_result("", json=json, revision=migrations.head())
        return
    if sys.stdin.isatty():
        typer.confirm("Remove boardcast and its log of all changes?", abort=True, err=True)
    migrations.downgrade(url)
    _log.info("boardcast removed")
    print_result("", json=json, revision=None)
