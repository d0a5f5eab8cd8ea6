"""A hundred open clients change transport whenever the flag changes, during writes: none of them loses or repeats an event."""

import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.follower import QUICK, snapshot
from tests.support.database import Database
from tests.support.load import version, writing
from tests.support.program import Program
from tests.support.services import SECRET, Serve
from tests.support.until import until

CLIENTS = 100
PATIENCE = 60.0
TRANSPORTS = {"websocket": "websocket", "sse": "sse", "poll": "polling", "off": "off"}
"""The transport of the client for each value of the flag."""


class Crowd(Program):
    def __init__(self) -> None:
        super().__init__(Path(__file__).parent)
        self._asked = 0

    @asynccontextmanager
    async def start(self, node: str, bundle: str, options: dict[str, Any]) -> AsyncIterator["Crowd"]:
        given = {"number": CLIENTS, "options": options, "secret": SECRET}
        async with self.run(node, "crowd.mjs", bundle, json.dumps(given)):
            yield self

    async def report(self) -> list[dict[str, Any]]:
        """What was delivered to each client, and its status."""
        self._asked += 1
        asked = self._asked
        await self.tell(report=asked)

        def answer() -> list[dict[str, Any]] | None:
            return next((line["clients"] for line in self.lines if line.get("report") == asked), None)

        return await until(answer, timeout=PATIENCE, what="the crowd's report") or []

    async def on(self, transport: str) -> list[float]:
        """Wait until all use a transport; since when each does (seconds since 1970)."""

        def there() -> list[int] | None:
            found = [line for line in self.lines if line["kind"] == "together"]
            since: list[int] | None = found[-1]["since"] if found and found[-1]["transport"] == transport else None
            return since

        since = await until(there, timeout=PATIENCE, what=f"all to be on {transport}")
        return [at / 1000 for at in since or []]

    async def know(self, last: int) -> list[dict[str, Any]]:
        """Wait until a version was delivered to all; their reports."""

        async def known() -> list[dict[str, Any]]:
            clients = await self.report()
            return clients if all(one["version"] >= last for one in clients) else []

        return await until(known, timeout=PATIENCE, what=f"all to know version {last}")


async def offer(database: Database, realtime: str) -> float:
    """Turn the flag for everybody; when that was."""
    await database.execute(
        "INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', %s)"
        " ON CONFLICT (flag, scope, user_id) DO UPDATE SET value = excluded.value",
        [realtime],
    )
    return time.time()


@pytest.fixture
async def crowd(serve: Serve, node: str, bundle: str) -> AsyncIterator[Crowd]:
    services = await serve(max_user_connections=2 * CLIENTS)
    timing = QUICK | {"connect": 10_000, "poll": 2000}
    options = {"api": f"http://127.0.0.1:{await services.api()}", "feed": f"http://127.0.0.1:{await services.feed()}"}
    async with Crowd().start(node, bundle, options | {"timing": timing}) as crowd:
        await crowd.tell(follow=await snapshot(services))
        await crowd.on("websocket")
        yield crowd


async def test_all_move_and_nothing_is_lost_or_repeated(
    crowd: Crowd, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    moves = ("sse", "websocket", "sse", "poll", "off", "websocket")
    took: list[str] = []
    async with writing(database, pause=0.01):
        before = "websocket"
        for realtime in moves:
            turned = await offer(database, realtime)
            times = sorted(at - turned for at in await crowd.on(TRANSPORTS[realtime]))
            median, last = times[len(times) // 2], times[-1]
            took.append(f"{before} to {realtime}: half after {median:.2f} s, all after {last:.2f} s")
            before = realtime
    clients = await crowd.know(await version(database))
    with capsys.disabled():
        # Measured, and no part of the verdict.
        sys.stdout.write("\n  ".join([f"\n{CLIENTS} clients", *took]) + "\n")
    for one in clients:
        assert one["gaps"] == []
        assert (one["repeated"], one["resets"]) == (0, 0)
        used = [each["transport"] for each in one["transports"]]
        assert used == ["websocket", *(TRANSPORTS[realtime] for realtime in moves)]
        assert one["status"]["realtime"] == "websocket"


async def test_a_share_moves_its_users_and_nobody_else(crowd: Crowd, database: Database) -> None:
    """All of this crowd are one user: they are in a share together, or not."""
    ((row),) = await database.execute("SELECT feed.rollout_bucket('ana') AS place")
    async with writing(database, pause=0.01):
        await database.execute(
            "INSERT INTO feed.flags (flag, scope, percentage, value) VALUES ('realtime', 'percentage', %s, 'sse')",
            [row["place"]],
        )
        await database.execute(
            "INSERT INTO feed.flags (flag, scope, user_id, value) VALUES ('realtime', 'user', 'x', 'off')"
        )
        await crowd.know(await version(database))
        assert {one["status"]["realtime"] for one in await crowd.report()} == {"websocket"}
        await database.execute("UPDATE feed.flags SET percentage = percentage + 1 WHERE scope = 'percentage'")
        await crowd.on("sse")
    clients = await crowd.know(await version(database))
    assert {(one["repeated"], one["resets"], len(one["gaps"])) for one in clients} == {(0, 0, 0)}
