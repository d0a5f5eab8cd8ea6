"""Seals of the log: hashes that prove that nobody has altered its rows since they were sealed.

Invariant: a seal is broken only if a row of the log or a seal was altered. Rows that were pruned break nothing.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple

from db.connection import PsycopgConnection, Row
from db.sqlfiles import sql


class BrokenSeal(NamedTuple):
    """A seal that does not match. The sequence numbers are those of the rows that were sealed; None: there were none.

    `columns`: ``rows``, the rows of the log are not those that were sealed; ``hash``, this seal or the one before it was altered;
    ``number``, the seals before it were removed. `found`: how many rows there are now; None if that is not known.
    """

    number: int
    first_seq: int | None
    last_seq: int | None
    sealed: int
    found: int | None
    columns: list[str]


class SealPart(NamedTuple):
    """The result of one part: seals and rows of the log that were checked, and how many of the seals are of pruned rows.

    `number` and `hash` are those of its last seal; None if it has none.
    """

    broken: list[BrokenSeal]
    seals: int
    pruned: int
    rows: int
    number: int | None
    hash: str | None


async def seal(conn: PsycopgConnection) -> bool:
    """Seal the next rows if that is switched on. Returns whether there are more to seal now."""
    ((more,),) = await _rows(conn, "queries/seal", {})
    return bool(more)


async def verify_seals(conn: PsycopgConnection, *, part: int) -> AsyncIterator[SealPart]:
    """Compare the seals with the log and with one another, `part` seals at a time."""
    after: int | None = 0
    while after is not None:
        *findings, end = await _rows(conn, "queries/verify_seals", {"after": after, "seals": part})
        _, number, _, _, seals, rows, _, hash_, pruned, after = end
        yield SealPart([BrokenSeal._make(row[1:7]) for row in findings], seals, pruned, rows, number, hash_)


async def seal_number(conn: PsycopgConnection, hash_: str) -> int | None:
    """The number of the seal with this hash, if there is one."""
    found = await _rows(conn, "queries/seal_number", {"hash": hash_})
    return found[0][0] if found else None


async def _rows(conn: PsycopgConnection, query: str, parameters: dict[str, object]) -> list[Row]:
    return await (await conn.execute(sql(query), parameters)).fetchall()
