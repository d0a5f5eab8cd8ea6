"""A hundred open clients switch transport whenever the flag changes, during writes; none loses or repeats an event."""

import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.follower import SHORT_TIMING, snapshot
from tests.support.database import Database
from tests.support.load import card_version, writing
from tests.support.program import Program
from tests.support.services import SECRET, Serve
from tests.support.until import until

pytestmark = pytest.mark.timeout(600)

CLIENTS = 100
TIMEOUT = 120.0
TRANSPORTS = {"websocket": "websocket", "sse": "sse", "poll": "polling", "off": "off"}
"""The transport of the client for each value of the flag."""


class Crowd(Program):
    def __init__(self) -> None:
        super().__init__(Path(__file__).parent)
        self._last_report = 0

    @asynccontextmanager
    async def start(self, node: str, bundle: str, options: dict[str, Any]) -> AsyncIterator["Crowd"]:
        arguments = {"number": CLIENTS, "options": options, "secret": SECRET}
        async with self.run(node, "crowd.mjs", bundle, json.dumps(arguments)):
            yield self

    async def report(self) -> list[dict[str, Any]]:
        """What each client received, and its status."""
        self._last_report += 1
        number = self._last_report
        await self.send(report=number)

        def answer() -> list[dict[str, Any]] | None:
            return next((line["clients"] for line in self.lines if line.get("report") == number), None)

        return await until(answer, timeout=TIMEOUT, what="the crowd's report") or []

    async def wait_for_transport(self, transport: str) -> list[float]:
        """Wait until all use a transport; return when each switched (seconds since 1970)."""

        def since_if_all() -> list[int] | None:
            lines = [line for line in self.lines if line["kind"] == "same transport"]
            since: list[int] | None = lines[-1]["since"] if lines and lines[-1]["transport"] == transport else None
            return since

        since = await until(since_if_all, timeout=TIMEOUT, what=f"all to use {transport}")
        return [at / 1000 for at in since or []]

    async def wait_for_version(self, last: int) -> list[dict[str, Any]]:
        """Wait until all clients received a version; return their reports."""

        async def reports() -> list[dict[str, Any]]:
            clients = await self.report()
            return clients if all(one["version"] >= last for one in clients) else []

        return await until(reports, timeout=TIMEOUT, what=f"version {last} at all clients")


async def set_flag(database: Database, realtime: str) -> float:
    """Set the flag for everyone; return the time."""
    await database.execute(
        "INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', %s)"
        " ON CONFLICT (flag, scope, user_id) DO UPDATE SET value = excluded.value",
        [realtime],
    )
    return time.time()


@pytest.fixture
async def crowd(serve: Serve, node: str, bundle: str) -> AsyncIterator[Crowd]:
    services = await serve(max_user_connections=2 * CLIENTS)
    timing = SHORT_TIMING | {"connect": 60_000, "poll": 2000}  # a hundred connect at once
    options = {"api": f"http://127.0.0.1:{await services.api()}", "feed": f"http://127.0.0.1:{await services.feed()}"}
    async with Crowd().start(node, bundle, options | {"timing": timing}) as crowd:
        await crowd.send(follow=await snapshot(services))
        await crowd.wait_for_transport("websocket")
        yield crowd


async def test_all_clients_switch_and_no_event_is_lost_or_repeated(
    crowd: Crowd, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    moves = ("sse", "websocket", "sse", "poll", "off", "websocket")
    took: list[str] = []
    async with writing(database, pause=0.1):
        before = "websocket"
        for realtime in moves:
            changed = await set_flag(database, realtime)
            times = sorted(at - changed for at in await crowd.wait_for_transport(TRANSPORTS[realtime]))
            median, last = times[len(times) // 2], times[-1]
            took.append(f"{before} to {realtime}: half after {median:.2f} s, all after {last:.2f} s")
            before = realtime
    clients = await crowd.wait_for_version(await card_version(database))
    with capsys.disabled():
        # Only informative: the times are not checked.
        sys.stdout.write("\n  ".join([f"\n{CLIENTS} clients", *took]) + "\n")
    for one in clients:
        assert one["gaps"] == []
        assert (one["repeated"], one["resets"]) == (0, 0)
        used = [each["transport"] for each in one["transports"]]
        assert used == ["websocket", *(TRANSPORTS[realtime] for realtime in moves)]
        assert one["status"]["realtime"] == "websocket"


async def test_a_rollout_percentage_moves_only_its_users(crowd: Crowd, database: Database) -> None:
    """All clients belong to one user, so the rollout includes all of them or none."""
    ((row),) = await database.execute("SELECT feed.rollout_bucket('ana') AS bucket")
    async with writing(database, pause=0.1):
        await database.execute(
            "INSERT INTO feed.flags (flag, scope, percentage, value) VALUES ('realtime', 'percentage', %s, 'sse')",
            [row["bucket"]],
        )
        await database.execute(
            "INSERT INTO feed.flags (flag, scope, user_id, value) VALUES ('realtime', 'user', 'x', 'off')"
        )
        await crowd.wait_for_version(await card_version(database))
        assert {one["status"]["realtime"] for one in await crowd.report()} == {"websocket"}
        await database.execute("UPDATE feed.flags SET percentage = percentage + 1 WHERE scope = 'percentage'")
        await crowd.wait_for_transport("sse")
    clients = await crowd.wait_for_version(await card_version(database))
    assert {(one["repeated"], one["resets"], len(one["gaps"])) for one in clients} == {(0, 0, 0)}
