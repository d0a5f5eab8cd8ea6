"""Flags: the transport of each user, NOTIFY on and off, and capture on and off."""

import asyncio
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import errors
from psycopg.sql import SQL, Identifier

from db import flags, pacer
from db.connection import PsycopgConnection as Plain
from feed.delivery.flags import Flags, rollout_bucket
from feed.system.database import connect
from tests.db.support import Connection, log_rows, logged_changes, newest_seq, rows, sqlstate_of, value
from tests.support.database import Database
from tests.support.until import until

pytestmark = pytest.mark.any_version

USERS = ["ana", "bruno", "ação", "", "0", *(f"user-{n}" for n in range(300))]


@pytest.fixture
async def plain(database: Database) -> Any:
    """A connection like that of the command line."""
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
        yield conn


async def best_transports(db: Connection) -> dict[str, str]:
    """Return each user's transport according to the database; the feed must agree."""
    async with await psycopg.AsyncConnection.connect(db.info.dsn, password=db.info.password) as conn:
        local = Flags(await flags.rules(conn))
    found = await rows(db, "SELECT u, feed.realtime(u) AS value FROM unnest(%s::text[]) AS u", (USERS,))
    assert {row["u"]: local.best_transport(row["u"]) for row in found} == {row["u"]: row["value"] for row in found}
    assert local.best_transport(None) == await value(db, "SELECT feed.realtime(NULL)")
    return {row["u"]: row["value"] for row in found}


async def test_rollout_buckets_are_the_same_in_sql_and_in_the_feed(db: Connection) -> None:
    found = await rows(db, "SELECT u, feed.rollout_bucket(u) AS place FROM unnest(%s::text[]) AS u", (USERS,))
    assert {row["u"]: row["place"] for row in found} == {user: rollout_bucket(user) for user in USERS}
    assert {0, 99} <= {rollout_bucket(f"user-{n}") for n in range(3000)}


async def test_without_rules_everybody_gets_websocket(db: Connection) -> None:
    assert set((await best_transports(db)).values()) == {"websocket"}


async def test_the_most_specific_rule_wins(db: Connection, plain: Plain) -> None:
    await flags.set_realtime(plain, "poll", percentage=None, user=None)
    await flags.set_realtime(plain, "websocket", percentage=30, user=None)
    inside = next(user for user in USERS if rollout_bucket(user) < 30)
    outside = next(user for user in USERS if rollout_bucket(user) >= 30)
    await flags.set_realtime(plain, "off", percentage=None, user=inside)
    await flags.set_realtime(plain, "sse", percentage=None, user=outside)
    found = await best_transports(db)
    assert (found[inside], found[outside]) == ("off", "sse")
    for user in set(USERS) - {inside, outside}:
        assert found[user] == ("websocket" if rollout_bucket(user) < 30 else "poll")
    assert await flags.clear_realtime(plain, "user", inside) == 1
    assert (await best_transports(db))[inside] == "websocket"
    assert await flags.clear_realtime(plain, None, None) == 3
    assert set((await best_transports(db)).values()) == {"websocket"}


async def test_raising_a_percentage_removes_no_user(db: Connection, plain: Plain) -> None:
    await flags.set_realtime(plain, "poll", percentage=None, user=None)
    inside: set[str] = set()
    for percentage in (0, 1, 10, 50, 99, 100):
        await flags.set_realtime(plain, "websocket", percentage=percentage, user=None)
        now = {user for user, value in (await best_transports(db)).items() if value == "websocket"}
        assert inside <= now
        inside = now
    assert inside == set(USERS)


async def test_flag_changes_are_logged(db: Connection, plain: Plain) -> None:
    before = await newest_seq(db)
    await flags.set_realtime(plain, "sse", percentage=None, user="ana")
    await flags.set_realtime(plain, "sse", percentage=None, user="ana")
    await flags.set_realtime(plain, "poll", percentage=None, user="ana")
    await flags.clear_realtime(plain, "user", "ana")
    key = '["realtime", "user", "ana"]'
    assert await logged_changes(db, before) == [("insert", key, None), ("update", key, None), ("delete", key, None)]
    assert {row["relation"] for row in await log_rows(db, before)} == {"feed.flags"}


