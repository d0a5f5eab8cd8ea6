"""Changes of boards and of their phases.

Invariant: a card is never left in a phase that its board does not have. Who deletes a phase holds the lock of
`boards.lock`, and who puts a card into one that of `boards.access`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import sql
from sqlalchemy import Text, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import sqlfiles
from db.boards import COLUMNS, BoardRow
from db.engine import driver
from db.fractional_index import key_after
from db.models import board_members, boards
from db.opportunities import end_of_phase
from db.opportunity_details import note_closings
from db.opportunity_table import column, comma, read_table


class Written(NamedTuple):
    board: BoardRow
    xid: str


async def create(
    conn: AsyncConnection,
    board_id: str,
    name: str,
    phases: list[dict[str, Any]],
    currency: str,
    close_reasons: list[str],
    admin: str,
) -> Written | None:
    """Create a board with one member; None if the ID is taken."""
    row = {
        "id": board_id,
        "name": name,
        "phases": phases,
        "currency": currency,
        "close_reasons": close_reasons,
        "created_at": func.clock_timestamp(),  # boards are listed by age
    }
    made = await conn.execute(insert(boards).values(row).on_conflict_do_nothing().returning(*COLUMNS))
    board = made.one_or_none()
    if board is None:
        return None
    await conn.execute(insert(board_members).values(board_id=board_id, user_id=admin, role="admin"))
    return Written(BoardRow(*board), await transaction_id(conn))


async def change(conn: AsyncConnection, board_id: str, fields: dict[str, Any]) -> Written:
    """Change name, phases, currency, or archived of a board that this transaction has locked."""
    values = dict(fields)
    if "archived" in values:
        values["archived_at"] = func.coalesce(boards.c.archived_at, func.now()) if values.pop("archived") else None
    changed = await conn.execute(update(boards).where(boards.c.id == board_id).values(values).returning(*COLUMNS))
    row = BoardRow(*changed.one())
    if "phases" in values:
        cards = await conn.exec_driver_sql(sqlfiles.sql("queries/board_cards"), {"board": board_id})
        await note_closings(conn, list(cards.scalars()))
    return Written(row, await transaction_id(conn))


async def transaction_id(conn: AsyncConnection) -> str:
    return str((await conn.execute(select(cast(func.pg_current_xact_id(), Text)))).scalar_one())


async def count_cards(conn: AsyncConnection, board_id: str, phases: Sequence[str]) -> dict[str, int]:
    """The number of cards in each of these phases that has any."""
    parameters = {"board": board_id, "phases": list(phases)}
    found = await conn.exec_driver_sql(sqlfiles.sql("queries/phase_counts"), parameters)
    return {row.phase: row.cards for row in found}


async def move_cards(conn: AsyncConnection, board_id: str, phase: str, target: str, user_id: str) -> None:
    """Move the cards of a phase to the end of another one, in their order."""
    cards = await conn.exec_driver_sql(sqlfiles.sql("queries/phase_cards"), {"board": board_id, "phase": phase})
    ids = list(cards.scalars())
    positions: list[str] = []
    end: str = await end_of_phase(conn, board_id, target)
    for _ in ids:
        positions.append(end)
        end = key_after(end)
    table = await read_table(conn)
    wanted = {"phase": sql.SQL("%(phase)s"), "position": sql.SQL("m.place")}
    assignments: list[sql.Composable] = [
        sql.SQL("{} = {}").format(column(table.fields[field]), value)
        for field, value in wanted.items()
        if table.has(field)
    ]
    if "last_modified_by" in table.columns:
        assignments.append(sql.SQL("last_modified_by = %(user)s"))
    statement = sql.SQL(sqlfiles.sql("queries/opportunities_move")).format(
        table=table.identifier, key=column(table.key), on_board=table.on_board, assignments=comma(assignments)
    )
    parameters = {"ids": ids, "places": positions, "phase": target, "user": user_id, "board": board_id}
    await (await driver(conn)).execute(statement, parameters)
    await note_closings(conn, ids)
