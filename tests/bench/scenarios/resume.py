"""One WebSocket client resumes over 100,000 events, on 25 boards with 4,000 events each. It does so five times.

The time is measured from connecting until the client is live. The memory growth is the feed's peak memory minus its memory before
the client connects. The feed read these events when they were written, and they filled its replay buffer. Check: the client gets
each event once, and the events of each card in order.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable

import psycopg

from tests.bench.cores import apart
from tests.bench.feed import Feed
from tests.bench.figure import Figure
from tests.bench.process import Process
from tests.bench.returner import Returner, connect_returner
from tests.bench.stage import Stage

EVENTS = 100_000
BOARDS = 25
CARDS = 1_000
SIZE = 10
TIMES = 5
_PATIENCE = 120.0

Connection = psycopg.AsyncConnection[tuple[object, ...]]


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as writer:
        await _boards(writer, on.tokens[0][0])
        async with on.feed() as feed:
            first = await connect_returner(feed.port, on.tokens[0])
            await first.live
            first.close()
            say(f"{EVENTS:,} events are written while it is away")
            await _write(writer)
            expected = await _log(writer, first.cursor)
            rates, grown = [], 0.0
            for _ in range(TIMES):
                before, _ = feed.memory()
                feed.reset_memory()
                rate, detail = await _resume(on, feed, writer, first.cursor, expected)
                grown = max(grown, feed.memory()[1] - before)
                rates.append(rate)
                say(f"{rate:,.0f} events/s; " + ", ".join(f"{name} {value:.3g}" for name, value in detail.items()))
    rates.sort()
    what = f"Resume over {EVENTS:,} events"
    raw = {"events_per_s": rates, **detail}
    return [
        Figure("resume", what + ": rate", rates[len(rates) // 2], "events/s", 50_000, more=True, detail=raw),
        Figure("resume_memory", what + ": memory growth of the feed", grown, "MB", 32, more=False),
    ]


async def _boards(writer: Connection, user: str) -> None:
    await writer.execute(
        "INSERT INTO feed.boards (id, name, phases) SELECT 'r' || n, 'R', '[]' FROM generate_series(1, %s) AS n",
        (BOARDS,),
    )
    await writer.execute(
        "INSERT INTO feed.board_members (board_id, user_id, role) SELECT id, %s, 'viewer' FROM feed.boards ON CONFLICT DO NOTHING",
        (user,),
    )
    await writer.execute(
        "INSERT INTO opportunities (id, board_id, title, company, contact, value, phase, notes) "
        "SELECT 'r' || n, 'r' || n %% %s + 1, 'A deal of some size', 'A company', 'Somebody', 1234.56, 'proposal', "
        "repeat('What was said. ', 10) FROM generate_series(0, %s) AS n",
        (BOARDS, CARDS - 1),
    )


async def _write(writer: Connection) -> None:
    for n in range(EVENTS // SIZE):
        cards = [f"r{(n * SIZE + place) % CARDS}" for place in range(SIZE)]
        await writer.execute(
            "UPDATE opportunities SET company = %s WHERE id = ANY (%s)", (f"resume {n}", cards), prepare=True
        )


async def _log(writer: Connection, cursor: str) -> dict[int, str]:
    """The events after a cursor: seq, and which card's."""
    anchor = int(cursor.split(".")[4])
    found = await (await writer.execute("SELECT seq, key FROM feed.log WHERE seq > %s", (anchor,))).fetchall()
    if len(found) != EVENTS:
        raise RuntimeError(f"{len(found)} events were written")
    return {int(str(seq)): str(key) for seq, key in found}


async def _resume(
    on: Stage, feed: Feed, conn: Connection, cursor: str, expected: dict[int, str]
) -> tuple[float, dict[str, float]]:
    with apart(feed.pid):
        server, cpu, own, begin = await _server(conn), feed.cpu(), time.process_time(), time.monotonic()
        client = await connect_returner(feed.port, on.tokens[0], cursor=cursor)
        async with asyncio.timeout(_PATIENCE):
            await client.live
        took = time.monotonic() - begin
        detail = {"feed_cpu_s": feed.cpu() - cpu, "client_cpu_s": time.process_time() - own}
        detail["postgres_cpu_s"] = await _server(conn) - server
    client.close()
    _check(client, expected)
    return EVENTS / took, detail


async def _server(conn: Connection) -> float:
    """Seconds of processor time of the backends that serve the feed."""
    found = await conn.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'boardcast-feed'")
    return sum(Process(int(str(pid))).cpu() for (pid,) in await found.fetchall())


def _check(client: Returner, expected: dict[int, str]) -> None:
    if len(client.seqs) != EVENTS or set(client.seqs) != expected.keys():
        raise RuntimeError(f"of {EVENTS} events {len(client.seqs)} came, {len(set(client.seqs))} different ones")
    cards: defaultdict[str, list[int]] = defaultdict(list)
    for seq in client.seqs:
        cards[expected[seq]].append(seq)
    if any(seqs != sorted(seqs) for seqs in cards.values()):
        raise RuntimeError("a card's events came out of their order")
