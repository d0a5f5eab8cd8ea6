"""32 writers update single rows as fast as they can in four modes: `adaptive`, `always`, NOTIFY off, and
NOTIFY off without a feed.

With NOTIFY off (`boardcast flags notify off`), the same triggers log the writes, and the same feed delivers them once a second. A
comparison with this mode shows what NOTIFY costs. Without a feed, nothing reads the log, and the writers have both cores.

The modes take turns in short runs, so that other load on the machine affects all of them. Each figure is the median of the ratios
of all rounds. Before each run, the writers write for one second, so that query plans are cached and the pacer has settled. The
output also shows how long changes took from the trigger to the client. Checks: pgbench and the log agree on the number of committed
updates, and every client of the feed gets each update once.
"""

import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg

from tests.bench.checker import arrived, complete
from tests.bench.figure import Figure
from tests.bench.pgbench import Written, update
from tests.bench.quantile import summary
from tests.bench.stage import CARDS, Stage
from tests.bench.suppress_notify import notify_suppressed

WRITERS = 32
READERS = 3
ROUNDS = 9
RUN = 2
WARM_UP = 1
"""Seconds of a run, and of the warm-up before it."""

AGAINST = {
    "off": "NOTIFY off",
    "unread": "NOTIFY off and no feed",
    "always": "`always`",
}
_TURNS = 1_000_000
"""More updates than a writer makes in a run, so that no mark is written twice."""

Connection = psycopg.AsyncConnection[tuple[int, int]]


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    rates: dict[str, list[float]] = {mode: [] for mode in ("unread", "off", "adaptive", "always")}
    seconds = max(1, on.lasting(len(rates) * ROUNDS * RUN) // (len(rates) * ROUNDS))
    latencies: dict[str, dict[str, float]] = {}
    turn = 0
    say(f"{ROUNDS} rounds of {len(rates)} runs of {seconds} s, {WRITERS} writers")
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as conn:
        for place in range(ROUNDS):
            for mode in rates if place % 2 else reversed(rates):
                if mode == "unread":
                    written = await _unread(on, conn, seconds, turn)
                else:
                    written, latencies[mode] = await _read(on, conn, mode, seconds, turn)
                rates[mode].append(written.rate)
                turn += 2 * _TURNS
            said = ", ".join(f"{mode} {found[-1]:,.0f}" for mode, found in rates.items())
            late = ", ".join(
                f"{mode} {found['median']:.0f} (p95 {found['p95']:.0f})" for mode, found in latencies.items()
            )
            say(f"updates/s: {said}; ms from the trigger to the client: {late}")
    return [_figure(rates, latencies, *aim) for aim in (("off", 0.9), ("unread", 0.9), ("always", 2.5))]


def _figure(rates: dict[str, list[float]], latencies: dict[str, dict[str, float]], other: str, aim: float) -> Figure:
    against = AGAINST[other]
    ratios = [one / two for one, two in zip(rates["adaptive"], rates[other], strict=True)]
    return Figure(
        f"writers_{other}",
        f"{WRITERS} writers, `adaptive`: single-row updates/s, relative to {against}",
        statistics.median(ratios),
        "×",
        aim,
        more=True,
        detail={"ratios": ratios, "updates_per_s": rates, "trigger_to_client_ms": latencies},
    )


async def _write(on: Stage, seconds: int, turn: int) -> tuple[int, Written]:
    """The number of updates committed before the run, and the run."""
    warm = await update(on.url, "opportunities", writers=WRITERS, seconds=WARM_UP, cards=CARDS, first=turn)
    turn += _TURNS
    return warm.updates, await update(
        on.url, "opportunities", writers=WRITERS, seconds=seconds, cards=CARDS, first=turn
    )


async def _unread(on: Stage, conn: Connection, seconds: int, turn: int) -> Written:
    before, _ = await _log(conn)
    async with notify_suppressed(on.url):
        warm, written = await _write(on, seconds, turn)
    after, _ = await _log(conn)
    if after - before != warm + written.updates:
        raise RuntimeError(f"{warm} and {written.updates} updates were committed, and the log grew by {after - before}")
    return written


async def _read(on: Stage, conn: Connection, mode: str, seconds: int, turn: int) -> tuple[Written, dict[str, float]]:
    settings = {"notify_mode": "adaptive" if mode == "off" else mode}
    if mode == "off":
        # A read pass per second finds more than clients get one by one and may leave unread, so both limits are raised.
        settings |= {"resync_threshold": "1000000", "client_budget": "64MiB"}
    async with _notify(conn, on=mode != "off"), on.feed(**settings), on.readers(READERS) as readers:
        _, last = await _log(conn)
        warm, written = await _write(on, seconds, turn)
        await arrived(readers, warm + written.updates)
        epoch = time.time_ns() - time.monotonic_ns()
        rows = await conn.execute(
            "SELECT (new ->> 'company')::bigint, (extract(epoch FROM at) * 1000000)::bigint FROM feed.log WHERE seq > %s",
            (last,),
        )
        logged = {mark: at * 1000 - epoch for mark, at in await rows.fetchall()}
        if len(logged) != warm + written.updates:
            raise RuntimeError(f"{warm} and {written.updates} updates were committed, and the log has {len(logged)}")
        complete(readers, logged)
        waits = [(at - logged[mark]) / 1e6 for reader in readers for at, marks in reader.got for mark in marks]
    return written, summary(waits)


@asynccontextmanager
async def _notify(conn: Connection, *, on: bool) -> AsyncIterator[None]:
    """Writers send NOTIFY, or do not, while the block runs."""
    await conn.execute("SELECT feed.set_notify(%s)", (on,))
    try:
        yield
    finally:
        await conn.execute("SELECT feed.set_notify(true)")


async def _log(conn: Connection) -> tuple[int, int]:
    """The number of updates, and the newest row."""
    row = await (await conn.execute("SELECT count(*) FILTER (WHERE op = 'update'), max(seq) FROM feed.log")).fetchone()
    if row is None:
        raise RuntimeError("the log could not be counted")
    return row
