"""The CPU time that a delivery costs the feed, with 10 to 10,000 clients.

The statements and their rate are the same for each number of clients. The figure is the cost with the most clients, divided by the
lowest cost with fewer clients.
"""

from collections.abc import Callable

from tests.bench import load
from tests.bench.cores import apart
from tests.bench.figure import Figure
from tests.bench.stage import Stage
from tests.bench.tape import complete, followed, following

CLIENTS = (10, 100, 1_000, 10_000)
SIZE = 100
RATE = 500


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    count = RATE * on.lasting(10)
    costs: dict[int, float] = {}
    for clients in CLIENTS:
        async with on.feed() as feed, following(on, clients) as (tape, followers):
            with apart(feed.pid):
                cpu = feed.cpu()
                written = await load.write(on.url, count=count, rate=RATE, size=SIZE)
                await followed(tape, followers, count)
                cpu = feed.cpu() - cpu
        complete(tape, followers, {one.mark: one.due for one in written}, late=60)
        costs[clients] = 1e6 * cpu / (count * clients)
        say(f"{clients:,} clients: {costs[clients]:.3f} µs of processor time per delivery")
    *fewer, most = costs.values()
    what = f"CPU time per delivery with {CLIENTS[-1]:,} clients, relative to the lowest with fewer"
    detail = {"us_per_delivery": {str(clients): cost for clients, cost in costs.items()}, "rows_per_statement": SIZE}
    return [Figure("growth_clients", what, most / min(fewer), "×", 2, more=False, detail=detail)]
