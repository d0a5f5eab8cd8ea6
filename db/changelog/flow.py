"""How the cards of a board went through its stages: time in stage, conversion, cumulative flow, and cycle time, as of any moment.

Invariant: the result is what the log says: the changes of stages are copied up to now before they are read.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from db.changelog.stages import BATCH
from db.sqlfiles import sql

POINTS = 60
"""Intervals of the cumulative flow."""
BOUNDS = (86_400.0, 259_200.0, 604_800.0, 1_209_600.0, 2_592_000.0, 5_184_000.0, 7_776_000.0)
"""Seconds at which the bars of the cycle time begin, but for the first: 1, 3, 7, 14, 30, 60, and 90 days."""


class Period(NamedTuple):
    since: datetime
    until: datetime
    as_of: datetime
    """Later changes are not known yet."""


class FlowCard(NamedTuple):
    id: str
    seconds: float
    total: int
    """How many cards there are, with those beyond the limit."""
    title: str | None
    """None: it is no longer on the board."""


async def catch_up(conn: AsyncConnection) -> None:
    """Copy the changes of stages that were committed before this call."""
    more = True
    while more:
        read = await conn.exec_driver_sql(sql("queries/read_stage_changes"), {"batch": BATCH, "waits": True})
        more = bool(read.scalar_one())
        await conn.commit()


async def read(conn: AsyncConnection, board_id: str, period: Period) -> str:
    """The flow of a board, as JSON."""
    parameters = _parameters(board_id, period) | {"points": POINTS}
    await conn.exec_driver_sql(sql("queries/flow_settings"))
    return str((await conn.exec_driver_sql(sql("queries/flow"), parameters)).scalar_one())


async def cards(
    conn: AsyncConnection,
    board_id: str,
    period: Period,
    *,
    chart: str,
    phase: str,
    next_phase: str | None,
    bucket: int | None,
    limit: int,
) -> Sequence[FlowCard]:
    """The cards behind a bar, slowest first."""
    bar = {"chart": chart, "phase": phase, "next_phase": next_phase, "bucket": bucket, "limit": limit}
    await conn.exec_driver_sql(sql("queries/flow_settings"))
    found = await conn.exec_driver_sql(sql("queries/flow_cards"), _parameters(board_id, period) | bar)
    return [FlowCard._make(row) for row in found]


def _parameters(board_id: str, period: Period) -> dict[str, Any]:
    return {"board": board_id, "bounds": list(BOUNDS)} | period._asdict()
