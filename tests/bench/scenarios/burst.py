"""16 writers write single rows as fast as they can. The figure is deliveries per CPU-second of the feed.

The CPU time is the user and kernel time of the feed's process, from the first write to the last delivery. `peers` runs such bursts
with other stacks.
"""

from collections.abc import Callable

from tests.bench import load
from tests.bench.contest import BURST_WRITERS
from tests.bench.cores import apart
from tests.bench.figure import Figure
from tests.bench.stage import Stage
from tests.bench.tape import complete, followed, following

EVENTS = 20_000
CLIENTS = (100, 1_000)
AIM = 1_000_000


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    return [await _part(on, say, clients) for clients in CLIENTS]


async def _part(on: Stage, say: Callable[[str], None], clients: int) -> Figure:
    async with on.feed() as feed, following(on, clients) as (tape, followers):
        with apart(feed.pid):
            cpu = feed.cpu()
            written = await load.write(on.url, count=EVENTS, writers=BURST_WRITERS)
            await followed(tape, followers, EVENTS)
            cpu = feed.cpu() - cpu
    complete(tape, followers, {one.mark: one.due for one in written}, late=60)
    took = (max(one.ended for one in written) - min(one.due for one in written)) / 1e9
    reads = sum(len(follower.times) for follower in followers) / clients
    detail = {"events": EVENTS, "cpu_s": cpu, "writes_per_s": EVENTS / took, "events_per_read": EVENTS / reads}
    say(f"{clients:,} clients: " + ", ".join(f"{key} {value:,.4g}" for key, value in detail.items()))
    what = f"Deliveries per CPU-second of the feed, burst of {EVENTS:,} single-row writes, {clients:,} clients"
    return Figure(f"burst_{clients}", what, EVENTS * clients / cpu, "/s", AIM, more=True, detail=detail)
