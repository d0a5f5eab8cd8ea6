"""Restoring old versions of opportunities.

Invariant: a restored version is a new one. Its number follows the last one, also after a deletion, so that nobody takes a restored
opportunity for an older one. The application's own columns are restored too: PostgreSQL reads the JSON that it has made.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from db import sqlfiles
from db.changelog.keys import next_version_after_delete
from db.engine import driver
from db.opportunities import Found, Written
from db.versions import Version

_KEPT = frozenset({"id", "board_id", "created_at", "version_number", "last_modified_by", "last_sync_at"})
"""Columns that a restore does not change in an existing opportunity."""


async def overwrite(
    conn: AsyncConnection, found: Found, version: Version, user_id: str, replacement: Mapping[str, Any]
) -> Written | None:
    """Give an opportunity the values of a version, but for those in `replacement`; None if it has changed since it was found."""
    data, now = _exact(version.data) | dict(replacement), _exact(found.body)
    names = [name for name in await _columns(conn) if name in data and name not in _KEPT]
    if all(name in now and now[name] == data[name] for name in names):
        return Written(found.id, found.version, found.body, "")
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(_column(name), _column("old", name)) for name in (*names, "last_modified_by")
    )
    row = await _run(
        conn,
        sql.SQL(sqlfiles.sql("queries/restore_overwrite")).format(assignments=assignments),
        data=version.data,
        own=Jsonb(dict(replacement) | {"last_modified_by": user_id}),
        id=found.id,
        board=found.board_id,
        version=found.version,
    )
    return Written._make(row) if row else None


async def recreate(
    conn: AsyncConnection, id_: str, version: Version, user_id: str, replacement: Mapping[str, Any]
) -> Written:
    """Create a deleted opportunity again, under its id, with the values of a version but for those in `replacement`."""
    own = await next_version_after_delete(conn, id_) | {"last_modified_by": user_id} | dict(replacement)
    data = _exact(version.data) | own
    names = [name for name in await _columns(conn) if name in data]
    row = await _run(
        conn,
        sql.SQL(sqlfiles.sql("queries/restore_recreate")).format(
            columns=sql.SQL(", ").join(map(_column, names)),
            values=sql.SQL(", ").join(_column("old", name) for name in names),
        ),
        data=version.data,
        own=Jsonb(own),
    )
    if row is None:
        raise LookupError("an INSERT has returned no row")
    return Written._make(row)


def _column(*name: str) -> sql.Identifier:
    """A column in a statement with parameters, in which a percent sign in a name would begin a placeholder."""
    return sql.Identifier(*(part.replace("%", "%%") for part in name))


async def _columns(conn: AsyncConnection) -> list[str]:
    found = await conn.exec_driver_sql(sqlfiles.sql("queries/opportunity_columns"))
    return list(found.scalars())


async def _run(conn: AsyncConnection, statement: sql.Composed, **arguments: object) -> tuple[Any, ...] | None:
    return await (await (await driver(conn)).execute(statement, arguments)).fetchone()


def _exact(row: str) -> dict[str, Any]:
    """Read a row's JSON with all the digits of its numbers."""
    read: dict[str, Any] = json.loads(row, parse_float=Decimal)
    return read
