"""What capture costs writers: 8 writers update single rows of an attached table, and of the same table without triggers.

Runs with and without triggers alternate, so that other load on the machine affects both tables. The runs are long enough that the
one-time work of a connection, such as compiling a trigger, does not matter, because services keep their connections. Each pair of
runs gives a ratio; the figure is the median of these ratios. The server is as durable as the embedded one always is. The scenario
suppresses NOTIFY, as the pacer does under load, and no feed uses CPU time. Checks: the log grows by one row per committed update,
and no update sends NOTIFY.
"""

import statistics
from collections.abc import Callable

import psycopg

from tests.bench.figure import Figure
from tests.bench.pgbench import Written, update
from tests.bench.stage import CARDS, Stage
from tests.bench.suppress_notify import notify_suppressed

WRITERS = 8
PAIRS = 4


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    seconds = max(1, on.lasting(16 * PAIRS) // (2 * PAIRS))
    pairs: list[tuple[float, float]] = []
    mark = 0
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as conn, notify_suppressed(on.url):
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
                raise RuntimeError(f"{notified} updates sent NOTIFY, although it was suppressed")
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
            f"{WRITERS} writers, with capture: single-row updates/s, relative to a table without triggers",
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
    """The number of rows after one, and how many of them sent NOTIFY. Reads only these, because a first read sets hint bits."""
    counted = await conn.execute(
        "SELECT count(*), count(*) FILTER (WHERE notified) FROM feed.log WHERE seq > %s", [after]
    )
    ((rows, notified),) = await counted.fetchall()
    return rows, notified
