"""Growth with clients: what one delivery costs the feed's processor, from 10 clients to 10,000.

The same statements at the same rate for each number of clients. Each client is compared, byte for byte, with what the others
were told; that has each write once. The figure is the cost with the most clients against the lowest with fewer.
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
    what = f"growth: cost per delivery with {CLIENTS[-1]:,} clients against the lowest with {CLIENTS[0]} and more"
    detail = {"us_per_delivery": {str(clients): cost for clients, cost in costs.items()}, "rows_per_statement": SIZE}
    return [Figure("growth_clients", what, most / min(fewer), "×", 2, more=False, detail=detail)]
