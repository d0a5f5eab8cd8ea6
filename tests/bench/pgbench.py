"""Writers that write as fast as they can: pgbench in a closed loop, one UPDATE by primary key per transaction."""

import asyncio
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from db.embedded.binaries import find_binaries

_DONE = re.compile(r"actually processed: (\d+)")
_RATE = re.compile(r"tps = ([\d.]+)")
_FAILED = re.compile(r"number of failed transactions: (\d+)")


class Written(NamedTuple):
    updates: int
    """Committed updates, each of which changed its row."""
    rate: float
    """Updates per second, without the time to connect."""


async def update(url: str, table: str, *, writers: int, seconds: int, cards: int, first: int) -> Written:
    """Let writers update cards o0, o1, … of a table, each its own cards.

    Every update writes a new mark, starting at `first` times the number of writers, so that each changes its row.
    """
    program = find_binaries() / "pgbench"
    if not program.exists():
        raise RuntimeError("pgbench is needed: it comes with PostgreSQL's packages (postgresql-contrib in some)")
    share = cards // writers
    script = (
        f"\\set row random(0, {share - 1}) * {writers} + :client_id\n"
        "\\set turn :turn + 1\n"
        f"\\set mark :turn * {writers} + :client_id\n"
        f"UPDATE {table} SET company = :mark WHERE id = 'o' || :row;\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        process = await asyncio.create_subprocess_exec(
            *(program, "--no-vacuum", "--protocol=prepared", f"--define=turn={first}", f"--file={Path(file.name)}"),
            *(f"--client={writers}", f"--jobs={min(writers, 2)}", f"--time={seconds}", url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
    report = output.decode()
    done, rate, failed = _DONE.search(report), _RATE.search(report), _FAILED.search(report)
    if process.returncode or done is None or rate is None or (failed and int(failed[1])):
        raise RuntimeError(f"pgbench failed: {errors.decode().strip() or report}")
    return Written(int(done[1]), float(rate[1]))
