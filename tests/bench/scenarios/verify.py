"""`boardcast verify` of a million log rows: 250,000 cards, each written four times through the triggers.

The command runs in its own process, and all of its output is read. Before that, the scenario changes one card without the triggers.
Check: this card is the only finding, and the command has read every row of the log.
"""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable

import psycopg

from tests.bench.figure import Figure
from tests.bench.process import Process
from tests.bench.stage import Stage

ROWS = 250_000
TIMES = 4


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as conn:
        await _write(conn, say)
        (before,) = await _one(conn, "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()")
        seconds, memory, findings, read = await _verify(on.url)
        await conn.execute("SELECT pg_stat_force_next_flush()")
        (after,) = await _one(conn, "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()")
        (rows,) = await _one(conn, "SELECT count(*) FROM feed.log WHERE key IS NOT NULL")
    if findings != [("changed", "v7")] or read != rows:
        raise RuntimeError(f"{read} of {rows} rows were read, and found was {findings}")
    say(f"{seconds:.1f} s, {memory:.0f} MB, {(after - before) / 1e6:.0f} MB of temporary files")
    what = f"`boardcast verify` of {rows:,} log rows: "
    detail = {"temp_mb": (after - before) / 1e6, "rows": rows}
    return [
        Figure("verify_seconds", what + "duration", seconds, "s", 60, more=False, detail=detail),
        Figure("verify_memory", what + "peak memory", memory, "MB", 128, more=False),
    ]


async def _write(conn: psycopg.AsyncConnection[tuple[int, ...]], say: Callable[[str], None]) -> None:
    await conn.execute(
        "INSERT INTO opportunities (id, board_id, title, company, contact, value, phase, notes) "
        "SELECT 'v' || n, 'b', 'A deal of some size', 'A company', 'Somebody', 1234.56, 'proposal', "
        "repeat('What was said. ', 10) FROM generate_series(1, %s) AS n",
        (ROWS,),
    )
    for turn in range(1, TIMES):
        say(f"{turn * ROWS:,} rows of the log")
        await conn.execute("UPDATE opportunities SET company = %s WHERE id LIKE 'v%%'", (f"turn {turn}",))
    await conn.execute("VACUUM ANALYZE")
    await conn.execute("SET session_replication_role = replica")
    await conn.execute("UPDATE opportunities SET title = 'Past the triggers' WHERE id = 'v7'")
    await conn.execute("RESET session_replication_role")
    say("verify begins")


async def _verify(url: str) -> tuple[float, float, list[tuple[str, str]], int]:
    """Seconds, the command's highest memory (MB), what it found, and how many rows of the log it read."""
    command = [sys.executable, "-m", "boardcast", "verify", "--json"]
    begin = time.monotonic()
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, "DATABASE_URL": url}, stdout=PIPE)
    measured = Process(process.pid)
    highest = 0.0

    async def watch() -> None:
        nonlocal highest
        while True:
            highest = max(highest, measured.memory()[1])
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch(), name="watching")
    output, _ = await process.communicate()
    seconds = time.monotonic() - begin
    watching.cancel()
    results = [json.loads(line) for line in output.splitlines()]
    findings = [(one["what"], one["key"]) for one in results if "what" in one]
    return seconds, highest, findings, sum(one["log"] for one in results if "log" in one)


async def _one(conn: psycopg.AsyncConnection[tuple[int, ...]], statement: str) -> tuple[int, ...]:
    ((*row,),) = await (await conn.execute(statement.encode())).fetchall()
    return tuple(row)
