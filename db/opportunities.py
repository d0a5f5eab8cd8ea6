"""Opportunities: read as JSON made by PostgreSQL, and written only over the version that the writer has seen.

Invariant: no write replaces a version that its writer did not name, and none reaches another board: the board that was checked for
permission is part of the statement's condition. The database sets versions and their times.
"""

import json
from collections.abc import Mapping
from typing import Any, LiteralString, NamedTuple

from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic_core import to_jsonable_python
from sqlalchemy.ext.asyncio import AsyncConnection

from db import opportunity_details, sqlfiles
from db.changelog.keys import was_opportunity
from db.engine import driver
from db.fractional_index import key_after
from db.marked_values import MarkedValues
from db.opportunity_table import OpportunityTable, column, comma, read_table

_UNMARKED = MarkedValues()


class Found(NamedTuple):
    """An opportunity that this user may see, and the user's role on its board."""

    id: str
    board_id: str
    phase: str
    version: int
    role: str
    phases: list[dict[str, Any]]
    body: str
    archived: bool


class Written(NamedTuple):
    id: str
    version: int
    body: str
    xid: str


async def get(conn: AsyncConnection, opportunity_id: str, user_id: str) -> Found | None:
    """Read the opportunity; None if it does not exist or the user is not a member of its board."""
    parameters = {"id": opportunity_id, "user": user_id}
    row = (await conn.exec_driver_sql(sqlfiles.sql("queries/opportunity"), parameters)).one_or_none()
    return Found._make(row) if row else None


async def page(
    conn: AsyncConnection, user_id: str, *, board_id: str | None, after: str | None, limit: int
) -> list[tuple[str, str]]:
    """Read (id, body) of the opportunities that the user may see, by id: it never changes, so none is skipped while others move."""
    parameters = {"user": user_id, "board": board_id, "after": after, "limit": limit}
    found = await conn.exec_driver_sql(sqlfiles.sql("queries/opportunity_page"), parameters)
    return [(row.id, row.body) for row in found]


