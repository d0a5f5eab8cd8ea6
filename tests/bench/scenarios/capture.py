"""What capture costs a writer: updates/s of a fed table against the same table without our triggers, 8 writers, one row each.

Runs in turn, so that what else the machine does falls on both, and long enough for what a connection does once (to compile a
trigger) not to count, as services keep theirs; the figure is the median of the pairs' ratios. Durable, as the embedded server is
for everybody. The bell is silent, as it is under load: the scenario keeps the pulse ahead, in the pacer's place, and no feed takes
processor time. The log is checked to have grown by one row for each update that was committed, and none notified.
"""

import statistics
from collections.abc import Callable

import psycopg

from tests.bench.figure import Figure
from tests.bench.pgbench import Written, update
from tests.bench.pulse import silent
from tests.bench.stage import CARDS, Stage

WRITERS = 8
PAIRS = 4


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    seconds = max(1, on.lasting(16 * PAIRS) // (2 * PAIRS))
    pairs: list[tuple[float, float]] = []
    mark = 0
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as conn, silent(on.url):
        # The same shape, with the same foreign key.
        await conn.execute("CREATE TABLE bare (LIKE opportunities INCLUDING ALL)")
        await conn.execute("ALTER TABLE bare ADD FOREIGN KEY (board_id) REFERENCES boards (id) ON DELETE CASCADE")
        await conn.execute("INSERT INTO bare SELECT * FROM opportunities")
        await conn.execute("VACUUM ANALYZE bare, opportunities")
        say(f"{PAIRS} pairs of runs of {seconds} s, {WRITERS} writers")
        for _ in range(PAIRS):
            bare = await _written(on, "bare", seconds, mark)
            newest = await _newest(conn)
            fed = await _written(on, "opportunities", seconds, mark)
            rows, notified = await _logged(conn, newest)
            if rows != fed.updates:
                raise RuntimeError(f"{fed.updates} updates were committed, and the log grew by {rows}")
            if notified:
                raise RuntimeError(f"{notified} updates notified: the pulse was not kept ahead")
            mark += max(bare.updates, fed.updates)
            pairs.append((bare.rate, fed.rate))
    ratios = [fed / bare for bare, fed in pairs]
    ratio = statistics.median(ratios)
    say(
        f"{statistics.median(b for b, _ in pairs):,.0f} updates/s bare, {statistics.median(f for _, f in pairs):,.0f} fed"
    )
    return [
        Figure(
            "capture",
            f"capture cost: updates/s with capture against no triggers at all, {WRITERS} writers",
            ratio,
            "×",
            0.6,
            more=True,
            detail={"bare_per_s": [b for b, _ in pairs], "fed_per_s": [f for _, f in pairs], "ratios": ratios},
        )
    ]


async def _written(on: Stage, table: str, seconds: int, mark: int) -> Written:
    return await update(on.url, table, writers=WRITERS, seconds=seconds, cards=CARDS, first=mark)


async def _newest(conn: psycopg.AsyncConnection[tuple[int, ...]]) -> int:
    ((seq,),) = await (await conn.execute("SELECT coalesce(max(seq), 0) FROM feed.log")).fetchall()
    return seq


async def _logged(conn: psycopg.AsyncConnection[tuple[int, ...]], after: int) -> tuple[int, int]:
    """How many rows the log has behind one, and how many of them notified. (Only those: to read a page anew is to write it.)"""
    counted = await conn.execute(
        "SELECT count(*), count(*) FILTER (WHERE notified) FROM feed.log WHERE seq > %s", [after]
    )
    ((rows, notified),) = await counted.fetchall()
    return rows, notified
