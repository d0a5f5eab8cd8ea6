"""An instance that reads the log on an asynchronous standby loses, repeats and reorders nothing."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from db.changelog import replica
from db.changelog.changes import Chunk
from db.changelog.positions import Seen
from db.changelog.replica import Horizon
from db.connection import Connection, PsycopgConnection
from db.embedded.server import EmbeddedPostgres
from feed.http.server import health
from feed.tailing.replica import Replica, ReplicaReadError, ReplicaStatus
from feed.wire.cursor import Cursor, parse_snapshot
from tests.conftest import SERVER_SETTINGS
from tests.support.database import Database
from tests.support.services import Services, add_people, serving
from tests.support.standby import fetch_value, promote, standby_of, wait_for_replay
from tests.support.streams import Client, Message, WebSocketClient
from tests.support.until import until

WRITERS = 8
CARDS = [f"s{n}" for n in range(6)]
SETTINGS = {name: value for name, value in SERVER_SETTINGS.items() if name not in {"fsync", "full_page_writes"}}


@pytest.fixture
def standby(own_server: EmbeddedPostgres, binaries: Path | None) -> Iterator[EmbeddedPostgres]:
    """A hot standby of the test's own server."""
    with standby_of(own_server, SETTINGS, binaries=binaries) as server:
        yield server


@pytest.fixture
async def database(own_server: EmbeddedPostgres) -> Database:
    found = Database(own_server.url(), "boardcast")
    await add_people(found)
    await found.execute(
        "INSERT INTO opportunities (id, board_id, title) SELECT 's' || n, 'b1', 'shared' FROM generate_series(0, 5) AS n"
    )
    return found


async def _write(database: Database, seed: int, transactions: int) -> None:
    """Random transactions on shared rows: long and short, rolled back partly or whole, with early transaction ids."""
    rng = random.Random(seed)
    async with await database.connect() as conn:
        await conn.execute("SET deadlock_timeout = '20ms'")
        for number in range(transactions):
            with suppress(psycopg.errors.DeadlockDetected):
                async with conn.transaction(force_rollback=rng.random() < 0.15):
                    if rng.random() < 0.4:
                        await conn.execute("SELECT pg_current_xact_id()")
                        await asyncio.sleep(rng.random() * 0.02)
                    for _ in range(rng.randint(1, 3)):
                        async with conn.transaction(force_rollback=rng.random() < 0.2):
                            await conn.execute(
                                "UPDATE opportunities SET notes = %s WHERE id = %s",
                                [f"{seed}-{number}-{rng.random()}", rng.choice(CARDS)],
                            )


async def _load(database: Database, transactions: int = 40, *, seed: int = 0) -> None:
    await asyncio.gather(*(_write(database, seed + n, transactions) for n in range(WRITERS)))


@asynccontextmanager
async def _serving_from_standby(
    database: Database, standby: EmbeddedPostgres, **settings: Any
) -> AsyncIterator[Services]:
    """Services that already read the log on the standby."""
    async with serving(
        database, replica_url=standby.url(), **({"max_replica_lag": 5.0, "read_interval": 0.2} | settings)
    ) as services:
        runtime = await services.runtime("websocket")
        await _wait_for_status(services, ReplicaStatus.USED)
        assert health(runtime)["replica"] == "used"
        yield services


async def _wait_for_status(services: Services, *wanted: ReplicaStatus, timeout: float = 20) -> None:
    runtime = await services.runtime("websocket")
    assert runtime.replica is not None
    reader = runtime.replica
    await until(lambda: reader.status in wanted, timeout=timeout, what=f"{wanted}")


async def _reads(services: Services, outcome: str, reader: str = "live") -> float:
    runtime = await services.runtime("websocket")
    return (
        runtime.metrics.registry.get_sample_value(
            "boardcast_replica_reads_total", {"reader": reader, "outcome": outcome}
        )
        or 0.0
    )


async def _wait_for_standby_reads(services: Services, number: int) -> None:
    """Wait until `number` more passes were read on the standby."""
    enough = await _reads(services, "read") + number

    async def reached() -> bool:
        return await _reads(services, "read") >= enough

    await until(reached)


async def _committed(database: Database) -> dict[int, tuple[str, int]]:
    rows = await database.execute(
        "SELECT seq, key, version FROM feed.log WHERE relation = 'opportunities' AND op = 'update'"
    )
    return {row["seq"]: (row["key"], row["version"]) for row in rows}


async def _updates(client: Client, number: int, timeout: float = 30) -> list[Message]:
    def received() -> bool:
        return len({m.seq for m in client.messages if m.type == "opportunity_updated"}) >= number

    await until(received, timeout=timeout, what=f"{number} events")
    return [m for m in client.messages if m.type == "opportunity_updated"]


