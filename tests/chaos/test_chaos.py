"""A short run with a fixed seed, as a part of the tests; `make chaos` is longer, and another each time."""

import asyncio
import os
import sys

import pytest

from tests.chaos.world.service import ROOT

SEED = 22
SECONDS = 120
_PATIENCE = 540
"""Seconds for all of it on a machine that does other things too; then it is ended with everything that it has started."""


@pytest.mark.timeout(600)
@pytest.mark.flaky(reruns=0)
async def test_no_fault_makes_a_client_wrong() -> None:
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"SEED": str(SEED), "SECONDS": str(SECONDS), "FAULTS": "all"},
        cwd=ROOT,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            said, _ = await run.communicate()
    finally:
        if run.returncode is None:
            run.terminate()
            await run.wait()
    assert run.returncode == 0, said.decode(errors="replace")[-20_000:]
