"""The CPU time that a read pass costs its backend, as the log grows from 10^4 to 10^7 rows in a year's partitions.

The statement is the tailer's own, prepared as the tailer prepares it. At each size, the scenario writes some rows through the
triggers. It then reads these rows from the cursor before them, many times in several rounds. Only the fastest round counts, because
other load on the machine can only slow a round down. Check: each pass finds exactly these rows.
"""

from collections.abc import Callable

import psycopg

from db.changelog.positions import read_position
from db.changelog.prefetch import prepare_prefetch
from db.connection import PsycopgConnection
from feed.wire.cursor import Cursor
from tests.bench.figure import Figure
from tests.bench.process import Process
from tests.bench.stage import Stage

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
PARTITION = 1_000_000
"""Rows of a partition, at most."""
FRESH = 5
ROUNDS = 12
PASSES = 250

_GROW = """
    INSERT INTO feed.log (relation, op, key, board, old, new, version, actor, db_user, pid)
    SELECT 'opportunities', 'update', 'o' || n %% 1000, 'b' || n %% 10, '{"phase": "new"}', '{"phase": "won"}', 2, 'ana', 'app', 1
    FROM generate_series(1, %s::int) AS n
"""


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    costs: dict[int, float] = {}
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as conn:
        await prepare_prefetch(conn)
        size = 0
        for aim in SIZES:
            while size < aim:
                more = min(PARTITION, aim - size)
                await conn.execute(_GROW, (more,))
                size += more
                await _turn(conn)
            await conn.execute("VACUUM ANALYZE feed.log")
            costs[aim] = await _cost(conn, aim)
            say(f"{aim:,} rows: {costs[aim] * 1e6:.0f} µs per read pass of {FRESH} rows")
    first, *_, last = costs.values()
    return [
        Figure(
            "growth-log",
            "CPU time of a read pass as the log grows from 10^4 to 10^7 rows, relative to 10^4",
            max(last, *costs.values()) / first,
            "×",
            1.5,
            more=False,
            detail={"rows_us": {str(size): cost * 1e6 for size, cost in costs.items()}},
        )
    ]


async def _turn(conn: PsycopgConnection) -> None:
    """Switch to the next partition, as if it were due."""
    await conn.execute("SELECT feed.rotate_partition()")
    while (await (await conn.execute("SELECT feed.maintain()")).fetchone()) != (None,):
        pass


async def _cost(conn: PsycopgConnection, mark: int) -> float:
    """Seconds of CPU time of a read pass."""
    # A cursor that covers a write to the current partition: read passes search all partitions only until its first write.
    await conn.execute("UPDATE opportunities SET company = %s WHERE id = 'o0'", (f"before {mark}",))
    cursor = Cursor.at("", await read_position(conn))
    for n in range(FRESH):
        await conn.execute("UPDATE opportunities SET company = %s WHERE id = %s", (f"{mark}", f"o{n}"))
    found = await conn.execute("SELECT seq FROM feed.log WHERE seq > %s ORDER BY seq", (cursor.anchor,))
    expected = [seq for (seq,) in await found.fetchall()]
    xip = ",".join(map(str, cursor.seen.xip))
    statement = f"EXECUTE changes_since('{cursor.seen.xmax}', '{{{xip}}}', 1001)"
    backend, costs = Process(conn.info.backend_pid), []
    for _ in range(ROUNDS):
        before = backend.cpu()
        for _ in range(PASSES):
            rows = await (await conn.execute(statement, prepare=False)).fetchall()
            if sorted(row[2] for row in rows) != expected or len(expected) != FRESH:
                raise RuntimeError(f"a read pass of {len(expected)} rows found {len(rows)}")
        costs.append((backend.cpu() - before) / PASSES)
    return min(costs)