async def _check_complete(client: Client, database: Database) -> None:
    """Check that each committed change was delivered once, with the versions of each row in order."""
    committed = await _committed(database)
    updates = await _updates(client, len(committed))
    seqs = [m.seq for m in updates]
    assert len(seqs) == len(set(seqs)), "delivered twice"
    assert set(seqs) == set(committed)
    for card in CARDS:
        versions = [m.body["version"] for m in updates if m.body["opportunityId"] == card]
        assert versions == sorted(versions), f"{card} out of order"
    assert not [m for m in client.messages if m.type in {"reset", "resync"}]


@pytest.mark.parametrize("seed", [1, 2])
async def test_reads_on_a_standby_lose_repeat_and_reorder_nothing(
    database: Database, standby: EmbeddedPostgres, seed: int
) -> None:
    async with _serving_from_standby(database, standby) as services:
        client = await services.open("websocket")
        start = client.cursor
        await _load(database, seed=seed)
        await _check_complete(client, database)
        assert await _reads(services, "read") > 20
        runtime = await services.runtime("websocket")
        runtime.publisher.replay_buffer.clear()
        later = await services.open("sse", start)
        await _check_complete(later, database)
        assert await _reads(services, "read", "recovery") == 1
        assert runtime.replica is not None
        for outcome in ("away", "lagging", "cancelled", "doubted", "silent", "failed"):
            assert await _reads(services, outcome, "recovery") == 0
        assert runtime.replica.used


