"""An instance that reads the log on an asynchronous standby loses, repeats and reorders nothing."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from db.changelog import replica
from db.changelog.changes import Chunk
from db.changelog.positions import Seen
from db.changelog.replica import Horizon
from db.connection import Connection, PsycopgConnection
from db.embedded.server import EmbeddedPostgres
from feed.wire.cursor import parse_snapshot
from tests.faults.standby.load import check_complete, committed_changes, count_reads, load, serving_from_standby
from tests.support.database import Database
from tests.support.standby import fetch_value
from tests.support.streams import WebSocketClient
from tests.support.until import until


@pytest.mark.parametrize("seed", [1, 2])
async def test_reads_on_a_standby_lose_repeat_and_reorder_nothing(
    database: Database, standby: EmbeddedPostgres, seed: int
) -> None:
    async with serving_from_standby(database, standby) as services:
        client = await services.open("websocket")
        start = client.cursor
        await load(database, seed=seed)
        await check_complete(client, database)
        assert await count_reads(services, "read") > 20
        runtime = await services.runtime("websocket")
        runtime.publisher.replay_buffer.clear()
        later = await services.open("sse", start)
        await check_complete(later, database)
        assert await count_reads(services, "read", "recovery") == 1
        assert runtime.replica is not None
        for outcome in ("away", "lagging", "cancelled", "doubted", "silent", "failed"):
            assert await count_reads(services, outcome, "recovery") == 0
        assert runtime.replica.used


async def test_a_failed_statement_on_the_standby_does_not_disqualify_it(
    database: Database, standby: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(conn: PsycopgConnection) -> None:
        await conn.execute("SELECT no_such_column")

    monkeypatch.setattr("feed.recovery.log_source.tune_log_read", failing)
    async with serving_from_standby(database, standby) as services:
        client = await services.open("websocket")
        start = client.cursor
        await load(database, 3)
        await check_complete(client, database)
        runtime = await services.runtime("websocket")
        runtime.publisher.replay_buffer.clear()
        await check_complete(await services.open("sse", start), database)
        assert await count_reads(services, "failed", "recovery") > 0
        assert runtime.replica is not None
        assert runtime.replica.used


async def test_no_heartbeat_moves_the_cursor_back(
    database: Database, standby: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last part of a batch has its cursor before the read on the standby ends (Client.violation reports it)."""
    monkeypatch.setattr(
        "feed.upkeep.heartbeats._MISSED_LIMIT", 1000
    )  # a client may be late by many of these heartbeats
    async with serving_from_standby(database, standby, heartbeat_interval=0.01) as services:
        clients = [await services.open(transport) for transport in ("websocket", "sse")]
        await load(database, 20)
        for client in clients:
            await check_complete(client, database)
            assert client.violation is None


async def test_the_primary_finishes_a_read_pass_that_failed_on_the_standby(
    database: Database, standby: EmbeddedPostgres
) -> None:
    async with serving_from_standby(database, standby, chunk_rows=3) as services:
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
    async with serving_from_standby(database, standby) as services:
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
    async with serving_from_standby(database, standby, checkpoint_interval=0) as services:
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
        async with serving_from_standby(database, standby) as services:
            client = await services.open("websocket")
            monkeypatch.setattr("db.changelog.replica.horizon", horizon_of_the_standby)
            monkeypatch.setattr("db.changelog.replica.unreplayed", nothing)
            await load(database)
            monkeypatch.undo()
            await database.execute("UPDATE opportunities SET notes = 'the last' WHERE id = 's0'")
            last = max(await committed_changes(database))
            await until(lambda: any(m.seq == last for m in client.messages), timeout=20)
            missing = set(await committed_changes(database)) - {m.seq for m in client.messages}
            assert missing
