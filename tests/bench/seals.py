"""What sealing the log costs: `python -m tests.bench.seals`.

Writers update single cards as fast as they can, with and without a session that seals what they write, in turns. That session
seals every second, where a service would once a minute. Each pair of turns gives a ratio; the result is the median of these ratios.
At the end, the rest of the log is sealed without writers, for the rate. Checks: the seals cover every row of the log, and none is
broken.
"""

import asyncio
import statistics
import time
from contextlib import AsyncExitStack

import psycopg
import uvloop
from rich.console import Console

from db.changelog.seals import seal, verify_seals
from db.connection import PsycopgConnection
from feed.system.tasks import end
from tests.bench.pgbench import update
from tests.bench.process import Process
from tests.bench.stage import CARDS, Stage, stage
from tests.bench.suppress_notify import notify_suppressed

WRITERS = 8
PAIRS = 8


class Sealer:
    """Seals the log and keeps the duration of each call, in seconds."""

    def __init__(self, conn: PsycopgConnection) -> None:
        self._conn = conn
        self.calls: list[float] = []

    async def seal_all(self) -> None:
        more = True
        while more:
            begin = time.monotonic()
            more = await seal(self._conn)
            self.calls.append(time.monotonic() - begin)

    async def seal_each_second(self) -> None:
        while True:
            await self.seal_all()
            await asyncio.sleep(1)


async def main(on: Stage) -> None:
    show = Console(highlight=False).print
    seconds = on.lasting(10)
    rates: dict[bool, list[float]] = {False: [], True: []}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(notify_suppressed(on.url))
        conn = await stack.enter_async_context(await psycopg.AsyncConnection.connect(on.url, autocommit=True))
        await conn.execute("SELECT feed.set_seal(true)")
        sealer, backend = Sealer(conn), Process(conn.info.backend_pid)
        mark = 0
        for turn in range(2 * PAIRS):
            sealing = turn % 4 in {1, 2}  # so that a load that grows or falls affects both alike
            task = asyncio.create_task(sealer.seal_each_second(), name="sealing") if sealing else None
            written = await update(on.url, "opportunities", writers=WRITERS, seconds=seconds, cards=CARDS, first=mark)
            if task is not None:
                await end(task)
            mark += written.updates
            rates[sealing].append(written.rate)
        before = await _sealed(conn)
        sealer.calls.clear()
        begin, cpu = time.monotonic(), backend.cpu()
        await sealer.seal_all()
        took, cpu = time.monotonic() - begin, backend.cpu() - cpu
        rows = await _sealed(conn) - before
        begin = time.monotonic()
        parts = [part async for part in verify_seals(conn, part=10)]
        checked = time.monotonic() - begin
        ((logged,),) = await (await conn.execute("SELECT count(*) FROM feed.log")).fetchall()
        if sum(part.rows for part in parts) != logged or any(part.broken for part in parts):
            raise RuntimeError(f"{logged} rows are in the log, and the seals say {parts}")
    off, with_seals = (statistics.median(rates[sealing]) for sealing in (False, True))
    ratios = [sealed / unsealed for unsealed, sealed in zip(rates[False], rates[True], strict=True)]
    show(f"{off:,.0f} updates/s without sealing, {with_seals:,.0f} with it")
    show(f"relative to no sealing: {statistics.median(ratios):.3f}; each pair: {[round(ratio, 2) for ratio in ratios]}")
    show(
        f"{rows:,} rows sealed in {took:.1f} s: {rows / took:,.0f} rows/s, {cpu / rows * 1e6:.0f} us of CPU time per row"
    )
    show(f"the longest call: {max(sealer.calls):.3f} s")
    show(f"{logged:,} rows verified in {checked:.1f} s: {logged / checked:,.0f} rows/s")


async def _sealed(conn: PsycopgConnection) -> int:
    ((changes,),) = await (await conn.execute("SELECT coalesce(sum(changes), 0)::bigint FROM feed.seals")).fetchall()
    return int(changes)


if __name__ == "__main__":
    with stage() as on:
        uvloop.run(main(on))