async def create(
    conn: AsyncConnection, user_id: str, fields: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Written | None:
    """Create an opportunity; None if there ever was one of this id, since its history keeps the id.

    `defaults`: what the board has for fields without a value.

    Raises MissingTableError, MissingColumnsError.
    """
    if fields.get("id") is not None and await was_opportunity(conn, fields["id"]):
        return None
    table = await read_table(conn)
    given = {name: value for name, value in fields.items() if value is not None}
    details = _take_details(given)
    if not table.has("currency") and given.get("currency") == defaults["currency"]:
        del given["currency"]  # all cards of the board have it
    for name, value in defaults.items():
        if table.has(name) and value is not None:
            given.setdefault(name, value)
    if table.board is None:
        del given["board_id"]  # there is only one board
    if given.get("position") is None:
        given["position"] = await end_of_phase(conn, fields["board_id"], fields["phase"])
    values = table.columns_for(given) | _author(table, user_id)
    created = await insert(conn, table, "{}", values)
    return await _write_details(conn, created, fields["board_id"], details)


async def insert(
    conn: AsyncConnection,
    table: OpportunityTable,
    data: str,
    own: Mapping[str, Any],
    marked: MarkedValues = _UNMARKED,
) -> Written:
    """Insert the values of a row as JSON, and these in their place."""
    given = json.loads(data)
    names = [name for name in table.columns if name in own or (name in given and not marked.omits(name, own))]
    row = await _run(
        conn,
        table,
        sqlfiles.sql("queries/opportunity_insert"),
        {"columns": comma(map(column, names)), "values": comma(marked.value(name, own) for name in names)},
        data=data,
        **marked.arguments(),
        own=Jsonb(to_jsonable_python(own)),
    )
    if row is None:
        raise LookupError("an INSERT has returned no row")
    return await _note_closing(conn, await _written(conn, table, row))


async def update(
    conn: AsyncConnection, found: Found, expected: int | None, user_id: str, fields: Mapping[str, Any]
) -> Written | None:
    """Change the opportunity; None if it no longer has the expected version (None: any), or is no longer on its board.

    Raises MissingTableError, MissingColumnsError.
    """
    table = await read_table(conn)
    values = dict(fields)
    details = _take_details(values)
    if table.board is None and values.get("board_id") == found.board_id:
        del values["board_id"]
    board_id, phase = values.get("board_id", found.board_id), values.get("phase", found.phase)
    if (board_id != found.board_id or phase != found.phase) and values.get("position") is None:
        values["position"] = await end_of_phase(conn, board_id, phase)
    written = await overwrite(conn, table, found, expected, user_id, "{}", table.columns_for(values))
    return await _write_details(conn, written, board_id, details) if written else None


async def overwrite(
    conn: AsyncConnection,
    table: OpportunityTable,
    found: Found,
    expected: int | None,
    user_id: str,
    data: str,
    own: Mapping[str, Any],
    names: list[str] | None = None,
    marked: MarkedValues = _UNMARKED,
) -> Written | None:
    """Give an opportunity the values of a row as JSON, in these columns, and the values `own`; None as for `update`."""
    if names is None:
        names = list(own)
    version = await _expected(conn, table, found, expected)
    if version is _STALE:
        return None
    assignments = [sql.SQL("{} = {}").format(column(name), marked.value(name, own)) for name in names]
    if names and "last_modified_by" in table.columns:
        # A write of the values that are there already changes nothing: no version, no event, no new author.
        differs = sql.SQL(" OR ").join(
            sql.SQL("{}::text IS DISTINCT FROM {}::text").format(column("o", name), marked.value(name, own))
            for name in names
        )
        assignments.append(
            sql.SQL("last_modified_by = CASE WHEN {} THEN new.last_modified_by ELSE o.last_modified_by END").format(
                differs
            )
        )
    if not assignments:
        assignments = [sql.SQL("{} = {}").format(column(table.key), column("o", table.key))]
    row = await _run(
        conn,
        table,
        sqlfiles.sql("queries/opportunity_update"),
        {"assignments": comma(assignments)},
        data=data,
        **marked.arguments(),
        own=Jsonb(to_jsonable_python({**own, table.key: found.id} | _author(table, user_id))),
        board=found.board_id,
        version=version,
    )
    if row is None:
        return None
    written = await _written(conn, table, row)
    moves = {table.fields.get("phase"), table.board} & set(names)
    return await _note_closing(conn, written) if moves else written


async def delete(conn: AsyncConnection, found: Found, expected: int | None) -> str | None:
    """Delete the opportunity, and return the transaction's id; None if it no longer has the expected version or board."""
    table = await read_table(conn)
    version = await _expected(conn, table, found, expected)
    if version is _STALE:
        return None
    row = await _run(
        conn,
        table,
        sqlfiles.sql("queries/opportunity_delete"),
        {},
        data=Jsonb({table.key: found.id}),
        board=found.board_id,
        version=version,
    )
    return str(row[0]) if row else None


async def end_of_phase(conn: AsyncConnection, board_id: str, phase: str) -> str:
    """The position after the last opportunity of the phase."""
    parameters = {"board": board_id, "phase": phase}
    last = await conn.exec_driver_sql(sqlfiles.sql("queries/opportunity_last_position"), parameters)
    return key_after(last.scalar_one_or_none())


_STALE = -1


async def _expected(conn: AsyncConnection, table: OpportunityTable, found: Found, expected: int | None) -> int | None:
    """The version for the statement's condition. If the table has no versions, lock the row, and compare that of the log."""
    if expected is None or "version_number" in table.columns:
        return expected
    await _run(conn, table, sqlfiles.sql("queries/opportunity_lock"), {}, data=Jsonb({table.key: found.id}))
    current = (await conn.exec_driver_sql(sqlfiles.sql("queries/opportunity_row"), {"id": found.id})).one_or_none()
    return None if current is not None and current.version_number == expected else _STALE


async def _written(conn: AsyncConnection, table: OpportunityTable, row: tuple[Any, ...]) -> Written:
    return Written._make(row) if table.complete else await _read_again(conn, row[0])


async def _read_again(conn: AsyncConnection, opportunity_id: str) -> Written:
    found = await conn.exec_driver_sql(sqlfiles.sql("queries/opportunity_row"), {"id": opportunity_id})
    return Written._make(found.one())


async def _note_closing(conn: AsyncConnection, written: Written) -> Written:
    noted = await opportunity_details.note_closings(conn, [written.id])
    return await _read_again(conn, written.id) if noted else written


def _take_details(fields: dict[str, Any]) -> dict[str, Any]:
    """Remove the fields that the table has no columns for, and return them."""
    return {name: fields.pop(name) for name in opportunity_details.FIELDS & fields.keys()}


async def _write_details(conn: AsyncConnection, written: Written, board_id: str, details: Mapping[str, Any]) -> Written:
    if not details:
        return written
    await opportunity_details.write(conn, written.id, board_id, details)
    return await _read_again(conn, written.id)


def _author(table: OpportunityTable, user_id: str) -> dict[str, Any]:
    return {"last_modified_by": user_id} if "last_modified_by" in table.columns else {}


async def _run(
    conn: AsyncConnection,
    table: OpportunityTable,
    statement: LiteralString,
    parts: Mapping[str, sql.Composable],
    **arguments: object,
) -> tuple[Any, ...] | None:
    composed = sql.SQL(statement).format(
        table=table.identifier, key=column(table.key), on_board=table.on_board, **parts
    )
    cursor = await (await driver(conn)).execute(composed, arguments)
    return await cursor.fetchone()