@pytest.mark.parametrize(
    "row",
    [
        "('realtime', 'everybody', '', NULL, 'carrier pigeon')",
        "('realtime', 'user', '', NULL, 'sse')",
        "('realtime', 'everybody', 'ana', NULL, 'sse')",
        "('realtime', 'percentage', '', NULL, 'sse')",
        "('realtime', 'percentage', '', 101, 'sse')",
        "('realtime', 'everybody', '', 50, 'sse')",
        "('notify', 'user', 'ana', NULL, 'off')",
        "('capture', 'everybody', '', NULL, 'on')",
        "('seal', 'everybody', '', NULL, 'off')",
        "('seal', 'user', 'ana', NULL, 'on')",
        "('else', 'everybody', '', NULL, 'off')",
    ],
)
async def test_invalid_rules_are_refused(db: Connection, row: LiteralString) -> None:
    insert = SQL("INSERT INTO feed.flags (flag, scope, user_id, percentage, value) VALUES {}").format(SQL(row))
    assert await sqlstate_of(db, insert) == "23514"


async def notified(db: Connection) -> bool:
    await db.execute("UPDATE opportunities SET notes = clock_timestamp()::text")
    return bool(await value(db, "SELECT notified FROM feed.log ORDER BY seq DESC LIMIT 1"))


async def notified_channels(database: Database, db: Connection) -> list[str]:
    """Return the channels on which writes send NOTIFY."""
    async with await database.connect() as listener:
        for channel in ("boardcast", "boardcast_presence"):
            await listener.execute(f"LISTEN {channel}")
        await db.execute("UPDATE opportunities SET notes = clock_timestamp()::text")
        await db.execute(
            "INSERT INTO feed.user_presence (user_id, user_name, board_id, action, connection, instance)"
            " VALUES ('ana', 'Ana', 'b1', 'viewing', 'c', 'i')"
        )
        await db.execute("NOTIFY boardcast_presence, 'last'")
        channels: list[str] = []
        async for one in listener.notifies(timeout=5):
            if one.payload == "last":
                return channels
            channels.append(one.channel)
    raise AssertionError("its own NOTIFY did not arrive")


async def test_with_notify_off_nothing_is_sent_and_everything_is_logged(
    database: Database, db: Connection, plain: Plain
) -> None:
    assert await notified_channels(database, db) == ["boardcast", "boardcast_presence"]
    await flags.set_notify(plain, on=False)
    assert not await notified(db)
    assert await notified_channels(database, db) == []
    await flags.set_notify(plain, on=False)
    assert await value(db, "SELECT feed.realtime('ana')") == "websocket"
    await flags.set_notify(plain, on=True)
    assert await notified(db)
    assert await notified_channels(database, db) == ["boardcast", "boardcast_presence"]
    assert await rows(db, "SELECT * FROM feed.flags") == []


async def test_no_pacer_can_unmute_notify(database: Database, db: Connection, plain: Plain) -> None:
    async with await connect(database.url, "boardcast-pacer") as holder:
        await pacer.prepare(holder)
        assert await pacer.claim(holder, "a")
        held = await pacer.renew(holder, "a", "coalesced", ahead=400, sent=0)
        assert held is not None
        assert not held.muted
        await flags.set_notify(plain, on=False)
        for ahead in (400, 0):
            held = await pacer.renew(holder, "a", "coalesced", ahead=ahead, sent=0)
            assert held is not None
            assert held.muted
            assert not await notified(db)
        assert await value(db, "SELECT mode FROM feed.pacer") == "muted"
        await pacer.release(holder, "a", sent=0)
        assert not await notified(db)
        assert await pacer.claim(holder, "b")
        assert not await notified(db)
        await flags.set_notify(plain, on=True)
        assert await notified(db)


