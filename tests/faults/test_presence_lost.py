"""Presence ends soon after a client or a service vanishes: a lost network, a poller that stopped, a killed service."""

import os
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from db.settings import Settings
from feed.presence import tracker
from feed.upkeep import heartbeats
from tests.cli.harness import SECRET, Commands
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import Serve, Services
from tests.support.streams import Client, WebSocketClient
from tests.support.until import until

EDIT = {"type": "user_editing", "opportunityId": "o1", "baseVersion": 1}


@pytest.fixture(params=["websocket", "sse", "api-events"])
def transport(request: pytest.FixtureRequest) -> str:
    """The transport of the watching client."""
    name: str = request.param
    return name


@pytest.fixture
def other_feed(services: Services, database: Database, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A feed in a process of its own: its port and its process id, for killing it."""
    env = {"DATABASE_URL": database.url, "JWT_SECRET": SECRET, "BOARDCAST_FEED_PORT": "0"}
    with Commands(tmp_path, env).serving("feed") as service:
        yield urlsplit(service.feed).port or 0, service.process.pid
        service.process.kill()
        service.process.wait()


def _kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


async def wait_until_gone(watcher: Client, timeout: float) -> None:
    stopped = await watcher.next("user_stopped_editing", timeout=timeout)
    assert (stopped.body["opportunityId"], stopped.body["userId"]) == ("o1", "bruno")
    state = await watcher.next("presence_state")
    assert (state.body["opportunityId"], state.body["presence"]) == ("o1", [])


async def test_presence_ends_when_the_network_is_lost(serve: Serve, transport: str, database: Database) -> None:
    services = await serve(heartbeat_interval=0.6)
    ana = await services.open(transport)
    async with Proxy("127.0.0.1", await services.feed()) as proxy:
        bruno = await WebSocketClient.connect(proxy.port, services.token("bruno"), "bruno")
        await bruno.next("auth_success")
        await bruno.send(EDIT)
        await ana.next("user_editing")
        await ana.next("presence_state")
        # No connection closes: the service only sees silence.
        proxy.hang()
        await wait_until_gone(ana, timeout=20)  # without heartbeats it would end after 30 s
        assert await database.execute("SELECT id FROM feed.user_presence") == []
        bruno.cut()
        await bruno.close()


def test_with_the_default_settings_presence_ends_within_35_seconds() -> None:
    timer_tick = 1.0
    assert heartbeats._MISSED_LIMIT * Settings().heartbeat_interval + timer_tick + tracker._RENEW_INTERVAL < 35


async def test_presence_of_a_poller_that_stopped_expires(
    services: Services, transport: str, database: Database
) -> None:
    ana = await services.open(transport)
    async with services.api_client("bruno") as http:
        assert (await http.put("/api/opportunities/o1/presence", json={"baseVersion": 1})).status_code == 204
    await ana.next("user_editing")
    await ana.next("presence_state")
    # As if 28 s had passed: Bruno is still present, and soon not any more.
    (row,) = await database.execute(
        "UPDATE feed.user_presence SET last_activity = now() - interval '28 s' RETURNING last_activity"
    )
    last_activity: datetime = row["last_activity"]
    await wait_until_gone(ana, timeout=8)
    (row,) = await database.execute("SELECT extract(epoch FROM clock_timestamp() - %s)::float AS age", [last_activity])
    assert 30 <= row["age"] < 35


async def test_presence_ends_with_a_killed_service(
    services: Services, transport: str, other_feed: tuple[int, int]
) -> None:
    port, process = other_feed
    ana = await services.open(transport)
    bruno = await WebSocketClient.connect(port, services.token("bruno"), "bruno")
    await bruno.send(EDIT)
    await ana.next("user_editing")
    await ana.next("presence_state")
    _kill(process)
    await wait_until_gone(ana, timeout=20)
    await bruno.close()


async def test_presence_survives_a_reconnect_to_another_instance(
    services: Services, other_feed: tuple[int, int], database: Database
) -> None:
    port, process = other_feed
    ana = await services.open("websocket")
    bruno = await WebSocketClient.connect(port, services.token("bruno"), "bruno")
    await bruno.send(EDIT)
    await ana.next("user_editing")
    _kill(process)
    await bruno.close()
    again = await services.open("websocket", user="bruno")
    assert isinstance(again, WebSocketClient)
    await again.send(EDIT)

    async def leases(count: int) -> bool:
        return len(await database.execute("SELECT id FROM feed.user_presence")) == count

    await until(lambda: leases(2))
    await until(lambda: leases(1), timeout=12)
    # Cause an event after any that the end of the old lease could cause.
    await again.send({"type": "user_stopped_editing", "opportunityId": "o1"})
    await ana.next("user_stopped_editing")
    assert [message.type for message in ana.messages].count("user_stopped_editing") == 1


async def test_presence_on_a_deleted_card_ends(services: Services, transport: str, database: Database) -> None:
    ana = await services.open(transport)
    bruno = await services.open("websocket", user="bruno")
    assert isinstance(bruno, WebSocketClient)
    await bruno.send(EDIT)
    await ana.next("user_editing")
    await ana.next("presence_state")
    await database.execute("DELETE FROM opportunities")
    await wait_until_gone(ana, timeout=5)

    async def no_lease() -> bool:
        return not await database.execute("SELECT id FROM feed.user_presence")

    await until(no_lease)
