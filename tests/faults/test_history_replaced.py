"""The log is not the one it was: a promotion, a restore, another cluster. Every client is told, and none is fooled."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from db.embedded.server import EmbeddedPostgres
from tests.support.database import Database
from tests.support.services import Services, people, serving
from tests.support.streams import TRANSPORTS
from tests.support.until import until


async def _write(database: Database, number: int) -> None:
    for _ in range(number):
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id = 'o1'")


def _copy(server: EmbeddedPostgres) -> Path:
    """Take a copy of the stopped cluster's files, as of a volume."""
    kept = server.home / "kept"
    subprocess.run(["/bin/cp", "-a", server.home / "data", kept], check=True)  # with its owner
    return kept


def _put_back(server: EmbeddedPostgres, kept: Path) -> None:
    shutil.rmtree(server.home / "data")
    kept.rename(server.home / "data")


def _as_it_is(_: Path) -> None:
    """Leave it as it is: a volume that was put back, with the same identity and an older log."""


def _as_promoted(kept: Path) -> None:
    """Let it end an archive recovery when it starts, which is what a promotion is."""
    with (kept / "postgresql.auto.conf").open("a") as settings:
        settings.write("restore_command = 'false'\n")
    (kept / "recovery.signal").touch()


async def _replaced(
    server: EmbeddedPostgres, database: Database, services: Services, change: Callable[[Path], None]
) -> None:
    """Let clients read five versions that the cluster then knows nothing of."""
    hub = await services.hub("websocket")
    await asyncio.to_thread(server.stop)
    kept = await asyncio.to_thread(_copy, server)
    change(kept)
    await asyncio.to_thread(server.start)
    await until(lambda: hub.ready, timeout=20)
    await _write(database, 5)
    for client in services.clients:
        await client.collect(5)
    await asyncio.to_thread(server.stop, "immediate")
    await until(lambda: not hub.ready)
    _put_back(server, kept)


@pytest.mark.parametrize(("change", "reason"), [(_as_it_is, "future"), (_as_promoted, "foreign")])
async def test_who_is_connected_begins_anew(
    own_server: EmbeddedPostgres, change: Callable[[Path], None], reason: str
) -> None:
    database = Database(own_server.url(), "boardcast")
    await people(database)
    async with serving(database) as services:
        clients = [await services.open(transport) for transport in TRANSPORTS]
        await _write(database, 1)
        for client in clients:
            await client.collect(1)
        await _replaced(own_server, database, services, change)
        await asyncio.to_thread(own_server.start)
        for client in clients:
            assert (await client.next("reset", timeout=20)).body["reason"] == reason
        await _write(database, 1)
        for client in clients:
            assert (await client.next_event()).body["version"] == 3
            assert client.cursor is not None


async def test_who_comes_back_later_is_told_that_its_history_is_another_one(own_server: EmbeddedPostgres) -> None:
    database = Database(own_server.url(), "boardcast")
    await people(database)
    async with serving(database) as services:
        client = await services.open("websocket")
        await _replaced(own_server, database, services, _as_it_is)
        cursor = client.cursor
        await services.stop()
        await asyncio.to_thread(own_server.start)
        await _write(database, 40)  # the same numbers again, for other rows
        for transport in TRANSPORTS:
            again = await services.open(transport, cursor)
            assert (await again.next("reset")).body["reason"] == "diverged"


async def test_a_database_that_was_moved_to_another_cluster_renews_its_feed(
    services: Services, database: Database
) -> None:
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


async def test_what_was_asked_of_the_old_feed_is_not_told_in_the_new(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The log is proven anew before each sweep: between a bell, which asks at once what is new, and the sweep that takes the answer.
    monkeypatch.setattr("feed.tailing.tailer._VERIFY_INTERVAL", 0.0)
    client = await services.open("websocket")
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("UPDATE opportunities SET notes = 'covered by the cursor of the reset' WHERE id = 'o1'")
        await writer.execute("SELECT feed.reset_feed()")
    assert (await client.next("reset")).body["reason"] == "foreign"
    await database.execute("UPDATE opportunities SET notes = 'after it' WHERE id = 'o1'")
    assert (await client.next_event()).body["changes"]["notes"] == "after it"