async def test_muting_and_renewing_the_lease_are_serialized(database: Database, db: Connection) -> None:
    """Both lock the row of the lease, so a renewal that waited sees that NOTIFY was muted."""
    async with (
        await connect(database.url, "boardcast-pacer") as holder,
        await database.connect(autocommit=False) as switch,
    ):
        await pacer.prepare(holder)
        assert await pacer.claim(holder, "a")
        await switch.execute("SELECT feed.set_notify(false)")
        waiting = asyncio.create_task(pacer.renew(holder, "a", "coalesced", ahead=400, sent=0))

        async def waits() -> bool:
            blocked = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = %s"
            return bool(await value(db, blocked, (holder.info.backend_pid,)))

        await until(waits)
        await switch.commit()
        held = await waiting
        assert held is not None
        assert held.muted
        assert not await notified(db)


async def test_notify_stays_off_after_a_crash(db: Connection, plain: Plain) -> None:
    await flags.set_notify(plain, on=False)
    await db.execute("SELECT setval('feed.notify_suppressed_until', 0)")  # a crash resets an unlogged sequence
    assert await notified(db)
    await db.execute("SELECT feed.identify()")  # each service calls this when it connects
    assert not await notified(db)


TRIGGERS: LiteralString = """
SELECT relation::text AS relation, trigger, state FROM feed.triggers
WHERE function IN ('capture', 'begin_statement', 'version_opportunity') AND relation <> 'feed.flags'::regclass
"""


async def states(db: Connection) -> dict[tuple[str, str], str]:
    return {(row["relation"], row["trigger"]): row["state"] for row in await rows(db, TRIGGERS)}


async def test_capture_off_and_on_restores_the_triggers_state(db: Connection, plain: Plain) -> None:
    await db.execute('CREATE SCHEMA crm; CREATE TABLE crm."Tasks" (id int PRIMARY KEY)')
    await db.execute("SELECT feed.attach('crm.\"Tasks\"')")
    await db.execute('ALTER TABLE crm."Tasks" ENABLE ALWAYS TRIGGER feed_capture_insert')
    before = await states(db)
    assert before['crm."Tasks"', "feed_capture_insert"] == "always"
    names = ["feed.boards", "feed.board_members", "feed.opportunity_details", 'crm."Tasks"', "opportunities"]
    assert sorted(await flags.set_capture(plain, on=False)) == sorted(names)
    off = await states(db)
    assert {state for (_, trigger), state in off.items() if trigger != "zz_feed_version"} == {"disabled"}
    assert off["opportunities", "zz_feed_version"] == "on"
    start = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = 'Unlogged'")
    assert await logged_changes(db, start) == []
    assert await value(db, "SELECT version_number FROM opportunities") == 2
    assert await value(db, "SELECT feed.realtime('ana')") == "off"
    assert await flags.set_capture(plain, on=False) == []
    assert sorted(await flags.set_capture(plain, on=True)) == sorted(names)
    assert await states(db) == before
    assert [(row["relation"], row["op"]) for row in await log_rows(db, start)] == [("feed.flags", "delete")]
    assert await value(db, "SELECT reason FROM feed.identity") == "capture was off"
    assert await value(db, "SELECT feed.realtime('ana')") == "websocket"
    feed = await value(db, "SELECT feed_id FROM feed.identity")
    assert await flags.set_capture(plain, on=True) == []
    assert await value(db, "SELECT feed_id FROM feed.identity") == feed


async def test_a_table_attached_while_capture_is_off_is_disabled_by_the_next_call(db: Connection, plain: Plain) -> None:
    await flags.set_capture(plain, on=False)
    await db.execute("CREATE TABLE tasks (id int PRIMARY KEY)")
    await db.execute("SELECT feed.attach('tasks')")
    assert await flags.set_capture(plain, on=False) == ["tasks"]
    assert "tasks" in await flags.set_capture(plain, on=True)


