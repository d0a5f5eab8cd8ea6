"""Restoring old versions of opportunities.

Invariant: a restored version is a new one. Its number follows the last one, also after a deletion, so that no client mistakes a
restored opportunity for an older one. The application's own columns are also restored, because PostgreSQL reads back the JSON
that it created; what JSON cannot hold is restored from its text.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from db import opportunities
from db.changelog.keys import next_version_after_delete
from db.marked_values import read_marked
from db.opportunities import Found, Written
from db.opportunity_table import read_table
from db.versions import Version

_KEPT = frozenset({"created_at", "version_number", "last_modified_by", "last_sync_at"})
"""Columns that a restore does not change in an existing opportunity."""


async def overwrite(
    conn: AsyncConnection, found: Found, version: Version, user_id: str, replacement: Mapping[str, Any]
) -> Written | None:
    """Give an opportunity the values of a version, but for those in `replacement`; None if it has changed since it was found."""
    table = await read_table(conn)
    own = table.stored(replacement)
    row = _exact(version.row) | own
    kept = _KEPT | {table.key, table.board}
    marked = await read_marked(conn, table, version.row)
    names = [name for name in table.columns if name in row and name not in kept and not marked.omits(name, own)]
    # Compared as clients see them: a stage that is a number in the table is a text in `found`.
    data, now = _exact(version.data) | dict(replacement), _exact(found.body)
    field = {column: name for name, column in table.fields.items()}
    fields = [field.get(name, name) for name in names]
    if all(name in now and name in data and now[name] == data[name] for name in fields):
        return Written(found.id, found.version, found.body, "")
    return await opportunities.overwrite(conn, table, found, found.version, user_id, version.row, own, names, marked)


async def recreate(
    conn: AsyncConnection, id_: str, version: Version, user_id: str, replacement: Mapping[str, Any]
) -> Written:
    """Create a deleted opportunity again, under its id, with the values of a version but for those in `replacement`."""
    table = await read_table(conn)
    own = await next_version_after_delete(conn, id_) | {"last_modified_by": user_id} | table.stored(replacement)
    return await opportunities.insert(conn, table, version.row, own, await read_marked(conn, table, version.row))


def _exact(row: str) -> dict[str, Any]:
    """Read a row's JSON with all the digits of its numbers."""
    read: dict[str, Any] = json.loads(row, parse_float=Decimal)
    return read
