"""One of 101 WebSocket clients stops reading during a million deliveries. In a run before and a run after, all clients read.

The latency of the other clients is compared with these two runs. The memory growth is the feed's peak memory minus its memory at
the start of the same run. Check: after the slow client reads again, its rows equal the table, and it has received fewer events than
were written.
"""

import re
import time
from collections.abc import Callable

import psycopg

from tests.bench import load
from tests.bench.cores import apart
from tests.bench.feed import Feed
from tests.bench.figure import Figure
from tests.bench.load import Written
from tests.bench.returner import Returner, connect_returner
from tests.bench.stage import Stage
from tests.bench.tape import complete, followed, following, quantile, waits
from tests.support.until import until

READERS = 100
RATE = 500
COUNT = 10_000
BUFFER = 16 * 1024
FILL = 40_000
PLACES = 20_000
_CHANGED = re.compile(rb'"opportunityId":"(o\d+)","changes":\{[^}]*"company": "(\d+)"')


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    count = RATE * on.seconds if on.seconds else COUNT
    p99: list[float] = []
    grown: list[float] = []
    async with on.feed() as feed:
        # Fill the feed's replay buffer, with events and with cursors, so that it does not grow later.
        await load.write(on.url, count=FILL, size=50)
        await load.write(on.url, count=PLACES, rate=RATE, first=FILL)
        with apart(feed.pid):
            for turn, slow in enumerate((False, True, False)):
                latency, more = await _turn(on, feed, FILL + PLACES + turn * count, count, slow=slow)
                p99.append(latency)
                grown.append(more)
                say(
                    f"{'one stops reading' if slow else 'all read'}: p99 {latency:.2f} ms, the feed grows by {more:.1f} MB"
                )
    before, among, after = p99
    ratio = 100 * (2 * among / (before + after) - 1)
    what = f"One client stops reading during {count * READERS:,} deliveries: "
    detail = {"p99_ms": p99, "grown_mb": grown}
    return [
        Figure("slow_memory", what + "memory growth of the feed", grown[1], "MB", 4, more=False, detail=detail),
        Figure("slow_others", what + "change of the others' p99 latency", ratio, "%", 20, more=False),
    ]


async def _turn(on: Stage, feed: Feed, first: int, count: int, *, slow: bool) -> tuple[float, float]:
    async with following(on, READERS) as (tape, followers):
        received: dict[str, int] = {}

        def note(data: bytes) -> None:
            received.update((card.decode(), int(mark)) for card, mark in _CHANGED.findall(data))

        sleeper: Returner | None = None
        if slow:
            sleeper = await connect_returner(feed.port, on.tokens[READERS], on_frames=note, buffer=BUFFER)
            await sleeper.live
            sleeper.stop_reading()
        before, _ = feed.memory()
        feed.reset_memory()
        written = await load.write(on.url, count=count, rate=RATE, first=first)
        await followed(tape, followers, count)
        grown = feed.memory()[1] - before
        due = {one.mark: one.due for one in written}
        complete(tape, followers, due)
        if sleeper is not None:
            await _wake(on, sleeper, received, written)
        return quantile(waits(tape, followers, due), 0.99), grown


async def _wake(on: Stage, sleeper: Returner, received: dict[str, int], written: list[Written]) -> None:
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as reader:
        found = await (
            await reader.execute("SELECT id, company FROM opportunities WHERE company IS NOT NULL")
        ).fetchall()
    first = min(one.mark for one in written)
    table = {str(card): int(str(company)) for card, company in found if int(str(company)) >= first}
    slept = len(sleeper.seqs)
    begin = time.monotonic()
    sleeper.resume_reading()
    try:
        await until(lambda: received == table, timeout=30, what="the slow client's rows to equal the table")
    except AssertionError as error:
        raise RuntimeError("the rows of the slow client do not equal the table") from error
    finally:
        sleeper.close()
    if len(sleeper.seqs) >= len(written):
        raise RuntimeError(f"the slow client received {len(sleeper.seqs)} events ({slept} before): it was not slow")
    if time.monotonic() - begin > 25:
        raise RuntimeError("the slow client took too long to catch up")
