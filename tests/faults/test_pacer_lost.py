"""The pacer is killed, stopped or cut off while many write: a second at most, no event is lost or doubled, another takes over."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feed.notify.pacer import Mode
from feed.system.database import connect
from tests.cli.harness import SECRET, Commands
from tests.support.busy import crowd, lease, mode
from tests.support.database import Database
from tests.support.load import read_to, version, versions, writing
from tests.support.proxy import Proxy
from tests.support.services import Serve, people, serving
from tests.support.streams import Client
from tests.support.until import until

SECOND = 1.0
SLACK = 0.7
"""For a machine that has other things to do too."""


class Lateness:
    """How late a client is told, by the machine's one clock: while the block runs, of each event that comes to it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.worst = 0.0

    async def _watch(self) -> None:
        seen = len(self._client.messages)
        while True:
            await asyncio.sleep(0.005)
            for message in self._client.messages[seen:]:
                if message.seq is not None:
                    written = datetime.fromisoformat(message.body["timestamp"])
                    self.worst = max(self.worst, (datetime.now(UTC) - written).total_seconds())
            seen = len(self._client.messages)

    @asynccontextmanager
    async def measured(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch(), name="lateness")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def elsewhere(database: Database, tmp_path: Path) -> Iterator[Callable[[], int]]:
    """Start a feed service in a process of its own; its process."""
    with ExitStack() as stack:

        def start() -> int:
            env = {"DATABASE_URL": database.url, "JWT_SECRET": SECRET, "BOARDCAST_FEED_PORT": "0"}
            process = stack.enter_context(Commands(tmp_path, env).serving("feed")).process
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process.pid

        yield start


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
async def test_its_process_ends_or_stops(
    serve: Serve, database: Database, elsewhere: Callable[[], int], sign: signal.Signals
) -> None:
    await serve()  # the people
    process = await asyncio.to_thread(elsewhere)
    await until(lambda: _mode(database, "direct"), what="the other process to be the pacer")
    before = (await lease(database))["instance"]
    here = await serve()
    client, hub = await here.open("websocket"), await here.hub("websocket")
    late = Lateness(client)
    async with writing(database), crowd(database), late.measured():
        await until(lambda: _mode(database, "coalesced"), timeout=10)
        os.kill(process, sign)
        try:
            await mode(hub, Mode.COALESCED)
        finally:
            if sign is signal.SIGSTOP:
                os.kill(process, signal.SIGCONT)
        await asyncio.sleep(0.5)  # the one that was stopped, and is no more, does no harm
        row = await lease(database)
        assert (row["instance"], row["mode"]) == (hub.instance, "coalesced")
        assert before != hub.instance
    last = await version(database)
    assert versions(await read_to(client, last)) == list(range(2, last + 1))
    assert late.worst < SECOND + SLACK


async def _mode(database: Database, name: str) -> bool:
    row = await lease(database)
    return bool(row["held"] and row["mode"] == name)


async def test_its_connection_is_cut_again_and_again(serve: Serve, database: Database) -> None:
    services = [await serve(), await serve()]
    clients = [await one.open("websocket") for one in services]
    hubs = [await one.hub("websocket") for one in services]
    late = [Lateness(client) for client in clients]
    async with writing(database), crowd(database), late[0].measured(), late[1].measured():
        for _ in range(5):
            await until(lambda: any(hub.pacer.mode is Mode.COALESCED for hub in hubs), timeout=10)
            await database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'boardcast-pacer'"
            )
            await until(lambda: all(hub.pacer.mode is Mode.INACTIVE for hub in hubs))
    last = await version(database)
    for client in clients:
        assert versions(await read_to(client, last)) == list(range(2, last + 1))
    assert max(one.worst for one in late) < SECOND + SLACK


async def test_its_connection_hangs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """TCP is acknowledged, and nothing comes: writers ring again before anybody has noticed, and another connection takes over.

    Whose it is depends on what is over first: its lease, or its wait for an answer.
    """
    await people(database)
    async with Proxy.before(database.url) as proxy, serving(database) as hung, serving(database) as other:
        monkeypatch.setattr("feed.notify.pacer.connect", lambda url, name: connect(proxy.through(url or ""), name))
        client, hub = await hung.open("websocket"), await hung.hub("websocket")
        await mode(hub, Mode.DIRECT)
        monkeypatch.undo()
        watching = await other.open("websocket")
        late = [Lateness(client), Lateness(watching)]
        async with writing(database), crowd(database), late[0].measured(), late[1].measured():
            await mode(hub, Mode.COALESCED)
            dead = (await lease(database))["pid"]
            proxy.hang()
            await until(lambda: _paced(database, dead), timeout=15)
        last = await version(database)
        for one in (client, watching):
            assert versions(await read_to(one, last)) == list(range(2, last + 1))
        assert max(one.worst for one in late) < SECOND + SLACK
        await proxy.resume()


async def _paced(database: Database, dead: int) -> bool:
    """Whether a pacer on another connection rings for all."""
    held = await lease(database)
    return bool(held["pid"] != dead and held["mode"] == "coalesced")
