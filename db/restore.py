"""Old versions of cards, written again.

Invariant: a restored version is a new one. Its number follows the card's last, also over a deletion, so that nobody takes a
card that came back for an older one. An application's own columns come back too: PostgreSQL reads the JSON that it has made.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from db import sqlfiles
from db.engine import driver
from db.opportunities import Found, Written
from db.versions import Version

_KEPT = frozenset({"id", "board_id", "created_at", "version_number", "last_modified_by", "last_sync_at"})
"""What an old version does not change of a card that is there."""

_OVER = """
UPDATE opportunities AS o
SET {assignments}
FROM jsonb_populate_record(NULL::opportunities, %(data)s::jsonb || %(own)s) AS old
WHERE o.id = %(id)s AND o.board_id = %(board)s AND o.version_number = %(version)s
RETURNING o.id, o.version_number, to_jsonb(o.*)::text, pg_current_xact_id()::text
"""
_ANEW = """
INSERT INTO opportunities AS o ({columns})
SELECT {values} FROM jsonb_populate_record(NULL::opportunities, %(data)s::jsonb || %(own)s) AS old
RETURNING o.id, o.version_number, to_jsonb(o.*)::text, pg_current_xact_id()::text
"""


async def over(
    conn: AsyncConnection, found: Found, version: Version, user_id: str, instead: Mapping[str, Any]
) -> Written | None:
    """Give a card what a version had, but for `instead`; None where it has changed since it was found."""
    data, now = _exact(version.data) | dict(instead), _exact(found.body)
    names = [name for name in await _columns(conn) if name in data and name not in _KEPT]
    if all(name in now and now[name] == data[name] for name in names):
        return Written(found.id, found.version, found.body, "")
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(_column(name), _column("old", name)) for name in (*names, "last_modified_by")
    )
    row = await _run(
        conn,
        sql.SQL(_OVER).format(assignments=assignments),
        data=version.data,
        own=Jsonb(dict(instead) | {"last_modified_by": user_id}),
        id=found.id,
        board=found.board_id,
        version=found.version,
    )
    return Written._make(row) if row else None


async def anew(conn: AsyncConnection, id_: str, version: Version, user_id: str, instead: Mapping[str, Any]) -> Written:
    """Make a deleted card again as a version had it, but for `instead`, under its id."""
    last = await conn.exec_driver_sql(sqlfiles.sql("queries/comeback"), {"id": id_})
    own = dict(last.mappings().one()) | {"last_modified_by": user_id} | dict(instead)
    data = _exact(version.data) | own
    names = [name for name in await _columns(conn) if name in data]
    row = await _run(
        conn,
        sql.SQL(_ANEW).format(
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
    """A column in a statement with parameters, where a per cent sign in a name would begin a placeholder."""
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
