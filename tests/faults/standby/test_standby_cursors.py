"""No cursor goes back when reads on a standby and on the primary take turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from db.changelog.positions import Seen
from db.embedded.server import EmbeddedPostgres
from feed.tailing.replica import ReplicaReadError
from feed.wire.cursor import Cursor
from tests.faults.standby.load import (
    serving_from_standby,
)
from tests.support.database import Database
from tests.support.services import Services
from tests.support.standby import wait_for_replay
from tests.support.streams import Client
from tests.support.until import until


def _cancelled(*_: object) -> None:
    raise ReplicaReadError("cancelled", "a conflict with recovery")


@asynccontextmanager
async def _rolled_back_unflushed(
    database: Database, own_server: EmbeddedPostgres, standby: EmbeddedPostgres, services: Services
) -> AsyncIterator[tuple[int, Client, asyncio.Task[Any]]]:
    """A transaction that logged nothing rolls back unflushed, and an earlier commit becomes visible after it.

    Yields its id, a client that has the changes before both, and the task of the commit, which waits for a standby.
    """
    client = await services.open("websocket")
    runtime = await services.runtime("websocket")
    async with await database.connect(autocommit=False) as idle, await database.connect() as writer:
        row = await (await idle.execute("SELECT pg_current_xact_id()::text::bigint AS xid")).fetchone()
        assert row is not None
        await database.execute("UPDATE opportunities SET notes = 'first' WHERE id = 's0'")
        await client.next_event()
        await until(lambda: row["xid"] in runtime.tailer.head.seen.xip)
        await writer.execute("SET synchronous_commit = on")
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        write = asyncio.create_task(writer.execute("UPDATE opportunities SET notes = 'second' WHERE id = 's1'"))
        await until(lambda: database.execute(waiting))
        await asyncio.to_thread(wait_for_replay, own_server, standby)
        await idle.rollback()
        yield row["xid"], client, write


async def _release_commit(database: Database, write: asyncio.Task[Any]) -> None:
    await database.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    await write


@pytest.fixture
async def unflushed(database: Database) -> None:
    """Asynchronous commits are not flushed for 10 seconds, and synchronous ones wait for a standby that does not exist."""
    for setting in ("wal_writer_delay = '10s'", "synchronous_commit = local", "synchronous_standby_names = 'missing'"):
        async with await database.connect() as admin:
            await admin.execute(f"ALTER SYSTEM SET {setting}")
    await database.execute("SELECT pg_reload_conf()")


@pytest.mark.usefixtures("unflushed")
async def test_no_cursor_moves_behind_a_read_on_the_primary(
    database: Database, standby: EmbeddedPostgres, own_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        serving_from_standby(database, standby, read_interval=60.0, notify_mode="always") as services,
        _rolled_back_unflushed(database, own_server, standby, services) as (xid, client, write),
    ):
        runtime = await services.runtime("websocket")
        assert runtime.replica is not None
        with monkeypatch.context() as patched:
            patched.setattr(runtime.replica, "view", _cancelled)
            await runtime.tailer.wait_for_pass()
        assert xid in runtime.tailer.head.seen
        await _release_commit(database, write)
        await client.next_event()
        assert xid in runtime.tailer.head.seen


@pytest.mark.usefixtures("unflushed")
async def test_a_client_never_gets_a_cursor_behind_its_own(
    database: Database, standby: EmbeddedPostgres, own_server: EmbeddedPostgres
) -> None:
    """The client's cursor is of the primary, which shows the rollback first; the standby shows the commit first."""
    async with (
        serving_from_standby(database, standby, read_interval=60.0, notify_mode="always") as services,
        _rolled_back_unflushed(database, own_server, standby, services) as (xid, client, write),
    ):
        runtime = await services.runtime("websocket")
        first = runtime.tailer.head
        primary_cursor = Cursor(first.feed, Seen(first.seen.xmax), first.anchor, first.tag)
        await _release_commit(database, write)
        await client.next_event()
        assert xid not in runtime.tailer.head.seen
        await database.execute("INSERT INTO users (id, name) VALUES ('flush', 'the log')")
        await asyncio.to_thread(wait_for_replay, own_server, standby)
        other = await services.open("websocket", str(primary_cursor), user="bruno")
        event = await other.next_event()
        assert event.body["changes"]["notes"] == "second"
        assert event.cursor is not None
        assert Cursor.parse(event.cursor).covers(primary_cursor)
