"""One transaction updates 200,000 rows of a board. 100 WebSocket clients see that board and another one.

Meanwhile, the other board gets 50 writes a second, and the latency of these writes is a figure. Each client gets one resync for the
large change. The client then loads the board from the table, as it would through the API, and applies later events to it. Check: in
the end, the rows of each client equal the table.
"""

import asyncio
import re
import time
from collections.abc import Callable, Sequence

import psycopg

from tests.bench import load
from tests.bench.cores import apart
from tests.bench.figure import Figure
from tests.bench.quantile import curve, summary
from tests.bench.returner import Returner, connect_returner
from tests.bench.stage import Stage
from tests.support.until import until

READERS = 100
ROWS = 200_000
RATE = 50
BEFORE = 5
AFTER = 10
LAST = 20
"""Writes to the large board at the end, so that each client has events to apply to its snapshot."""
_CHANGED = re.compile(rb'"opportunityId":"(\w+)","changes":\{[^}]*"company": "(\w+)"')
_RESYNC = re.compile(rb'"type":"resync","reason":"bulk","table":"opportunities","count":(\d+),"boardId":"(\w+)"')
_PATIENCE = 60.0
_SEGMENTS = 96
"""Of 16 MB: more than the large transaction needs."""
_PART = 500
"""Rows of the large board that are read at a time."""


class Watcher:
    """One client: `times` of arrival (ns) of each mark of the other board, and its copy of the large board."""

    def __init__(self) -> None:
        self.client: Returner
        self.times: dict[int, list[int]] = {}
        self.resyncs: list[int] = []
        self.base: dict[str, str] = {}
        self.later: dict[str, str] = {}

    def read(self, data: bytes) -> None:
        now = time.monotonic_ns()
        if found := _RESYNC.search(data):
            self.resyncs.append(int(found[1]))
            self.later.clear()
        for card, company in _CHANGED.findall(data):
            if card.startswith(b"o"):
                self.times.setdefault(int(company), []).append(now)
            else:
                self.later[card.decode()] = company.decode()

    def ends_with(self, table: dict[str, str]) -> bool:
        return len(self.base) == len(table) and all(
            self.later.get(card, company) == table[card] for card, company in self.base.items()
        )


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as writer:
        await _board(writer)
        await _segments(writer)
        async with on.feed() as feed:
            watchers = [Watcher() for _ in range(READERS)]
            for watcher, person in zip(watchers, on.tokens, strict=False):
                watcher.client = await connect_returner(feed.port, person, on_frames=watcher.read)
                await watcher.client.live
            with apart(feed.pid):
                count = RATE * (BEFORE + AFTER + 40)
                writing = asyncio.create_task(load.write(on.url, count=count, rate=RATE), name="writing")
                await asyncio.sleep(BEFORE)
                feed.reset_memory()
                say(f"UPDATE of {ROWS:,} rows, and {RATE} writes/s to another board")
                begin = time.monotonic()
                await writer.execute("UPDATE opportunities SET company = 'bulk' WHERE board_id = 'bulk'")
                took = time.monotonic() - begin
                say(f"committed after {took:.1f} s")
                await until(lambda: all(w.resyncs for w in watchers), timeout=_PATIENCE, what="a resync at each client")
                resync = time.monotonic() - begin - took
                base = await _table(writer)
                for watcher in watchers:
                    watcher.base = base
                written = await writing
                await _last(writer, watchers)
                memory = feed.memory()[1]
            for watcher in watchers:
                watcher.client.close()
        _check(watchers, written, await _table(writer))
    began = int((begin - 0.5) * 1e9)
    until_ns = int((begin + took + AFTER) * 1e9)
    due = {one.mark: one.due for one in written if began <= one.due <= until_ns}
    waits = [(at - due[mark]) / 1e6 for w in watchers for mark, times in w.times.items() if mark in due for at in times]
    others_ms = summary(waits)
    others = ", ".join(f"{name} {value:g}" for name, value in others_ms.items())
    say(f"resync {resync:.2f} s after the commit; other board: {others} ms")
    what = f"UPDATE of {ROWS:,} rows in one transaction, {READERS} clients: "
    detail = {"update_s": took, "resync_s": resync, "others_ms": others_ms, "others_curve_ms": curve(waits)}
    return [
        Figure("bulk_memory", what + "peak memory of the feed", memory, "MB", 256, more=False, detail=detail),
        Figure("bulk_others", what + "latency of other boards, p99", others_ms["p99"], "ms", 250, more=False),
    ]


async def _segments(writer: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    """Create the server's WAL files in advance: in a new cluster, commits wait while each file is filled with zeros."""
    await writer.execute("ALTER SYSTEM SET min_wal_size = '2GB'")
    await writer.execute("SELECT pg_reload_conf()")
    for _ in range(_SEGMENTS):
        await writer.execute("SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()")
    await writer.execute("CHECKPOINT")


async def _board(writer: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    await writer.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('bulk', 'Bulk', '[]')")
    await writer.execute(
        "INSERT INTO feed.board_members (board_id, user_id, role) SELECT 'bulk', id, 'viewer' FROM users"
    )
    await writer.execute(
        "INSERT INTO opportunities (id, board_id, title, company, contact, value, phase, notes) "
        "SELECT 'k' || n, 'bulk', 'A deal of some size', 'A company', 'Somebody', 1234.56, 'proposal', "
        "repeat('What was said. ', 10) FROM generate_series(1, %s) AS n",
        (ROWS,),
    )
    await writer.execute("VACUUM ANALYZE")


async def _table(writer: psycopg.AsyncConnection[tuple[object, ...]]) -> dict[str, str]:
    """Read the large board in parts: to read it at once would delay the events that arrive meanwhile."""
    table: dict[str, str] = {}
    async with writer.transaction(), writer.cursor("board") as cursor:
        await cursor.execute("SELECT id, company FROM opportunities WHERE board_id = 'bulk'")
        while rows := await cursor.fetchmany(_PART):
            table.update((str(card), str(company)) for card, company in rows)
    return table


async def _last(writer: psycopg.AsyncConnection[tuple[object, ...]], watchers: Sequence[Watcher]) -> None:
    for n in range(LAST):
        await writer.execute("UPDATE opportunities SET company = %s WHERE id = %s", (f"last{n}", f"k{n + 1}"))
    await until(
        lambda: all(w.later.get(f"k{LAST}") == f"last{LAST - 1}" for w in watchers),
        timeout=_PATIENCE,
        what="the last write",
    )


def _check(watchers: Sequence[Watcher], written: Sequence[load.Written], table: dict[str, str]) -> None:
    marks = {one.mark for one in written}
    for watcher in watchers:
        if watcher.resyncs != [ROWS]:
            raise RuntimeError(f"a client got resyncs for {watcher.resyncs} changes instead of {ROWS}")
        if watcher.times.keys() != marks or any(len(times) != 1 for times in watcher.times.values()):
            raise RuntimeError("a client did not get each write to the other board once")
        if not watcher.ends_with(table):
            raise RuntimeError("the rows of a client do not equal the table")
