"""A supervised task that fails is logged, counted, down for a while, and started again."""

import asyncio
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry, Counter
from structlog.testing import capture_logs

from feed.system.supervisor import Supervisor
from feed.system.tasks import end
from tests.support.until import until


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def supervisor(registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    monkeypatch.setattr("feed.system.supervisor._UP_AFTER", 0.3)
    return Supervisor(Counter("failures", "", ("task",), registry=registry))


class Task:
    """Runs until it is canceled, after it has failed a few times."""

    def __init__(self, fail: Callable[[], object], failures: int = 2) -> None:
        self.runs = 0
        self._fail = fail
        self._failures = failures

    async def run(self) -> None:
        self.runs += 1
        if self.runs <= self._failures:
            self._fail()
            return
        await asyncio.Event().wait()


def bug() -> None:
    raise RuntimeError("a bug")


def canceled_by_nobody() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("fail", [bug, canceled_by_nobody, lambda: None], ids=["raises", "canceled", "returns"])
async def test_a_task_that_fails_runs_again(
    supervisor: Supervisor, registry: CollectorRegistry, fail: Callable[[], object]
) -> None:
    failing = Task(fail)
    with capture_logs() as logs:
        task = supervisor.start("maintenance", failing.run)
        assert registry.get_sample_value("failures_total", {"task": "maintenance"}) == 0
        await until(lambda: supervisor.down == ["maintenance"])
        await until(lambda: failing.runs == 3)
        assert supervisor.down == ["maintenance"]
        await until(lambda: not supervisor.down)
    assert registry.get_sample_value("failures_total", {"task": "maintenance"}) == 2
    assert [(line["task"], line["log_level"], bool(line["exc_info"])) for line in logs] == [
        ("maintenance", "error", True)
    ] * 2
    await end(task)
    assert task.cancelled()


async def test_a_task_that_is_stopped_while_it_is_down_is_not_down_anymore(supervisor: Supervisor) -> None:
    failing = Task(bug, failures=1000)
    with capture_logs():
        task = supervisor.start("maintenance", failing.run)
        await until(lambda: failing.runs == 3)
        await end(task)
    assert (supervisor.down, task.cancelled()) == ([], True)
