"""100 WebSocket clients of one board: 1,000 single-row writes/s, then 10,000 rows/s in statements of 50.

The next write is due on schedule, even if the previous one took long.
"""

import time
from collections.abc import Callable

from tests.bench import load
from tests.bench.cores import apart
from tests.bench.figure import Figure
from tests.bench.stage import Stage
from tests.bench.stalls import stalls
from tests.bench.tape import complete, followed, following, quantile, waits

READERS = 100
WRITERS = 16
"""With fewer, writers fall behind their schedule when fsync is slow, and the figure would measure the disk."""
WARM_UP = 1


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    one = await _part(on, say, rate=1_000, size=1, seconds=on.lasting(60))
    many = await _part(on, say, rate=10_000, size=50, seconds=on.lasting(30))
    single = f"1,000 single-row writes/s, {READERS} clients: latency, "
    million = f"10,000 rows/s in statements of 50, {READERS} clients (a million deliveries/s): latency, p99"
    return [
        Figure("high_rate_p95", single + "p95", one["p95"], "ms", 50, more=False, detail=one),
        Figure("high_rate_p99", single + "p99", one["p99"], "ms", 100, more=False),
        Figure("million_p99", million, many["p99"], "ms", 250, more=False, detail=many),
    ]


async def _part(on: Stage, say: Callable[[str], None], *, rate: int, size: int, seconds: int) -> dict[str, float]:
    async with on.feed() as feed, following(on, READERS) as (tape, followers), stalls(on.port) as answers:
        with apart(feed.pid):
            cpu, begin = feed.cpu(), time.monotonic()
            written = await load.write(on.url, count=rate * (WARM_UP + seconds), rate=rate, writers=WRITERS, size=size)
            await followed(tape, followers, len(written))
            cpu, took = feed.cpu() - cpu, time.monotonic() - begin
        memory, most = feed.memory()
    complete(tape, followers, {one.mark: one.due for one in written})
    warm = rate * WARM_UP
    counted = waits(tape, followers, {one.mark: one.due for one in written if one.mark >= warm})
    commits = sorted((one.ended - one.due) / 1e6 for one in written if one.mark >= warm)
    result = {
        "deliveries": counted.total(),
        **{name: quantile(counted, q) for name, q in (("median", 0.5), ("p95", 0.95), ("p99", 0.99), ("highest", 1.0))},
        "commit_p99": commits[int(0.99 * len(commits))],
        "longest_answer": max(answers),
        "feed_core": cpu / took,
        "feed_mb": memory,
        "feed_mb_highest": most,
    }
    say(
        f"{rate:,} rows/s in statements of {size}: " + ", ".join(f"{key} {value:,.4g}" for key, value in result.items())
    )
    return result
