"""Migrating a database, for `migrate` and `up`."""

import asyncio
from collections.abc import Mapping

from cli.connect import WORK_TIMEOUT
from cli.failures import DATABASE, FailureError
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


async def _repair(url: str) -> list[str]:
    from db import schema_repair

    address = dsn(url, "boardcast-migrate")
    async with await Connection.connect(address, autocommit=True, prepare_threshold=None) as conn:
        conn.read_timeout = WORK_TIMEOUT
        try:
            return [f"put back {fault.wanted.kind} {fault.wanted.name}" for fault in await schema_repair.repair(conn)]
        except schema_repair.RepairError as error:
            raise FailureError(DATABASE, str(error)) from error
