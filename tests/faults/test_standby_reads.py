"""An instance that reads the log on an asynchronous standby: nothing is lost, nothing is told twice, and the order is the same."""

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
from feed.tailing.replica import Replica, ReplicaReadError, ReplicaStatus
from feed.wire.cursor import Cursor, parse_snapshot
from tests.conftest import SERVER_SETTINGS
from tests.support.database import Database
from tests.support.services import Services, people, serving
from tests.support.standby import ask, caught_up, promote, standby_of
from tests.support.streams import Client, Message, WebSocketClient
from tests.support.until import until

pytestmark = pytest.mark.flaky(reruns=0)

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
    await people(found)
    await found.execute(
        "INSERT INTO opportunities (id, board_id, title) SELECT 's' || n, 'b1', 'shared' FROM generate_series(0, 5) AS n"
    )
    return found


async def _write(database: Database, seed: int, transactions: int) -> None:
    """Transactions of all kinds on rows that all share: long and short, rolled back in part and whole, ids taken early."""
    chance = random.Random(seed)
    async with await database.connect() as conn:
        await conn.execute("SET deadlock_timeout = '20ms'")
        for number in range(transactions):
            with suppress(psycopg.errors.DeadlockDetected):
                async with conn.transaction(force_rollback=chance.random() < 0.15):
                    if chance.random() < 0.4:
                        await conn.execute("SELECT pg_current_xact_id()")
                        await asyncio.sleep(chance.random() * 0.02)
                    for _ in range(chance.randint(1, 3)):
                        async with conn.transaction(force_rollback=chance.random() < 0.2):
                            await conn.execute(
                                "UPDATE opportunities SET notes = %s WHERE id = %s",
                                [f"{seed}-{number}-{chance.random()}", chance.choice(CARDS)],
                            )


async def _load(database: Database, transactions: int = 40, *, seed: int = 0) -> None:
    await asyncio.gather(*(_write(database, seed + n, transactions) for n in range(WRITERS)))


@asynccontextmanager
async def _sweeping(database: Database, standby: EmbeddedPostgres, **settings: Any) -> AsyncIterator[Services]:
    """Services that read the log on the standby, and do so already."""
    async with serving(
        database, replica_url=standby.url(), **({"max_replica_lag": 5.0, "read_interval": 0.2} | settings)
    ) as services:
        hub = await services.hub("websocket")
        await _fitness(services, ReplicaStatus.USED)
        assert hub.health()["replica"] == "used"
        yield services


async def _fitness(services: Services, *wanted: ReplicaStatus, timeout: float = 20) -> None:
    hub = await services.hub("websocket")
    assert hub.replica is not None
    used = hub.replica
    await until(lambda: used.status in wanted, timeout=timeout, what=f"{wanted}")


async def _reads(services: Services, outcome: str, reader: str = "live") -> float:
    hub = await services.hub("websocket")
    return (
        hub.metrics.registry.get_sample_value("boardcast_replica_reads_total", {"reader": reader, "outcome": outcome})
        or 0.0
    )


async def _sweeps(services: Services, number: int) -> None:
    """Let so many be read on the standby."""
    enough = await _reads(services, "read") + number

    async def there() -> bool:
        return await _reads(services, "read") >= enough

    await until(there)


async def _committed(database: Database) -> dict[int, tuple[str, int]]:
    rows = await database.execute(
        "SELECT seq, key, version FROM feed.log WHERE relation = 'opportunities' AND op = 'update'"
    )
    return {row["seq"]: (row["key"], row["version"]) for row in rows}


async def _told(client: Client, number: int, timeout: float = 30) -> list[Message]:
    def there() -> bool:
        return len({m.seq for m in client.messages if m.type == "opportunity_updated"}) >= number

    await until(there, timeout=timeout, what=f"{number} events")
    return [m for m in client.messages if m.type == "opportunity_updated"]


