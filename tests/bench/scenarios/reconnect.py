"""5,000 WebSocket clients reconnect at once, with 200 distinct cursors, to a feed that has just started.

The feed's replay buffer is empty, so all events that the clients missed come from the log. Before that, the same clients reconnect
to the feed that issued the cursors. That feed still has the batches in memory and must not read the log. Check: each client gets
exactly the events after its cursor, each once and in order, and then one new event.
"""

import asyncio
import re
import time
import urllib.request
from collections.abc import Callable, Sequence

import psycopg

from tests.bench.cores import apart
from tests.bench.feed import Feed
from tests.bench.figure import Figure
from tests.bench.returner import Returner, check_each_once, connect_returner, wait_for_events
from tests.bench.stage import CARDS, Stage

CLIENTS = 5_000
CURSORS = 200
_READS = re.compile(r'^boardcast_log_reads_total\{reader="\w+"\} (\S+)$', re.MULTILINE)


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    places = [n % CURSORS for n in range(CLIENTS)]
    async with on.feed() as feed:
        with apart(feed.pid):
            cursors, seqs = await _history(on, feed)
            say(f"{CLIENTS:,} clients reconnect with {CURSORS} distinct cursors, to the feed that issued them")
            warm = await _reconnect_all(on, feed, cursors, seqs, places)
            say(", ".join(f"{name} {value:g}" for name, value in warm.items()))
    async with on.feed() as feed:
        with apart(feed.pid):
            say("the same, to a feed that has just started")
            new = await _reconnect_all(on, feed, cursors, seqs, places)
            say(", ".join(f"{name} {value:g}" for name, value in new.items()))
    if warm["reads"]:
        raise RuntimeError("the log was read for events that are in the replay buffer")
    what = f"{CLIENTS:,} clients reconnect at once with {CURSORS} distinct cursors: "
    detail = {"new_feed": new, "replay_buffer": warm}
    return [
        Figure("reconnect", what + "time until all are caught up", new["seconds"], "s", 10, more=False, detail=detail),
        Figure("reconnect_reads", what + "reads of the log", new["reads"], "", CURSORS, more=False),
    ]


async def _history(on: Stage, feed: Feed) -> tuple[list[str], list[int]]:
    """Write events one by one. Return the cursor before each event, and the seq of each event."""
    cursors: list[str] = []
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as writer:
        client = await connect_returner(feed.port, on.tokens[0])
        await client.live
        for n in range(CURSORS):
            cursors.append(client.cursor)
            await _write(writer, n)
            await wait_for_events(client, n + 1)
        client.close()
        seqs = list(client.seqs)
    if len(set(cursors)) != CURSORS:
        raise RuntimeError("the cursors are not distinct")
    return cursors, seqs


async def _reconnect_all(
    on: Stage, feed: Feed, cursors: Sequence[str], seqs: list[int], places: Sequence[int]
) -> dict[str, float]:
    reads, cpu, begin = await _reads(feed), feed.cpu(), time.monotonic()
    clients: list[Returner] = await asyncio.gather(
        *(
            connect_returner(feed.port, on.tokens[n % len(on.tokens)], cursor=cursors[place])
            for n, place in enumerate(places)
        )
    )
    try:
        await asyncio.gather(*(client.live for client in clients))
        result = {"seconds": time.monotonic() - begin, "feed_cpu_s": feed.cpu() - cpu}
        result |= {"reads": await _reads(feed) - reads, "memory_mb": feed.memory()[1]}
        check_each_once([(client, seqs[place:]) for client, place in zip(clients, places, strict=True)])
        async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as writer:
            await _write(writer, len(seqs))
        for client, place in zip(clients, places, strict=True):
            await wait_for_events(client, len(seqs) - place + 1)
        seqs.append(clients[0].seqs[-1])
        check_each_once([(client, seqs[place:]) for client, place in zip(clients, places, strict=True)])
    finally:
        for client in clients:
            client.close()
    await asyncio.gather(*(client.ended for client in clients))
    return result


async def _write(writer: psycopg.AsyncConnection[tuple[object, ...]], n: int) -> None:
    await writer.execute("UPDATE opportunities SET title = %s WHERE id = %s", (f"title {n}", f"o{n % CARDS}"))


async def _reads(feed: Feed) -> float:
    def ask() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{feed.port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    return sum(map(float, _READS.findall(await asyncio.to_thread(ask))))
