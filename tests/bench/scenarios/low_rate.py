"""20 writes/s to 100 WebSocket clients, compared with a bare NOTIFY to one listener.

The two kinds of writes alternate on one connection. Both are timed from the moment COMMIT is sent, with the clock of the process
that receives them.
"""

import asyncio
import time
from collections.abc import Callable

import psycopg

from tests.bench.checker import arrived, complete
from tests.bench.cores import apart
from tests.bench.figure import Figure
from tests.bench.quantile import curve, summary
from tests.bench.stage import CARDS, Stage
from tests.support.until import until

READERS = 100
RATE = 20
WARM_UP = 1


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    sent: dict[int, int] = {}
    bare_sent: dict[int, int] = {}
    bare: dict[int, int] = {}

    async def collect(conn: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        async for notification in conn.notifies():
            bare[int(notification.payload)] = time.monotonic_ns()

    seconds = on.lasting(40)
    async with on.feed() as feed, on.readers(READERS) as readers:
        writer = await psycopg.AsyncConnection.connect(on.url, autocommit=True)
        listener = await psycopg.AsyncConnection.connect(on.url, autocommit=True)
        await listener.execute("LISTEN bare")
        collecting = asyncio.create_task(collect(listener), name="bare listener")
        say(f"{RATE} writes/s for {seconds} s, and as many bare notifications")
        loop = asyncio.get_running_loop()
        begin = loop.time()
        warm = RATE * WARM_UP
        total = warm + RATE * seconds
        with apart(feed.pid):
            for n in range(2 * total):
                await asyncio.sleep(max(0.0, begin + n / (2 * RATE) - loop.time()))
                mark, row = n // 2, f"o{n % CARDS}"
                await writer.execute("BEGIN")
                if n % 2:
                    await writer.execute("UPDATE unfed SET company = %s WHERE id = %s", (str(mark), row), prepare=True)
                    await writer.execute("SELECT pg_notify('bare', %s)", (str(mark),), prepare=True)
                    bare_sent[mark] = time.monotonic_ns()
                else:
                    await writer.execute(
                        "UPDATE opportunities SET company = %s WHERE id = %s", (str(mark), row), prepare=True
                    )
                    sent[mark] = time.monotonic_ns()
                await writer.execute("COMMIT")
            await arrived(readers, total)
            await until(lambda: len(bare) == total, what="the bare notifications")
        collecting.cancel()
        await asyncio.gather(collecting, return_exceptions=True)
        await writer.close()
        await listener.close()

    complete(readers, sent)
    ours = [(at - sent[m]) / 1e6 for r in readers for at, marks in r.got for m in marks if m >= warm]
    theirs = [(bare[m] - at) / 1e6 for m, at in bare_sent.items() if m >= warm]
    figures = summary(ours), summary(theirs)
    for name, values in zip(("boardcast, at every client", "bare NOTIFY, one listener"), figures, strict=True):
        say(f"{name}: " + ", ".join(f"{key} {value:g}" for key, value in values.items()) + " ms")
    detail = {
        "ours_ms": figures[0],
        "bare_ms": figures[1],
        "ours_curve_ms": curve(ours),
        "bare_curve_ms": curve(theirs),
    }
    what = f"Latency at {RATE} writes/s, {READERS} WebSocket clients, relative to a bare LISTEN: "
    return [
        Figure(
            "low_rate_median",
            what + "median",
            figures[0]["median"] / figures[1]["median"],
            "×",
            2,
            more=False,
            detail=detail,
        ),
        Figure("low_rate_p99", what + "p99", figures[0]["p99"] / figures[1]["p99"], "×", 4, more=False),
    ]