async def _complete(client: Client, database: Database) -> None:
    """All that was committed has been told, once, and the versions of each row in their order."""
    committed = await _committed(database)
    told = await _told(client, len(committed))
    seqs = [m.seq for m in told]
    assert len(seqs) == len(set(seqs)), "told twice"
    assert set(seqs) == set(committed)
    for card in CARDS:
        versions = [m.body["version"] for m in told if m.body["opportunityId"] == card]
        assert versions == sorted(versions), f"{card} out of order"
    assert not [m for m in client.messages if m.type in {"reset", "resync"}]


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_lost_nor_twice_nor_out_of_order(
    database: Database, standby: EmbeddedPostgres, seed: int
) -> None:
    async with _sweeping(database, standby) as services:
        client = await services.open("websocket")
        start = client.cursor
        await _load(database, seed=seed)
        await _complete(client, database)
        assert await _reads(services, "read") > 20
        hub = await services.hub("websocket")
        hub.publisher.replay_buffer.clear()
        later = await services.open("sse", start)
        await _complete(later, database)
        assert await _reads(services, "read", "recovery") == 1
        assert hub.replica is not None
        for outcome in ("away", "lagging", "cancelled", "doubted", "silent", "failed"):
            assert await _reads(services, outcome, "recovery") == 0
        assert hub.replica.used


