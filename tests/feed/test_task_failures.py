"""Each long-lived task that dies is logged, counted and started again, and its instance is not ready meanwhile."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from feed.runtime import Runtime
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.until import until

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
DIES_BY_EXCEPTION: dict[str, str] = {
    "tailer": "tailer._read_pass",
    "replica": "replica._check_status",
    "listener": "listener._probe",
    "pacer": "pacer._renew",
    "presence": "presence._renew",
    "checkpoints": "checkpoints._load",
    "heartbeats": "_heartbeats._process_slot",
    "instance registry": "_instance_registry._report",
}
"""The methods that the tasks call in each round."""


def documented() -> set[str]:
    """The supervised tasks of docs/architecture.md."""
    rows = re.findall(r"^\| ([a-z ]+) \| [^|]* \| [^|]* \| restarted; ", ARCHITECTURE.read_text(), re.MULTILINE)
    assert len(rows) > 5
    return set(rows)


@pytest.fixture
async def services(serve: Serve, database: Database, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.setattr("feed.system.supervisor._UP_AFTER", 0.3)
    for interval in (
        "tailing.replica._CHECK_INTERVAL",
        "tailing.listener._PROBE_AFTER",
        "notify.pacer._RENEW_INTERVAL",
        "presence.tracker._RENEW_INTERVAL",
        "registry.instance_registry._REPORT_INTERVAL",
    ):
        monkeypatch.setattr(f"feed.{interval}", 0.1)
    return await serve(heartbeat_interval=0.4, read_interval=0.2, replica_url=database.url)


async def test_each_task_that_is_killed_runs_again(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    feed, api = await services.runtime("websocket"), await services.runtime("api-events")
    running = {task: task.get_name() for task in asyncio.all_tasks() if "_supervise" in repr(task.get_coro())}
    assert set(running.values()) | {"poll loop"} == documented()
    feed.pacer._poll_loop.start(feed.supervisor)
    poll_loop = feed.pacer._poll_loop._task
    assert poll_loop is not None
    running = {poll_loop: "poll loop", **running}  # first, because the pacer stops it when it fails
    with capture_logs() as logs:
        for task, name in running.items():
            before = _failures([feed, api], name)
            await until(partial(_kill, task), what=f"{name} to wait")
            await until(partial(_failed, [feed, api], name, before + 1), what=f"the failure of {name}")
        await until(lambda: feed.ready and api.ready, what="both to be ready")
    assert sorted(line["task"] for line in logs if line["event"] == "task failed; restarting") == sorted(
        running.values()
    )
    assert not any(task.done() for task in running if task is not poll_loop)
    await database.execute("UPDATE opportunities SET title = 'after all that'")
    assert (await client.next_event()).body["changes"]["title"] == "after all that"


async def test_a_bug_in_a_task_is_not_its_end(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await services.open("websocket")
    runtime = await services.runtime("websocket")
    with capture_logs():
        for name, path in DIES_BY_EXCEPTION.items():
            owner, method = path.split(".")
            monkeypatch.setattr(
                getattr(runtime, owner), method, _failing_once(getattr(getattr(runtime, owner), method))
            )
            if name == "checkpoints":
                runtime.checkpoints.request_recount("b1")
            await until(partial(_failed, [runtime], name, 1), what=f"the failure of {name}")
            assert name in runtime.supervisor.down
            assert not runtime.ready
            await until(lambda: runtime.ready, what=f"readiness after {name}")
    assert client.ended is None


async def test_readyz_names_the_task_that_is_down(services: Services) -> None:
    feed, api = await services.feed(), await services.api()
    async with httpx.AsyncClient(trust_env=False) as http:
        for runtime in services.running:
            runtime.supervisor._down.add("a task")
        answers = [await http.get(f"http://127.0.0.1:{port}/readyz") for port in (feed, api)]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].json()["down"] == ["a task"]
    assert answers[1].json()["checks"]["feed"] == "restarting after an error: a task"


def _failures(runtimes: list[Runtime], task: str) -> float:
    metric = "boardcast_task_failures_total"
    return sum(runtime.metrics.registry.get_sample_value(metric, {"task": task}) or 0 for runtime in runtimes)


def _failed(runtimes: list[Runtime], task: str, times: float) -> bool:
    return _failures(runtimes, task) == times


def _kill(task: asyncio.Task[object]) -> bool:
    """Cancel what a task waits for, without canceling the task: for asyncio, that is an exception like any other."""
    waiter: asyncio.Future[object] | None = task._fut_waiter  # type: ignore[attr-defined]
    return waiter is not None and waiter.cancel()


def _failing_once(method: Callable[..., object]) -> Callable[..., object]:
    failed = False

    def failing(*arguments: object) -> object:
        nonlocal failed
        if failed:
            return method(*arguments)
        failed = True
        raise RuntimeError("a bug")

    return failing
