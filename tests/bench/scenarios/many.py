"""10,000 WebSocket clients follow one board and get all of its events. The figure is the feed's peak memory."""

import time
from collections.abc import Callable

from tests.bench import load
from tests.bench.cores import apart
from tests.bench.figure import Figure
from tests.bench.stage import Stage
from tests.bench.stalls import stalls
from tests.bench.tape import complete, followed, following, quantile, waits

CLIENTS = 10_000
RATE = 50
SIZE = 10


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    count = RATE * on.lasting(20)
    async with on.feed() as feed:
        empty, _ = feed.memory()
        cpu, begin = feed.cpu(), time.monotonic()
        async with following(on, CLIENTS) as (tape, followers):
            connecting = {"connect_s": time.monotonic() - begin, "connect_cpu_s": feed.cpu() - cpu}
            idle, _ = feed.memory()
            say(f"{CLIENTS:,} clients: " + ", ".join(f"{key} {value:,.4g}" for key, value in connecting.items()))
            async with stalls(on.port) as answers:
                with apart(feed.pid):
                    cpu = feed.cpu()
                    written = await load.write(on.url, count=count, rate=RATE, size=SIZE)
                    await followed(tape, followers, len(written))
                    cpu = feed.cpu() - cpu
            _, most = feed.memory()
    complete(tape, followers, {one.mark: one.due for one in written}, late=60)
    counted = waits(tape, followers, {one.mark: one.due for one in written})
    detail = {
        **connecting,
        "empty_mb": empty,
        "connected_mb": idle,
        "kb_per_client": 1000 * (idle - empty) / CLIENTS,
        "deliveries": counted.total(),
        "median_ms": quantile(counted, 0.5),
        "p99_ms": quantile(counted, 0.99),
        "longest_answer_ms": max(answers),
        "cpu_us_per_delivery": 1e6 * cpu / counted.total(),
    }
    say(f"{RATE} rows/s in statements of {SIZE}: " + ", ".join(f"{key} {value:,.4g}" for key, value in detail.items()))
    what = f"{CLIENTS:,} WebSocket clients of one board: peak memory of the feed"
    return [Figure("many", what, most, "MB", 256, more=False, detail=detail)]
