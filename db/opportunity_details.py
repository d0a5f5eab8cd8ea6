"""What boards know of a card that its table has no column for: when and why it was closed, and its next activity.

Invariant: a card is closed exactly while it is in a phase of kind won or lost. Its details follow in the transaction of the
write; after a write in SQL, a moment later (db/changelog/stages.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import opportunity_details as details
from db.sqlfiles import sql

FIELDS = frozenset({"close_reason", "next_activity", "next_activity_date"})
"""The fields of a card that users write here."""


async def note_closings(conn: AsyncConnection, ids: Sequence[str]) -> int:
    """Note which of these cards are closed now. Returns how many have changed in this."""
    noted = await conn.exec_driver_sql(sql("queries/note_closings"), {"ids": list(ids)})
    return int(noted.scalar_one())


async def write(conn: AsyncConnection, id_: str, board_id: str, fields: Mapping[str, Any]) -> None:
    """Write some of FIELDS. A card that is open has no reason, so it gets none."""
    values = dict(fields)
    if "close_reason" in values:
        closed = update(details).where(details.c.opportunity_id == id_, details.c.closed_at.is_not(None))
        await conn.execute(closed.values(close_reason=values.pop("close_reason")))
    if values:
        new = insert(details).values(opportunity_id=id_, board_id=board_id, **values)
        await conn.execute(new.on_conflict_do_update(index_elements=["opportunity_id"], set_=values))