async def test_set_capture_gives_up_on_a_table_in_use(
    database: Database, db: Connection, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flags, "_TRIES", 2)
    monkeypatch.setattr(flags, "_PAUSE", 0.01)
    before = await states(db)
    async with await database.connect(autocommit=False, application_name="a long one") as writer:
        await writer.execute("UPDATE feed.boards SET name = 'Long'")
        with pytest.raises(flags.BusyError, match="a long one"):
            await flags.set_capture(plain, on=False)
        assert await states(db) == before
        # The locks taken before it gave up are released, and no writer was cancelled by a deadlock.
        await writer.execute("UPDATE opportunities SET title = 'Goes on'")
        await writer.commit()
    assert await flags.set_capture(plain, on=False)


async def test_set_capture_succeeds_between_continuous_writers(
    database: Database, db: Connection, plain: Plain
) -> None:
    async def write() -> None:
        async with await database.connect(autocommit=False) as conn:
            while True:
                await conn.execute("UPDATE feed.boards SET name = clock_timestamp()::text")
                await conn.execute("UPDATE opportunities SET title = clock_timestamp()::text")
                await conn.commit()

    writing = [asyncio.create_task(write()) for _ in range(3)]
    try:
        assert await flags.set_capture(plain, on=False)
        assert await flags.set_capture(plain, on=True)
    finally:
        for task in writing:
            task.cancel()
        ended = await asyncio.gather(*writing, return_exceptions=True)
    assert not [error for error in ended if isinstance(error, errors.Error)]


async def test_set_capture_requires_ownership_of_the_tables(db: Connection, database: Database) -> None:
    role = Identifier(f"{database.name}_owner")
    await db.execute(SQL("CREATE ROLE {}").format(role))
    try:
        await db.execute("CREATE TABLE tasks (id int PRIMARY KEY)")
        await db.execute("SELECT feed.attach('tasks')")
        for statement in (
            SQL("GRANT USAGE ON SCHEMA feed TO {}"),
            SQL("GRANT ALL ON ALL TABLES IN SCHEMA feed TO {}"),
            SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA feed TO {}"),
            SQL("SET ROLE {}"),
        ):
            await db.execute(statement.format(role))
        with pytest.raises(errors.InsufficientPrivilege, match="is owned by") as refused:
            await db.execute("SELECT feed.set_capture(false)")
        assert "GRANT" in (refused.value.diag.message_hint or "")
    finally:
        await db.execute("RESET ROLE")
        await db.execute(SQL("DROP OWNED BY {}").format(role))
        await db.execute(SQL("DROP ROLE {}").format(role))


async def topic(db: Connection, name: str) -> tuple[str, str, str]:
    (row,) = await rows(db, "SELECT status, found, coalesce(fix, '') AS fix FROM feed.health WHERE topic = %s", (name,))
    return row["status"], row["found"], row["fix"]


async def test_health_reports_flags(db: Connection, plain: Plain) -> None:
    assert (await topic(db, "flags"))[:2] == ("ok", "none set: websocket for everybody")
    await flags.set_realtime(plain, "poll", percentage=None, user=None)
    await flags.set_realtime(plain, "sse", percentage=10, user=None)
    await flags.set_realtime(plain, "off", percentage=None, user="ana")
    expected = (
        "realtime is poll for everybody, realtime is sse for 10% of users, 1 users have their own realtime setting"
    )
    assert (await topic(db, "flags"))[:2] == ("ok", expected)
    await flags.set_notify(plain, on=False)
    status, found, fix = await topic(db, "flags")
    assert (status, found[:21]) == ("warning", "NOTIFY has been off s")
    assert "boardcast flags notify on" in fix
    assert (await topic(db, "notify mode"))[0] == "warning"
    await flags.set_capture(plain, on=False)
    status, found, fix = await topic(db, "flags")
    assert status == "bad"
    assert "boardcast flags capture on" in fix
    assert "boardcast flags capture on" in (await topic(db, "triggers"))[2]
    await flags.set_notify(plain, on=True)
    await flags.set_capture(plain, on=True)
    assert [(await topic(db, name))[0] for name in ("flags", "notify mode", "triggers")] == ["ok", "ok", "ok"]
