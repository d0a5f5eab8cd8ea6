"""Migrating a database, for `migrate`, `adopt` and `up`."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

import typer

from cli.connect import WORK_TIMEOUT
from cli.failures import DATABASE, FailureError
from cli.output import print_json, print_line
from db.connection import Connection
from feed.system.database import dsn


def upgrade(url: str, *, feed_only: bool = False) -> list[str]:
    """Migrate a database to this version, and bring back what is missing. Returns a line for each thing that was.

    First the schema, because what brings back the rest is part of it.
    """
    from alembic.util import CommandError

    from db import migrate

    try:
        migrate.upgrade(url, feed_only=feed_only)
    except (CommandError, migrate.ForeignSchemaError) as error:
        raise FailureError(DATABASE, str(error)) from error
    return [*asyncio.run(_repair(url)), *migrate.mend(url)]


def adopt(
    url: str, table: str, columns: Mapping[str, str], *, users: str | None, user_columns: Mapping[str, str]
) -> list[str]:
    """Make a table of the application the board; see db.migrate.adopt. Returns a line for each thing that was done."""
    from alembic.util import CommandError

    from db import migrate

    try:
        return migrate.adopt(url, table, columns, users=users, user_columns=user_columns)
    except (CommandError, migrate.ForeignSchemaError) as error:
        raise FailureError(DATABASE, str(error)) from error


def print_check(
    url: str,
    table: str | None = None,
    columns: Mapping[str, str] = MappingProxyType({}),
    *,
    users: str | None = None,
    user_columns: Mapping[str, str] = MappingProxyType({}),
    feed_only: bool = False,
    json: bool,
) -> None:
    """Print what db.migration_check finds. Exits with status 3 if something stands in the way."""
    from db import migration_check

    found = migration_check.check(url, table, columns, users=users, user_columns=user_columns, feed_only=feed_only)
    if json:
        print_json(found._asdict())
    for step in () if json else found.steps:
        print_line(f"would {step}")
    for lock in () if json else found.locks:
        print_line(f"lock on {lock}")
    for obstacle in () if json else found.obstacles:
        print_line(f"in the way: {obstacle}")
    if found.obstacles:
        raise typer.Exit(DATABASE)
    if not json:
        print_line("nothing stands in the way" if found.steps else "there is nothing to do")


async def _repair(url: str) -> list[str]:
    from db import schema_repair

    address = dsn(url, "boardcast-migrate")
    async with await Connection.connect(address, autocommit=True, prepare_threshold=None) as conn:
        conn.read_timeout = WORK_TIMEOUT
        try:
            return [f"put back {fault.wanted.kind} {fault.wanted.name}" for fault in await schema_repair.repair(conn)]
        except schema_repair.RepairError as error:
            raise FailureError(DATABASE, str(error)) from error
