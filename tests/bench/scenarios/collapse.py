"""100 WebSocket clients return after 5,000 changes to 200 cards of one board, three times without and three times with `collapse`.

The time is measured from connecting until the last client is live; the bytes are those that each client receives. The feed has
the changes in its replay buffer. Check: without it, every client gets each event once; with it, one event for each card, with the
card's newest version.
"""

import asyncio
import re
import statistics
import time
from collections.abc import Callable

import psycopg

from tests.bench.cores import apart
from tests.bench.feed import Feed
from tests.bench.figure import Figure
from tests.bench.returner import Returner, check_each_once, connect_returner, wait_for_events
from tests.bench.stage import Stage

EVENTS = 5_000
CARDS = 200
CLIENTS = 100
TIMES = 3
_EVENT = re.compile(rb'"opportunityId":"(c\d+)".*?"version":(\d+)')

Connection = psycopg.AsyncConnection[tuple[object, ...]]


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as writer:
        board = await _cards(writer, [user for user, _ in on.tokens])
        async with on.feed() as feed:
            first = await connect_returner(feed.port, on.tokens[0], boards=[board])
            await first.live
            cursor = first.cursor
            for n in range(EVENTS):
                await writer.execute(
                    "UPDATE opportunities SET value = %s WHERE id = %s", (n, f"c{n % CARDS}"), prepare=True
                )
            seqs = await _seqs(writer)
            await wait_for_events(first, EVENTS, patience=60)
            versions = await _versions(writer)
            times: dict[bool, list[float]] = {False: [], True: []}
            sizes: dict[bool, float] = {}
            for _ in range(TIMES):
                for collapse in (False, True):
                    sizes[collapse], took = await _return(on, feed, board, cursor, collapse=collapse)
                    times[collapse].append(took)
                    say(f"collapse {collapse}: {sizes[collapse] / 1e6:.3f} MB each, {took:.2f} s")
            await _check(on, feed, board, cursor, seqs, versions)
    what = f"{CLIENTS} clients return after {EVENTS:,} changes to {CARDS} cards, asking for the newest states"
    raw = {"s": times[True], "s_without": times[False], "mb_without": sizes[False] / 1e6}
    return [
        Figure("collapse", what + ": data for each", sizes[True] / 1e6, "MB", 0.12, more=False, detail=raw),
        Figure("collapse_time", what + ": until all are live", statistics.median(times[True]), "s", 0.4, more=False),
    ]


async def _cards(writer: Connection, users: list[str]) -> str:
    await writer.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('c', 'C', '[]')")
    await writer.execute(
        "INSERT INTO feed.board_members (board_id, user_id, role) SELECT 'c', unnest(%s::text[]), 'viewer'", (users,)
    )
    await writer.execute(
        "INSERT INTO opportunities (id, board_id, title, company, contact, phase) "
        "SELECT 'c' || n, 'c', 'A deal of some size', 'A company', 'Somebody', 'proposal' FROM generate_series(0, %s) AS n",
        (CARDS - 1,),
    )
    return "c"


async def _seqs(writer: Connection) -> list[int]:
    found = await writer.execute("SELECT seq FROM feed.log WHERE board = 'c' ORDER BY seq DESC LIMIT %s", (EVENTS,))
    return [int(str(seq)) for (seq,) in await found.fetchall()][::-1]


async def _versions(writer: Connection) -> dict[str, int]:
    found = await writer.execute("SELECT id, version_number FROM opportunities WHERE board_id = 'c'")
    return {str(card): int(str(version)) for card, version in await found.fetchall()}


async def _return(on: Stage, feed: Feed, board: str, cursor: str, *, collapse: bool) -> tuple[float, float]:
    """Return the bytes that a client received, and the seconds until all were live."""
    received = 0

    def count(data: bytes) -> None:
        nonlocal received
        received += len(data)

    with apart(feed.pid):
        begin = time.monotonic()
        clients = await _connect(on, feed, board, cursor, count, collapse=collapse)
        took = time.monotonic() - begin
    await _close(clients)
    return received / CLIENTS, took


async def _connect(
    on: Stage, feed: Feed, board: str, cursor: str, on_frames: Callable[[bytes], None], *, collapse: bool
) -> list[Returner]:
    clients = await asyncio.gather(
        *(
            connect_returner(
                feed.port,
                person,
                on_frames=on_frames,
                cursor=cursor,
                boards=[board],
                batch=True,
                collapse=collapse,
            )
            for person in on.tokens[1 : 1 + CLIENTS]
        )
    )
    async with asyncio.timeout(60):
        await asyncio.gather(*(client.live for client in clients))
    return clients


async def _close(clients: list[Returner]) -> None:
    for client in clients:
        client.close()
    await asyncio.gather(*(client.ended for client in clients))


async def _check(on: Stage, feed: Feed, board: str, cursor: str, seqs: list[int], versions: dict[str, int]) -> None:
    clients = await _connect(on, feed, board, cursor, lambda _: None, collapse=False)
    check_each_once([(client, seqs) for client in clients])
    await _close(clients)
    found: list[tuple[bytes, bytes]] = []
    await _close(
        await _connect(on, feed, board, cursor, lambda data: found.extend(_EVENT.findall(data)), collapse=True)
    )
    newest = sorted((card.encode(), b"%d" % version) for card, version in versions.items())
    if sorted(found) != sorted(newest * CLIENTS):
        raise RuntimeError(f"{len(found)} events came, not the newest version of each of {CARDS} cards {CLIENTS} times")