async def test_a_failed_statement_on_the_standby_does_not_disqualify_it(
    database: Database, standby: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(conn: PsycopgConnection) -> None:
        await conn.execute("SELECT no_such_column")

    monkeypatch.setattr("feed.recovery.log_source.tune_log_read", failing)
    async with _serving_from_standby(database, standby) as services:
        client = await services.open("websocket")
        start = client.cursor
        await _load(database, 3)
        await _check_complete(client, database)
        runtime = await services.runtime("websocket")
        runtime.publisher.replay_buffer.clear()
        await _check_complete(await services.open("sse", start), database)
        assert await _reads(services, "failed", "recovery") > 0
        assert runtime.replica is not None
        assert runtime.replica.used


async def test_no_heartbeat_moves_the_cursor_back(
    database: Database, standby: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last part of a batch has its cursor before the read on the standby ends (Client.violation reports it)."""
    monkeypatch.setattr(
        "feed.upkeep.heartbeats._MISSED_LIMIT", 1000
    )  # a client may be late by many of these heartbeats
    async with _serving_from_standby(database, standby, heartbeat_interval=0.01) as services:
        clients = [await services.open(transport) for transport in ("websocket", "sse")]
        await _load(database, 20)
        for client in clients:
            await _check_complete(client, database)
            assert client.violation is None


async def test_the_primary_finishes_a_read_pass_that_failed_on_the_standby(
    database: Database, standby: EmbeddedPostgres
) -> None:
    async with _serving_from_standby(database, standby, chunk_rows=3) as services:
        client = await services.open("websocket")
        runtime = await services.runtime("websocket")
        killed = 0
        publish = runtime.publisher.publish

        def failing(part: Chunk) -> None:
            nonlocal killed
            publish(part)
            if not part.last and not killed:
                killed = 1
                fetch_value(
                    standby,
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE application_name = 'boardcast-replica'",
                )

        runtime.publisher.publish = failing  # type: ignore[method-assign]
        await database.execute(
            "INSERT INTO opportunities (id, board_id, notes) SELECT 'm' || n, 'b1', repeat(md5(n::text), 2000)"
            " FROM generate_series(1, 60) AS n"
        )
        assert len({m.seq for m in await client.collect(60, timeout=20)}) == 60
        assert killed
        await until(lambda: client.cursor == str(runtime.tailer.head))


@contextmanager
def _wal_writer_stopped(server: EmbeddedPostgres) -> Iterator[None]:
    """Asynchronous commits are not flushed while the block runs."""
    pid = fetch_value(server, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_an_unflushed_commit_is_delivered_once_the_standby_has_it(
    own_server: EmbeddedPostgres, database: Database, standby: EmbeddedPostgres
) -> None:
    """With synchronous_commit = off, a commit is visible before it is flushed; it is delivered once the standby has it."""
    async with _serving_from_standby(database, standby) as services:
        client = await services.open("websocket")
        reader = (await services.runtime("websocket")).replica
        assert reader is not None

        async def covered(xid: int) -> bool:
            now = await reader.horizon()
            assert xid in parse_snapshot(now.snapshot)
            async with reader.view(now, Seen(0)) as view:
                return xid in view.seen

        async def commit_unflushed(notes: str) -> int:
            async with await database.connect(autocommit=False) as writer:
                await writer.execute("UPDATE opportunities SET notes = %s WHERE id = 's1'", [notes])
                await writer.execute("SET LOCAL synchronous_commit = off")
                row = await (await writer.execute("SELECT pg_current_xact_id()::text::bigint AS xid")).fetchone()
                await writer.commit()
            assert row is not None
            return int(row["xid"])

        written: list[str] = ["flushed"]
        with _wal_writer_stopped(own_server):
            # The WAL writer may have stopped within a record, which no standby can replay. This commit flushes all of it.
            await database.execute("UPDATE opportunities SET notes = 'flushed' WHERE id = 's1'")
            for _ in range(20):  # the services' own commits flush whatever was written before them
                written.append(f"early {len(written)}")
                xid = await commit_unflushed(written[-1])
                if not await covered(xid):
                    break
            else:
                pytest.fail("another commit flushed each one before it was asked for")
        written.append("later")
        await database.execute("UPDATE opportunities SET notes = 'later' WHERE id = 's1'")
        assert [(await client.next_event()).body["changes"]["notes"] for _ in written] == written
        assert await covered(xid)


async def test_a_checkpoint_waits_for_what_the_standby_lacks(
    own_server: EmbeddedPostgres, database: Database, standby: EmbeddedPostgres
) -> None:
    """A board is counted on the primary, which may show a commit that is not flushed yet."""
    async with _serving_from_standby(database, standby, checkpoint_interval=0) as services:
        client = await services.open("websocket")
        assert isinstance(client, WebSocketClient)
        await client.next("presence_state")
        with _wal_writer_stopped(own_server):
            await database.execute(
                "UPDATE opportunities SET notes = 'flushed' WHERE id = 's1'"
            )  # as in the test before
            async with await database.connect(autocommit=False) as writer:
                await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('early', 'b1')")
                await writer.execute("SET LOCAL synchronous_commit = off")
                await writer.commit()
            await client.send({"type": "checkpoint", "boardId": "b1"})
            runtime = await services.runtime("websocket")
            await until(lambda: runtime.checkpoints._boards, what="the board to be counted")
            passes = runtime.tailer.passes.done
            await until(lambda: runtime.tailer.passes.done > passes + 2)
        body = (await client.next("checkpoint", timeout=20)).body
        (held,) = await database.execute("SELECT count, hash FROM feed.checkpoint('b1', %s)", [body["cursor"]])
        assert {"count": body["count"], "hash": body["hash"]} == held


async def test_a_cursor_taken_on_the_standby_would_lose_events(
    database: Database, standby: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves that the guard is needed: the same load loses events with the standby's own snapshot as cursor."""
    async with await psycopg.AsyncConnection.connect(standby.url(), autocommit=True) as on_standby:

        async def horizon_of_the_standby(conn: Connection) -> Horizon:
            primary = await replica_horizon(conn)
            row = await (await on_standby.execute("SELECT pg_current_snapshot()::text")).fetchone()
            assert row is not None
            return primary._replace(snapshot=row[0])

        async def nothing(*_: object) -> tuple[int, ...]:
            return ()

        replica_horizon = replica.horizon
        async with _serving_from_standby(database, standby) as services:
            client = await services.open("websocket")
            monkeypatch.setattr("db.changelog.replica.horizon", horizon_of_the_standby)
            monkeypatch.setattr("db.changelog.replica.unreplayed", nothing)
            await _load(database)
            monkeypatch.undo()
            await database.execute("UPDATE opportunities SET notes = 'the last' WHERE id = 's0'")
            last = max(await _committed(database))
            await until(lambda: any(m.seq == last for m in client.messages), timeout=20)
            missing = set(await _committed(database)) - {m.seq for m in client.messages}
            assert missing


async def _pause_replay(standby: EmbeddedPostgres) -> Callable[[], Awaitable[None]]:
    fetch_value(standby, "SELECT pg_wal_replay_pause()")

    async def repair() -> None:
        fetch_value(standby, "SELECT pg_wal_replay_resume()")

    return repair


async def _kill(standby: EmbeddedPostgres) -> Callable[[], Awaitable[None]]:
    await asyncio.to_thread(standby.kill)

    async def repair() -> None:
        await asyncio.to_thread(standby.start)

    return repair


@pytest.mark.parametrize(
    ("fault", "seen"), [(_pause_replay, ReplicaStatus.LAGGING), (_kill, ReplicaStatus.UNREACHABLE)]
)
async def test_reads_fall_back_to_the_primary_until_the_standby_recovers(
    database: Database,
    standby: EmbeddedPostgres,
    fault: Callable[[EmbeddedPostgres], Awaitable[Callable[[], Awaitable[None]]]],
    seen: ReplicaStatus,
) -> None:
    async with _serving_from_standby(database, standby, max_replica_lag=0.3) as services:
        client = await services.open("websocket")
        loading = asyncio.create_task(_load(database, 60))
        await _updates(client, 20)
        repair = await fault(standby)
        await _wait_for_status(services, seen)
        await _updates(client, 100)
        await repair()
        await loading
        await _check_complete(client, database)
        await _wait_for_status(services, ReplicaStatus.USED, timeout=30)
        await database.execute("UPDATE opportunities SET notes = 'again on the standby' WHERE id = 's0'")
        await _check_complete(client, database)
        await _wait_for_standby_reads(services, 1)
        assert await _reads(services, seen) >= 1


async def test_a_promoted_standby_is_not_read(database: Database, standby: EmbeddedPostgres) -> None:
    async with _serving_from_standby(database, standby) as services:
        client = await services.open("websocket")
        loading = asyncio.create_task(_load(database))
        await _updates(client, 20)
        await asyncio.to_thread(promote, standby)
        other = Database(standby.url(), "boardcast")
        await other.execute("UPDATE opportunities SET notes = 'of the other history' WHERE id = 'o1'")
        await loading
        await _wait_for_status(services, ReplicaStatus.PROMOTED)
        await _check_complete(client, database)
        assert not [m for m in client.messages if m.body.get("opportunityId") == "o1"]


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
        _serving_from_standby(database, standby, read_interval=60.0, notify_mode="always") as services,
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
        _serving_from_standby(database, standby, read_interval=60.0, notify_mode="always") as services,
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


def _cancelled(*_: object) -> None:
    raise ReplicaReadError("cancelled", "a conflict with recovery")


@pytest.mark.parametrize("what", ["another feed", "nothing"])
async def test_a_standby_with_another_feed_is_not_read(
    own_server: EmbeddedPostgres, database: Database, standby: EmbeddedPostgres, what: str
) -> None:
    database.close_idle()
    async with await psycopg.AsyncConnection.connect(own_server.url("postgres"), autocommit=True) as admin:
        await admin.execute(f"CREATE DATABASE other TEMPLATE {'boardcast' if what == 'another feed' else 'template0'}")
    if what == "another feed":
        await Database(own_server.url("other"), "other").execute("SELECT feed.reset_feed()")
    await asyncio.to_thread(wait_for_replay, own_server, standby)
    async with serving(database, replica_url=standby.url("other"), max_replica_lag=5.0) as services:
        client = await services.open("websocket")
        await _wait_for_status(services, ReplicaStatus.FOREIGN)
        await _load(database, 5)
        await _check_complete(client, database)
        assert await _reads(services, "read") == 0


async def test_a_read_cancelled_by_replay_is_repeated_on_the_primary(
    database: Database, standby: EmbeddedPostgres
) -> None:
    async with await psycopg.AsyncConnection.connect(standby.url(), autocommit=True) as on_standby:
        await on_standby.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        await on_standby.execute("SELECT pg_reload_conf()")
        await until(lambda: fetch_value(standby, "SHOW max_standby_streaming_delay") == "0")
    async with _serving_from_standby(database, standby) as services:
        client = await services.open("websocket")
        runtime = await services.runtime("websocket")
        assert runtime.replica is not None
        with pytest.raises(ReplicaReadError) as raised:
            await _read_until_cancelled(runtime.replica, standby, database)
        assert raised.value.outcome == "cancelled"
        assert await _reads(services, "cancelled", "recovery") >= 1
        await database.execute("UPDATE opportunities SET notes = 'x' WHERE id = 's0'")
        await _check_complete(client, database)


READING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"


async def _read_until_cancelled(reader: Replica, standby: EmbeddedPostgres, database: Database) -> None:
    """Read a table while the primary locks it. An idle transaction would be disconnected without an error instead."""
    async with reader.read_after((await reader.horizon()).written) as conn:
        reading = asyncio.create_task(conn.execute("SELECT pg_sleep(60) FROM feed.boards LIMIT 1"), name="reading")
        await until(lambda: fetch_value(standby, READING), timeout=20)
        await database.execute("ALTER TABLE feed.boards ADD COLUMN another int")
        await reading
