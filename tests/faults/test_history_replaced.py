"""The log history changes by a promotion, a restore or another cluster, and every client is reset."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from db.embedded.server import EmbeddedPostgres
from tests.support.database import Database
from tests.support.services import Services, add_people, serving
from tests.support.streams import TRANSPORTS
from tests.support.until import until


async def _write(database: Database, number: int) -> None:
    for _ in range(number):
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id = 'o1'")


def _copy(server: EmbeddedPostgres) -> Path:
    """Copy the data directory of the stopped cluster, like a volume snapshot."""
    copy = server.home / "copy"
    subprocess.run(["/bin/cp", "-a", server.home / "data", copy], check=True)  # cp -a keeps the owner
    return copy


def _restore(server: EmbeddedPostgres, copy: Path) -> None:
    shutil.rmtree(server.home / "data")
    copy.rename(server.home / "data")


def _unchanged(_: Path) -> None:
    """A restored volume: the same identity with an older log."""


def _promoted(copy: Path) -> None:
    """Make the copy end an archive recovery when it starts, as a promotion does."""
    with (copy / "postgresql.auto.conf").open("a") as settings:
        settings.write("restore_command = 'false'\n")
    (copy / "recovery.signal").touch()


async def _replace_history(
    server: EmbeddedPostgres, database: Database, services: Services, change: Callable[[Path], None]
) -> None:
    """Let clients read five versions, then restore a copy from before them."""
    runtime = await services.runtime("websocket")
    await asyncio.to_thread(server.stop)
    copy = await asyncio.to_thread(_copy, server)
    change(copy)
    await asyncio.to_thread(server.start)
    await until(lambda: runtime.ready, timeout=20)
    await _write(database, 5)
    for client in services.clients:
        await client.collect(5)
    await asyncio.to_thread(server.stop, "immediate")
    await until(lambda: not runtime.ready)
    _restore(server, copy)


@pytest.mark.parametrize(("change", "reason"), [(_unchanged, "future"), (_promoted, "foreign")])
async def test_connected_clients_are_reset(
    own_server: EmbeddedPostgres, change: Callable[[Path], None], reason: str
) -> None:
    database = Database(own_server.url(), "boardcast")
    await add_people(database)
    async with serving(database) as services:
        clients = [await services.open(transport) for transport in TRANSPORTS]
        await _write(database, 1)
        for client in clients:
            await client.collect(1)
        await _replace_history(own_server, database, services, change)
        await asyncio.to_thread(own_server.start)
        for client in clients:
            assert (await client.next("reset", timeout=20)).body["reason"] == reason
        await _write(database, 1)
        for client in clients:
            assert (await client.next_event()).body["version"] == 3
            assert client.cursor is not None


async def test_a_cursor_of_another_history_is_reset_as_diverged(own_server: EmbeddedPostgres) -> None:
    database = Database(own_server.url(), "boardcast")
    await add_people(database)
    async with serving(database) as services:
        client = await services.open("websocket")
        await _replace_history(own_server, database, services, _unchanged)
        cursor = client.cursor
        await services.stop()
        await asyncio.to_thread(own_server.start)
        await _write(database, 40)  # reuses the sequence numbers for other rows
        for transport in TRANSPORTS:
            again = await services.open(transport, cursor)
            assert (await again.next("reset")).body["reason"] == "diverged"


async def test_a_database_moved_to_another_cluster_gets_a_new_feed(services: Services, database: Database) -> None:
    clients = [await services.open(transport) for transport in TRANSPORTS]
    await database.execute("UPDATE feed.identity SET system_identifier = 'where it was dumped'")
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'boardcast-tailer'"
    )
    for client in clients:
        assert (await client.next("reset")).body["reason"] == "foreign"
    (identity,) = await database.execute("SELECT reason FROM feed.identity")
    assert identity["reason"] == "another cluster"
    await _write(database, 1)
    for client in clients:
        assert (await client.next_event()).body["version"] == 2


async def test_a_prefetch_of_the_old_feed_is_not_published_in_the_new_one(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Verify the feed before each read pass: between the notification, which prefetches, and the pass that takes the answer.
    monkeypatch.setattr("feed.tailing.tailer._VERIFY_INTERVAL", 0.0)
    client = await services.open("websocket")
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("UPDATE opportunities SET notes = 'covered by the cursor of the reset' WHERE id = 'o1'")
        await writer.execute("SELECT feed.reset_feed()")
    assert (await client.next("reset")).body["reason"] == "foreign"
    await database.execute("UPDATE opportunities SET notes = 'after it' WHERE id = 'o1'")
    assert (await client.next_event()).body["changes"]["notes"] == "after it"
