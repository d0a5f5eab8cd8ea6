"""Helpers for the tests of the log's seals."""

from collections.abc import Sequence
from typing import LiteralString

from db.changelog.seals import BrokenSeal, verify_seals
from tests.db.support import Connection, value
from tests.db.verifying import Plain
from tests.support.until import until

UNSEALED: LiteralString = """
    SELECT count(*) FROM feed.log AS l LEFT JOIN (SELECT * FROM feed.seals ORDER BY number DESC LIMIT 1) AS s ON true
    WHERE s.number IS NULL OR l.partition_number > s.partition_number
       OR l.partition_number = s.partition_number AND (l.xid, l.seq) > (s.xid, coalesce(s.part_seq, 9223372036854775807))
"""


async def switch_on(db: Connection) -> None:
    await db.execute("SELECT feed.set_seal(true)")


async def seal_steps(db: Connection, *, size: int = 3) -> None:
    """Seal what can be sealed now, in small seals."""
    while await value(db, "SELECT feed.seal(%s)", (size,)):
        pass


async def seal_all(db: Connection, *, size: int = 3) -> None:
    """Seal the whole log. PostgreSQL's own transactions (autovacuum) may delay it."""

    async def sealed() -> bool:
        await seal_steps(db, size=size)
        return bool(await value(db, UNSEALED) == 0)

    await until(sealed)


async def run(db: Connection, statements: Sequence[LiteralString]) -> None:
    for statement in statements:
        await db.execute(statement)


async def broken(conn: Plain, *, part: int = 2) -> list[BrokenSeal]:
    return [each async for found in verify_seals(conn, part=part) for each in found.broken]


async def pruned(conn: Plain) -> int:
    return sum([found.pruned async for found in verify_seals(conn, part=3)])


async def newest_hash(db: Connection) -> str:
    return str(await value(db, "SELECT hash FROM feed.seals ORDER BY number DESC LIMIT 1"))
