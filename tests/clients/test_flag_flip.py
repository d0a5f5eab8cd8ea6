"""A hundred open clients move whenever the flag is turned, while somebody writes: none of them loses or repeats an event."""

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
WAYS = {"websocket": "websocket", "sse": "sse", "poll": "polling", "off": "off"}
"""What the client calls what it is offered."""


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
        """What each client has been told, and how it is."""
        self._asked += 1
        asked = self._asked
        await self.tell(report=asked)

        def answer() -> list[dict[str, Any]] | None:
            return next((line["clients"] for line in self.lines if line.get("report") == asked), None)

        return await until(answer, timeout=PATIENCE, what="the crowd's report") or []

    async def on(self, way: str) -> list[float]:
        """Wait until all are on a way; since when each is (seconds since 1970)."""

        def there() -> list[int] | None:
            found = [line for line in self.lines if line["kind"] == "together"]
            since: list[int] | None = found[-1]["since"] if found and found[-1]["way"] == way else None
            return since

        since = await until(there, timeout=PATIENCE, what=f"all to be on {way}")
        return [at / 1000 for at in since or []]

    async def know(self, last: int) -> list[dict[str, Any]]:
        """Wait until all have been told of a version; their accounts."""

        async def told() -> list[dict[str, Any]]:
            clients = await self.report()
            return clients if all(one["version"] >= last for one in clients) else []

        return await until(told, timeout=PATIENCE, what=f"all to know version {last}")


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
    services = await serve(user_connections=2 * CLIENTS)
    timing = QUICK | {"probe": 10_000, "poll": 2000}
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
            times = sorted(at - turned for at in await crowd.on(WAYS[realtime]))
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
        assert [way["way"] for way in one["ways"]] == ["websocket", *(WAYS[realtime] for realtime in moves)]
        assert one["status"]["realtime"] == "websocket"


async def test_a_share_moves_its_users_and_nobody_else(crowd: Crowd, database: Database) -> None:
    """All of this crowd are one user: they are in a share together, or not."""
    ((row),) = await database.execute("SELECT feed.user_place('ana') AS place")
    async with writing(database, pause=0.01):
        await database.execute(
            "INSERT INTO feed.flags (flag, scope, share, value) VALUES ('realtime', 'share', %s, 'sse')", [row["place"]]
        )
        await database.execute(
            "INSERT INTO feed.flags (flag, scope, user_id, value) VALUES ('realtime', 'user', 'x', 'off')"
        )
        await crowd.know(await version(database))
        assert {one["status"]["realtime"] for one in await crowd.report()} == {"websocket"}
        await database.execute("UPDATE feed.flags SET share = share + 1 WHERE scope = 'share'")
        await crowd.on("sse")
    clients = await crowd.know(await version(database))
    assert {(one["repeated"], one["resets"], len(one["gaps"])) for one in clients} == {(0, 0, 0)}
