"""32 writers, one row each as fast as they can: with the governor, with a bell for each write, with none, and with nobody to hear.

Without a bell (`boardcast flags notify off`) the same trigger writes and the same feed delivers, each second: what the bell costs.
Unread, there is no feed either: nobody is woken, nothing is read, and both processors are the writers'. Short runs in turn, so
that what else the machine does falls on all; the figures are medians of the rounds' ratios. Where there is a feed, each of its
clients is checked to have got every update that the log says was committed once, and the log to have as many as pgbench
committed. How long a change took from its trigger to the client is told beside it. Before each run its writers write for a second:
the figures are of what goes on, with the plans made and the pacer in its mode.
"""

import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg

from tests.bench.checker import arrived, complete
from tests.bench.figure import Figure
from tests.bench.pgbench import Written, update
from tests.bench.pulse import silent
from tests.bench.quantile import summary
from tests.bench.stage import CARDS, Stage

WRITERS = 32
READERS = 3
ROUNDS = 9
RUN = 2
WARM_UP = 1
"""Seconds of each."""

AGAINST = {
    "off": "the same trigger and feed with the bell off",
    "unread": "the same trigger with the bell off and nobody who reads",
    "always": "`always`",
}
_TURNS = 1_000_000
"""More than a writer has in a run: no mark is written twice."""

Connection = psycopg.AsyncConnection[tuple[int, int]]


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    rates: dict[str, list[float]] = {mode: [] for mode in ("unread", "off", "adaptive", "always")}
    seconds = max(1, on.lasting(len(rates) * ROUNDS * RUN) // (len(rates) * ROUNDS))
    told: dict[str, dict[str, float]] = {}
    turn = 0
    say(f"{ROUNDS} rounds of {len(rates)} runs of {seconds} s, {WRITERS} writers")
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as conn:
        for place in range(ROUNDS):
            for mode in rates if place % 2 else reversed(rates):
                if mode == "unread":
                    written = await _unread(on, conn, seconds, turn)
                else:
                    written, told[mode] = await _read(on, conn, mode, seconds, turn)
                rates[mode].append(written.rate)
                turn += 2 * _TURNS
            said = ", ".join(f"{mode} {found[-1]:,.0f}" for mode, found in rates.items())
            late = ", ".join(f"{mode} {found['median']:.0f} (p95 {found['p95']:.0f})" for mode, found in told.items())
            say(f"updates/s: {said}; ms from the trigger to the client: {late}")
    return [_figure(rates, told, *aim) for aim in (("off", 0.9), ("unread", 0.9), ("always", 2.5))]


def _figure(rates: dict[str, list[float]], told: dict[str, dict[str, float]], other: str, aim: float) -> Figure:
    against = AGAINST[other]
    ratios = [one / two for one, two in zip(rates["adaptive"], rates[other], strict=True)]
    return Figure(
        f"writers_{other}",
        f"committed single-row updates/s, {WRITERS} writers, `adaptive`, feed connected, against {against}",
        statistics.median(ratios),
        "×",
        aim,
        more=True,
        detail={"ratios": ratios, "updates_per_s": rates, "trigger_to_client_ms": told},
    )


async def _write(on: Stage, seconds: int, turn: int) -> tuple[int, Written]:
    """How many updates were committed before the run, and the run."""
    warm = await update(on.url, "opportunities", writers=WRITERS, seconds=WARM_UP, cards=CARDS, first=turn)
    turn += _TURNS
    return warm.updates, await update(
        on.url, "opportunities", writers=WRITERS, seconds=seconds, cards=CARDS, first=turn
    )


async def _unread(on: Stage, conn: Connection, seconds: int, turn: int) -> Written:
    before, _ = await _log(conn)
    async with silent(on.url):
        warm, written = await _write(on, seconds, turn)
    after, _ = await _log(conn)
    if after - before != warm + written.updates:
        raise RuntimeError(f"{warm} and {written.updates} updates were committed, and the log grew by {after - before}")
    return written


async def _read(on: Stage, conn: Connection, mode: str, seconds: int, turn: int) -> tuple[Written, dict[str, float]]:
    settings = {"notify_mode": "adaptive" if mode == "off" else mode}
    if mode == "off":
        # A sweep a second finds more than clients are told one by one, and may leave unread, unless they are to be.
        settings |= {"resync_threshold": "1000000", "client_budget": "64MiB"}
    async with _bell(conn, on=mode != "off"), on.feed(**settings), on.readers(READERS) as readers:
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
async def _bell(conn: Connection, *, on: bool) -> AsyncIterator[None]:
    """Writers ring, or do not, as long as the block runs."""
    await conn.execute("SELECT feed.set_notify(%s)", (on,))
    try:
        yield
    finally:
        await conn.execute("SELECT feed.set_notify(true)")


async def _log(conn: Connection) -> tuple[int, int]:
    """How many updates there are, and the newest row."""
    row = await (await conn.execute("SELECT count(*) FILTER (WHERE op = 'update'), max(seq) FROM feed.log")).fetchone()
    if row is None:
        raise RuntimeError("a count counts")
    return row
