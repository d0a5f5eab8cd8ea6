import sys
from typing import Annotated

import structlog
import typer

from cli.connect import database_url, read_settings
from cli.output import Json, print_line, print_result
from cli.schema import print_check, upgrade
from db import logging_config

_Down = Annotated[bool, typer.Option("--down", help="Remove boardcast and its log. Your tables and their rows stay.")]

_Check = Annotated[
    bool,
    typer.Option(
        "--check",
        help="Change nothing: show what would be added, which locks would be taken, and every obstacle.",
    ),
]

_FeedOnly = Annotated[
    bool,
    typer.Option(
        "--feed-only",
        help="Install the log only: leave the tables users and opportunities alone. Then attach any table.",
    ),
]

_log = structlog.get_logger()


def migrate(*, check: _Check = False, down: _Down = False, feed_only: _FeedOnly = False, json: Json = False) -> None:
    """Migrate the database to this version.

    Run it again after a schema tool or a migration of the application: it restores the columns, indexes, triggers, and
    privileges that are missing, and the parts of boardcast's own schema that were dropped or altered.
    """
    from db import migrate as migrations

    settings = read_settings()
    logging_config.configure(settings)
    url = database_url(settings)
    if check and down:
        raise typer.BadParameter("--check examines a migration, and cannot be used with --down")
    if check:
        print_check(url, feed_only=feed_only, json=json)
        return
    if not down:
        mended = upgrade(url, feed_only=feed_only)
        _log.info("database migrated", revision=migrations.head(), mended=len(mended))
        for line in () if json else mended:
            print_line(line)
        print_result("", json=json, revision=migrations.head(), mended=mended)
        return
    if sys.stdin.isatty():
        typer.confirm("Remove boardcast and its log of all changes?", abort=True, err=True)
    if not migrations.downgrade(url):
        print_result("nothing to remove: boardcast is not installed in this database", json=json, revision=None)
        return
    _log.info("boardcast removed")
    print_result("", json=json, revision=None)
