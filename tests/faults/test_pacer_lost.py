"""The pacer is lost under load: another takes over within a second, and no event is lost or repeated."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feed.notify.mode import Mode
from feed.system.database import connect
from tests.cli.harness import SECRET, Commands
from tests.support.database import Database
from tests.support.load import card_version, read_until_version, versions, writing
from tests.support.pacer import heavy_writes, pacer_lease, wait_for_mode
from tests.support.proxy import Proxy
from tests.support.services import Serve, add_people, serving
from tests.support.streams import Client
from tests.support.until import until

SECOND = 1.0
SLACK = 0.7
"""Seconds of tolerance for a busy machine."""


class Lateness:
    """The worst delay from write to receipt on one client, by the machine's clock, while a block runs."""

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
def start_feed_process(database: Database, tmp_path: Path) -> Iterator[Callable[[], int]]:
    """Start a feed in a process of its own and return its process id."""
    with ExitStack() as stack:

        def start() -> int:
            env = {"DATABASE_URL": database.url, "JWT_SECRET": SECRET, "BOARDCAST_FEED_PORT": "0"}
            process = stack.enter_context(Commands(tmp_path, env).serving("feed")).process
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process.pid

        yield start


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
async def test_another_pacer_takes_over_from_a_killed_or_stopped_process(
    serve: Serve, database: Database, start_feed_process: Callable[[], int], sign: signal.Signals
) -> None:
    await serve()  # creates the users and boards
    process = await asyncio.to_thread(start_feed_process)
    await until(lambda: _mode(database, "direct"), what="the other process to be the pacer")
    before = (await pacer_lease(database))["instance"]
    local = await serve()
    client, runtime = await local.open("websocket"), await local.runtime("websocket")
    late = Lateness(client)
    async with writing(database), heavy_writes(database), late.measured():
        await until(lambda: _mode(database, "coalesced"), timeout=10)
        os.kill(process, sign)
        try:
            await wait_for_mode(runtime, Mode.COALESCED)
        finally:
            if sign is signal.SIGSTOP:
                os.kill(process, signal.SIGCONT)
        await asyncio.sleep(0.5)  # the resumed process must not interfere
        row = await pacer_lease(database)
        assert (row["instance"], row["mode"]) == (runtime.instance, "coalesced")
        assert before != runtime.instance
    last = await card_version(database)
    assert versions(await read_until_version(client, last)) == list(range(2, last + 1))
    assert late.worst < SECOND + SLACK


async def _mode(database: Database, name: str) -> bool:
    row = await pacer_lease(database)
    return bool(row["held"] and row["mode"] == name)


async def test_a_pacer_whose_backend_is_terminated_repeatedly_loses_nothing(serve: Serve, database: Database) -> None:
    services = [await serve(), await serve()]
    clients = [await service.open("websocket") for service in services]
    runtimes = [await service.runtime("websocket") for service in services]
    late = [Lateness(client) for client in clients]
    async with writing(database), heavy_writes(database), late[0].measured(), late[1].measured():
        for _ in range(5):
            await until(lambda: any(runtime.pacer.mode is Mode.COALESCED for runtime in runtimes), timeout=10)
            await database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'boardcast-pacer'"
            )
            await until(lambda: all(runtime.pacer.mode is Mode.INACTIVE for runtime in runtimes))
    last = await card_version(database)
    for client in clients:
        assert versions(await read_until_version(client, last)) == list(range(2, last + 1))
    assert max(lateness.worst for lateness in late) < SECOND + SLACK


async def test_another_pacer_takes_over_from_a_hung_connection(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TCP is acknowledged, but no answer comes: writers send NOTIFY again, and a pacer on another connection takes over.

    Which instance that is depends on what ends first: the lease or the wait for the answer.
    """
    await add_people(database)
    async with Proxy.for_url(database.url) as proxy, serving(database) as hung, serving(database) as other:
        monkeypatch.setattr("feed.notify.pacer.connect", lambda url, name: connect(proxy.rewrite_url(url or ""), name))
        client, runtime = await hung.open("websocket"), await hung.runtime("websocket")
        await wait_for_mode(runtime, Mode.DIRECT)
        monkeypatch.undo()
        watching = await other.open("websocket")
        late = [Lateness(client), Lateness(watching)]
        async with writing(database), heavy_writes(database), late[0].measured(), late[1].measured():
            await wait_for_mode(runtime, Mode.COALESCED)
            dead = (await pacer_lease(database))["pid"]
            proxy.hang()
            await until(lambda: _paced(database, dead), timeout=15)
        last = await card_version(database)
        for reader in (client, watching):
            assert versions(await read_until_version(reader, last)) == list(range(2, last + 1))
        assert max(lateness.worst for lateness in late) < SECOND + SLACK
        await proxy.resume()


async def _paced(database: Database, dead: int) -> bool:
    """Whether a pacer on another connection sends NOTIFY for all."""
    held = await pacer_lease(database)
    return bool(held["pid"] != dead and held["mode"] == "coalesced")
