"""A short chaos run with a fixed seed, as part of the test suite; `make chaos` uses a random seed.

BOARDCAST_TEST_CHAOS_SECONDS sets its length (20 otherwise); `make long` sets 120.
"""

import asyncio
import os
import sys

import pytest

from tests.chaos.world.service import ROOT

SEED = 22
SECONDS = int(os.environ.get("BOARDCAST_TEST_CHAOS_SECONDS", "20"))
_PATIENCE = 540
"""Seconds for the whole run on a busy machine; after that it is terminated with everything that it started."""


@pytest.mark.timeout(600)
async def test_no_fault_makes_a_client_diverge() -> None:
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"SEED": str(SEED), "SECONDS": str(SECONDS), "FAULTS": "all"},
        cwd=ROOT,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            output, _ = await run.communicate()
    finally:
        if run.returncode is None:
            run.terminate()
            await run.wait()
    assert run.returncode == 0, output.decode(errors="replace")[-20_000:]