async def test_a_statement_that_fails_there_does_not_take_the_standby_from_the_others(
    database: Database, standby: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(conn: PsycopgConnection) -> None:
        await conn.execute("SELECT no_such_column")

    monkeypatch.setattr("feed.recovery.shared_reads.tune_log_read", failing)
    async with _sweeping(database, standby) as services:
        client = await services.open("websocket")
        start = client.cursor
        await _load(database, 3)
        await _complete(client, database)
        hub = await services.hub("websocket")
        hub.publisher.replay_buffer.clear()
        await _complete(await services.open("sse", start), database)
        assert await _reads(services, "failed", "recovery") > 0
        assert hub.replica is not None
        assert hub.replica.used


async def test_no_heartbeat_takes_the_cursor_back(database: Database, standby: EmbeddedPostgres) -> None:
    """The last part of a batch has its cursor before the read on the standby has ended; see Client.broken."""
    async with _sweeping(database, standby, heartbeat_interval=0.01) as services:
        clients = [await services.open(transport) for transport in ("websocket", "sse")]
        await _load(database, 20)
        for client in clients:
            await _complete(client, database)
            assert client.broken is None


async def test_a_pass_that_the_standby_began_is_finished_by_the_primary(
    database: Database, standby: EmbeddedPostgres
) -> None:
    async with _sweeping(database, standby, chunk_rows=3) as services:
        client = await services.open("websocket")
        hub = await services.hub("websocket")
        killed = 0
        take = hub.publisher.publish

        def failing(part: Chunk) -> None:
            nonlocal killed
            take(part)
            if not part.last and not killed:
                killed = 1
                ask(
                    standby,
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE application_name = 'boardcast-replica'",
                )

        hub.publisher.publish = failing  # type: ignore[method-assign]
        await database.execute(
            "INSERT INTO opportunities (id, board_id, notes) SELECT 'm' || n, 'b1', repeat(md5(n::text), 2000)"
            " FROM generate_series(1, 60) AS n"
        )
        assert len({m.seq for m in await client.collect(60, timeout=20)}) == 60
        assert killed
        await until(lambda: client.cursor == str(hub.tailer.head))


@contextmanager
def _nobody_flushes(server: EmbeddedPostgres) -> Iterator[None]:
    """Who does not wait for his commit is not waited for by anybody."""
    pid = ask(server, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_commit_that_is_not_flushed_yet_is_not_passed_over(
    own_server: EmbeddedPostgres, database: Database, standby: EmbeddedPostgres
) -> None:
    """A writer who says so after his write commits before his commit is on any disk: it is told when the standby has it."""
    async with _sweeping(database, standby) as services:
        client = await services.open("websocket")
        there = (await services.hub("websocket")).replica
        assert there is not None

        async def told(xid: int) -> bool:
            now = await there.horizon()
            assert xid in parse_snapshot(now.snapshot)
            async with there.view(now, Seen(0)) as view:
                return xid in view.seen

        with _nobody_flushes(own_server):
            async with await database.connect(autocommit=False) as writer:
                await writer.execute("UPDATE opportunities SET notes = 'early' WHERE id = 's1'")
                await writer.execute("SET LOCAL synchronous_commit = off")
                row = await (await writer.execute("SELECT pg_current_xact_id()::text::bigint AS xid")).fetchone()
                await writer.commit()
            assert row is not None
            assert not await told(row["xid"])
        await database.execute("UPDATE opportunities SET notes = 'later' WHERE id = 's1'")
        assert [(await client.next_event()).body["changes"]["notes"] for _ in range(2)] == ["early", "later"]
        assert await told(row["xid"])


async def test_a_checkpoint_counts_nothing_that_the_standby_does_not_have(
    own_server: EmbeddedPostgres, database: Database, standby: EmbeddedPostgres
) -> None:
    """A board is counted on the primary, which may show a commit that is not flushed yet."""
    async with _sweeping(database, standby, checkpoint_interval=0) as services:
        client = await services.open("websocket")
        assert isinstance(client, WebSocketClient)
        await client.next("presence_state")
        with _nobody_flushes(own_server):
            async with await database.connect(autocommit=False) as writer:
                await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('early', 'b1')")
                await writer.execute("SET LOCAL synchronous_commit = off")
                await writer.commit()
            await client.send({"type": "checkpoint", "boardId": "b1"})
            hub = await services.hub("websocket")
            await until(lambda: hub.checkpoints._boards, what="the board to be counted")
            sweeps = hub.tailer.passes
            await until(lambda: hub.tailer.passes > sweeps + 2)
        body = (await client.next("checkpoint", timeout=20)).body
        (held,) = await database.execute("SELECT count, hash FROM feed.checkpoint('b1', %s)", [body["cursor"]])
        assert {"count": body["count"], "hash": body["hash"]} == held


async def test_a_cursor_that_is_taken_on_the_standby_loses(
    database: Database, standby: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this guards against is real: the same load, with the standby's own snapshot for a cursor."""
    async with await psycopg.AsyncConnection.connect(standby.url(), autocommit=True) as there:

        async def of_the_standby(conn: Connection) -> Horizon:
            right = await replica_horizon(conn)
            row = await (await there.execute("SELECT pg_current_snapshot()::text")).fetchone()
            assert row is not None
            return right._replace(snapshot=row[0])

        async def nothing(*_: object) -> tuple[int, ...]:
            return ()

        replica_horizon = replica.horizon
        async with _sweeping(database, standby) as services:
            client = await services.open("websocket")
            monkeypatch.setattr("db.changelog.replica.horizon", of_the_standby)
            monkeypatch.setattr("db.changelog.replica.unreplayed", nothing)
            await _load(database)
            monkeypatch.undo()
            await database.execute("UPDATE opportunities SET notes = 'the last' WHERE id = 's0'")
            last = max(await _committed(database))
            await until(lambda: any(m.seq == last for m in client.messages), timeout=20)
            missing = set(await _committed(database)) - {m.seq for m in client.messages}
            assert missing


async def _cut_replay(standby: EmbeddedPostgres) -> Callable[[], Awaitable[None]]:
    ask(standby, "SELECT pg_wal_replay_pause()")

    async def heal() -> None:
        ask(standby, "SELECT pg_wal_replay_resume()")

    return heal


async def _kill(standby: EmbeddedPostgres) -> Callable[[], Awaitable[None]]:
    await asyncio.to_thread(standby.kill)

    async def heal() -> None:
        await asyncio.to_thread(standby.start)

    return heal


@pytest.mark.parametrize(("fault", "seen"), [(_cut_replay, ReplicaStatus.LAGGING), (_kill, ReplicaStatus.UNREACHABLE)])
async def test_the_primary_reads_for_a_standby_that_cannot_and_it_comes_back(
    database: Database,
    standby: EmbeddedPostgres,
    fault: Callable[[EmbeddedPostgres], Awaitable[Callable[[], Awaitable[None]]]],
    seen: ReplicaStatus,
) -> None:
    async with _sweeping(database, standby, max_replica_lag=0.3) as services:
        client = await services.open("websocket")
        loading = asyncio.create_task(_load(database, 60))
        await _told(client, 20)
        heal = await fault(standby)
        await _fitness(services, seen)
        await _told(client, 100)
        await heal()
        await loading
        await _complete(client, database)
        await _fitness(services, ReplicaStatus.USED, timeout=30)
        await database.execute("UPDATE opportunities SET notes = 'again on the standby' WHERE id = 's0'")
        await _complete(client, database)
        await _sweeps(services, 1)
        assert await _reads(services, seen) >= 1


async def test_one_that_is_promoted_is_not_read_any_more(database: Database, standby: EmbeddedPostgres) -> None:
    async with _sweeping(database, standby) as services:
        client = await services.open("websocket")
        loading = asyncio.create_task(_load(database))
        await _told(client, 20)
        await asyncio.to_thread(promote, standby)
        other = Database(standby.url(), "boardcast")
        await other.execute("UPDATE opportunities SET notes = 'of the other history' WHERE id = 'o1'")
        await loading
        await _fitness(services, ReplicaStatus.PROMOTED)
        await _complete(client, database)
        assert not [m for m in client.messages if m.body.get("opportunityId") == "o1"]


@asynccontextmanager
async def _ended_unflushed(
    database: Database, own_server: EmbeddedPostgres, standby: EmbeddedPostgres, services: Services
) -> AsyncIterator[tuple[int, Client, asyncio.Task[Any]]]:
    """A transaction that logged nothing is rolled back, and that is not flushed; an earlier commit becomes visible after it.

    Its id, a client that has what was written before both, and the task of the writer who waits for the commit to be let go.
    """
    client = await services.open("websocket")
    hub = await services.hub("websocket")
    async with await database.connect(autocommit=False) as idle, await database.connect() as writer:
        row = await (await idle.execute("SELECT pg_current_xact_id()::text::bigint AS xid")).fetchone()
        assert row is not None
        await database.execute("UPDATE opportunities SET notes = 'first' WHERE id = 's0'")
        await client.next_event()
        await until(lambda: row["xid"] in hub.tailer.head.seen.xip)
        await writer.execute("SET synchronous_commit = on")
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        write = asyncio.create_task(writer.execute("UPDATE opportunities SET notes = 'second' WHERE id = 's1'"))
        await until(lambda: database.execute(waiting))
        await asyncio.to_thread(caught_up, own_server, standby)
        await idle.rollback()
        yield row["xid"], client, write


async def _let_go(database: Database, write: asyncio.Task[Any]) -> None:
    await database.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    await write


@pytest.fixture
async def unflushed(database: Database) -> None:
    """What is not waited for is not flushed for 10 seconds; who waits for a standby waits for ever."""
    for setting in ("wal_writer_delay = '10s'", "synchronous_commit = local", "synchronous_standby_names = 'nobody'"):
        async with await database.connect() as admin:
            await admin.execute(f"ALTER SYSTEM SET {setting}")
    await database.execute("SELECT pg_reload_conf()")


@pytest.mark.usefixtures("unflushed")
async def test_no_cursor_is_behind_what_the_primary_has_shown(
    database: Database, standby: EmbeddedPostgres, own_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        _sweeping(database, standby, read_interval=60.0, notify_mode="always") as services,
        _ended_unflushed(database, own_server, standby, services) as (xid, client, write),
    ):
        hub = await services.hub("websocket")
        assert hub.replica is not None
        with monkeypatch.context() as patched:
            patched.setattr(hub.replica, "view", _cancelled)
            await hub.tailer.wait_for_pass()
        assert xid in hub.tailer.head.seen
        await _let_go(database, write)
        await client.next_event()
        assert xid in hub.tailer.head.seen


@pytest.mark.usefixtures("unflushed")
async def test_no_client_gets_a_cursor_that_is_behind_the_one_it_came_with(
    database: Database, standby: EmbeddedPostgres, own_server: EmbeddedPostgres
) -> None:
    """It is of the primary, which shows the rollback before the commit; on the standby it is the other way round."""
    async with (
        _sweeping(database, standby, read_interval=60.0, notify_mode="always") as services,
        _ended_unflushed(database, own_server, standby, services) as (xid, client, write),
    ):
        hub = await services.hub("websocket")
        first = hub.tailer.head
        primarys = Cursor(first.feed, Seen(first.seen.xmax), first.anchor, first.tag)
        await _let_go(database, write)
        await client.next_event()
        assert xid not in hub.tailer.head.seen
        await database.execute("INSERT INTO users (id, name) VALUES ('flush', 'the log')")
        await asyncio.to_thread(caught_up, own_server, standby)
        other = await services.open("websocket", str(primarys), user="bruno")
        event = await other.next_event()
        assert event.body["changes"]["notes"] == "second"
        assert event.cursor is not None
        assert Cursor.parse(event.cursor).covers(primarys)


def _cancelled(*_: object) -> None:
    raise ReplicaReadError("cancelled", "a conflict with recovery")


@pytest.mark.parametrize("what", ["another feed", "nothing"])
async def test_one_that_holds_another_feed_is_not_read(
    own_server: EmbeddedPostgres, database: Database, standby: EmbeddedPostgres, what: str
) -> None:
    database.leave()
    async with await psycopg.AsyncConnection.connect(own_server.url("postgres"), autocommit=True) as admin:
        await admin.execute(f"CREATE DATABASE other TEMPLATE {'boardcast' if what == 'another feed' else 'template0'}")
    if what == "another feed":
        await Database(own_server.url("other"), "other").execute("SELECT feed.reset_feed()")
    await asyncio.to_thread(caught_up, own_server, standby)
    async with serving(database, replica_url=standby.url("other"), max_replica_lag=5.0) as services:
        client = await services.open("websocket")
        await _fitness(services, ReplicaStatus.FOREIGN)
        await _load(database, 5)
        await _complete(client, database)
        assert await _reads(services, "read") == 0


async def test_a_read_that_replay_cancels_is_done_on_the_primary(database: Database, standby: EmbeddedPostgres) -> None:
    async with await psycopg.AsyncConnection.connect(standby.url(), autocommit=True) as there:
        await there.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        await there.execute("SELECT pg_reload_conf()")
        await until(lambda: ask(standby, "SHOW max_standby_streaming_delay") == "0")
    async with _sweeping(database, standby) as services:
        client = await services.open("websocket")
        hub = await services.hub("websocket")
        assert hub.replica is not None
        with pytest.raises(ReplicaReadError) as raised:
            await _read_until_cancelled(hub.replica, standby, database)
        assert raised.value.outcome == "cancelled"
        assert await _reads(services, "cancelled", "recovery") >= 1
        await database.execute("UPDATE opportunities SET notes = 'x' WHERE id = 's0'")
        await _complete(client, database)


READING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"


async def _read_until_cancelled(there: Replica, standby: EmbeddedPostgres, database: Database) -> None:
    """Be in the middle of reading a table when the primary locks it: who is idle in between is cut off without a word."""
    async with there.read_after((await there.horizon()).written) as conn:
        reading = asyncio.create_task(conn.execute("SELECT pg_sleep(60) FROM boards LIMIT 1"), name="reading")
        await until(lambda: ask(standby, READING), timeout=20)
        await database.execute("ALTER TABLE boards ADD COLUMN another int")
        await reading
