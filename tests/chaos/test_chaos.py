"""A short run with a fixed seed, as a part of the tests; `make chaos` is longer, and another each time."""

import asyncio

import pytest

from tests.chaos.run import Options, run

SEED = 20
SECONDS = 75


@pytest.mark.timeout(600)
@pytest.mark.flaky(reruns=0)
def test_no_fault_makes_a_client_wrong() -> None:
    report = asyncio.run(run(Options(seed=SEED, seconds=SECONDS)))
    assert not report.verdicts, report.text()
