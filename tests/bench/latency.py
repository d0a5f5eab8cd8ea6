"""From COMMIT to the client: `python -m tests.bench.latency`. Some two minutes; nothing else should run meanwhile.

Every time is from one monotonic clock, of the process that reads; the feed, PostgreSQL and the writers of `busy` are processes of
their own. Clients are elsewhere in life, so the feed has a processor to itself and this process another one, where there are
two; PostgreSQL may use both.
"""

import argparse
import asyncio
import gc
import json
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import psycopg
import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench.feed import Feed
from tests.bench.reader import Reader
from tests.bench.stage import CARDS, Stage, stage
from tests.support.until import until

READERS = 100
IDLE = 1000
CALM_RATE = 20
BUSY_RATE = 1000
WRITERS = 4
WARM_UP = 1.0

console = Console(highlight=False, soft_wrap=True)


async def calm(on: Stage, seconds: int) -> None:
    """20 writes/s, each beside one round trip of a bare LISTEN, on the same connection."""
    sent: dict[int, int] = {}
    bare_sent: dict[int, int] = {}
    bare: dict[int, int] = {}

    async def hear(conn: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        async for notification in conn.notifies():
            bare[int(notification.payload)] = time.monotonic_ns()

    async with on.feed() as feed, on.readers(READERS) as readers, _apart(feed):
        writer = await psycopg.AsyncConnection.connect(on.url, autocommit=True)
        listener = await psycopg.AsyncConnection.connect(on.url, autocommit=True)
        await listener.execute("LISTEN bare")
        hearing = asyncio.create_task(hear(listener), name="bare listener")
        loop = asyncio.get_running_loop()
        begin = loop.time()
        warm = int(CALM_RATE * WARM_UP)
        total = warm + CALM_RATE * seconds
        for n in range(2 * total):
            await asyncio.sleep(max(0.0, begin + n / (2 * CALM_RATE) - loop.time()))
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
        await _arrived(readers, total)
        await until(lambda: len(bare) == total, what="the bare notifications")
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        await writer.close()
        await listener.close()

    _complete(readers, range(total))
    ours = [(at - sent[m]) / 1e6 for r in readers for at, marks in r.got for m in marks if m >= warm]
    theirs = [(bare[m] - at) / 1e6 for m, at in bare_sent.items() if m >= warm]
    table = _table(f"calm: {CALM_RATE} writes/s, {READERS} WebSocket clients; ms from sending COMMIT to its arrival")
    table.add_row("boardcast, at every client", str(len(ours)), *_quantiles(ours))
    table.add_row("bare NOTIFY, one listener", str(len(theirs)), *_quantiles(theirs))
    console.print(table)
    ratio = _at(sorted(ours), 0.5) / _at(sorted(theirs), 0.5)
    console.print(f"ratio of the medians: {ratio:.2f} (at most 3)\n")


async def busy(on: Stage, seconds: int) -> None:
    """1,000 writes/s by 4 writers, open loop."""
    async with on.feed() as feed, on.readers(READERS) as readers, _apart(feed):
        cpu, begin = feed.cpu(), time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.writers", on.url),
            *map(str, (BUSY_RATE, BUSY_RATE * (seconds + int(WARM_UP)), WRITERS, CARDS)),
            stdout=asyncio.subprocess.PIPE,
        )
        os.sched_setaffinity(process.pid, os.sched_getaffinity(os.getppid()))
        output, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError("the writers failed")
        done: list[tuple[int, int, int]] = json.loads(output)
        await _arrived(readers, len(done))
        cpu, took = feed.cpu() - cpu, time.monotonic() - begin
        memory, most = feed.memory()

    _complete(readers, [mark for mark, _, _ in done])
    warm = BUSY_RATE * WARM_UP
    due = {mark: at for mark, at, _ in done if mark >= warm}
    waits = [(at - due[m]) / 1e6 for r in readers for at, marks in r.got for m in marks if m in due]
    acknowledged = {mark: ended for mark, _, ended in done if mark >= warm}
    after = [(at - acknowledged[m]) / 1e6 for r in readers for at, marks in r.got for m in marks if m in due]
    commits = [(ended - at) / 1e6 for mark, at, ended in done if mark >= warm]
    table = _table(
        f"busy: {BUSY_RATE} writes/s by {WRITERS} writers, {READERS} WebSocket clients; ms since a write was due"
    )
    table.add_row("at every client", str(len(waits)), *_quantiles(waits))
    table.add_row("its commit, at the writer", str(len(commits)), *_quantiles(commits))
    table.add_row("at every client, since its commit", str(len(after)), *_quantiles(after))
    console.print(table)
    console.print(
        f"every client got each of {len(done)} events once. Feed: {memory:.0f} MB resident (highest {most:.0f}; below 128), "
        f"{100 * cpu / took:.0f} % of a core. p95 is to be below 100 ms\n"
    )


async def idle(on: Stage, seconds: int) -> None:
    """1,000 clients and no write."""
    async with on.feed() as feed, on.readers(IDLE) as readers, _apart(feed):
        await asyncio.sleep(2 * WARM_UP)  # what connecting left to do is no idling
        cpu, begin = feed.cpu(), time.monotonic()
        await asyncio.sleep(seconds)
        used, took = feed.cpu() - cpu, time.monotonic() - begin
        memory, _ = feed.memory()
        if any(reader.lost for reader in readers):
            raise RuntimeError("a client was lost")
    console.print(
        f"idle: {IDLE} WebSocket clients: {100 * used / took:.2f} % of a core (below 1), {memory:.0f} MB resident",
    )


async def _arrived(readers: Sequence[Reader], total: int) -> None:
    def told() -> list[int]:
        return [sum(len(marks) for _, marks in reader.got) for reader in readers]

    try:
        await until(lambda: min(told()) >= total, timeout=20, what="the last event at every client")
    except AssertionError as error:
        lost = sum(reader.lost for reader in readers)
        raise RuntimeError(
            f"of {total} events clients got {min(told())} to {max(told())}; {lost} were closed"
        ) from error


def _complete(readers: Sequence[Reader], marks: Iterable[int]) -> None:
    expected = sorted(marks)
    for reader in readers:
        if sorted(m for _, told in reader.got for m in told) != expected:
            raise RuntimeError("a client did not get each event once")


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in ("samples", "median", "p95", "p99", "highest"):
        table.add_column(name, justify="right")
    return table


def _quantiles(values: list[float]) -> list[str]:
    values.sort()
    return [f"{_at(values, q):.2f}" for q in (0.5, 0.95, 0.99, 1.0)]


def _at(ordered: Sequence[float], quantile: float) -> float:
    return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]


async def measure(on: Stage, which: Sequence[str], seconds: int) -> None:
    for name, part in (("calm", calm), ("busy", busy), ("idle", idle)):
        if name in which:
            gc.collect()
            await part(on, seconds)


@asynccontextmanager
async def _apart(feed: Feed) -> AsyncIterator[None]:
    """Keep the feed and its clients off each other's processor: the kernel else wakes a reader on that of its writer."""
    allowed = os.sched_getaffinity(0)
    first, *others = sorted(allowed)
    os.sched_setaffinity(feed.pid, {first})
    os.sched_setaffinity(0, others or {first})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="*", help="calm, busy, idle; without any, all of them")
    parser.add_argument("--seconds", type=int, default=20)
    chosen = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.freeze()
    with stage() as on:
        uvloop.run(measure(on, chosen.which or ("calm", "busy", "idle"), chosen.seconds))


if __name__ == "__main__":
    main()
