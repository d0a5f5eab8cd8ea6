"""NOTIFY is only a wake-up: lost, forged or flooding notifications cost a second, never an event."""

import psycopg
import pytest

from db.readiness import NotReadyError
from tests.support.database import Database
from tests.support.load import DISABLE_NOTIFY
from tests.support.services import Serve, Services, serving, summaries
from tests.support.until import until


async def test_a_lost_notification_delays_an_event_by_a_second_at_most(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    await database.execute(DISABLE_NOTIFY)
    for version in range(2, 5):
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x'")
        assert (await client.next_event(timeout=2.5)).body["version"] == version


async def test_forged_notifications_create_no_events(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    runtime = await services.runtime("websocket")
    head = runtime.tailer.head
    async with await database.connect() as sender:
        for payload in ("", "x", '{"seq":999999,"table":"opportunities","op":"delete"}', "{" * 7000, "é" * 3900, "\\"):
            for channel in ("boardcast", "boardcast_presence", runtime.listener._probe_channel):
                await sender.execute("SELECT pg_notify(%s, %s)", [channel, payload])
        await sender.execute("SELECT pg_notify('boardcast', n::text) FROM generate_series(1, 20000) AS n")
    await database.execute("UPDATE opportunities SET title = 'x'")
    assert summaries([await client.next_event()]) == [("opportunity_updated", "o1")]
    assert runtime.ready
    assert runtime.tailer.head != head
    assert [m.type for m in client.messages if m.type not in {"presence_state", "heartbeat"}] == [
        "auth_success",
        "opportunity_updated",
    ]


async def test_a_service_whose_listener_receives_nothing_does_not_start(
    serve: Serve, other_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a transaction pooler: LISTEN is accepted, but notifications do not arrive."""
    monkeypatch.setattr("feed.tailing.listener._PROBE_TIMEOUT", 0.3)
    services = await serve(listen_database_url=other_database.url)
    with pytest.raises(NotReadyError, match="pooler"):
        await services.feed()


async def test_a_temporary_table_cannot_shadow_the_log(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    async with await database.connect() as writer:
        await writer.execute("CREATE TEMP TABLE log (LIKE feed.log)")
        await writer.execute("CREATE TEMP SEQUENCE log_seq")
        await writer.execute("SET search_path = pg_temp, public")
        await writer.execute("UPDATE opportunities SET title = 'x'")
    assert summaries([await client.next_event()]) == [("opportunity_updated", "o1")]


async def test_a_stream_continues_from_a_snapshot_ahead_of_the_head(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    runtime = await services.runtime("websocket")
    async with services.api_client("ana") as api:
        await database.execute(DISABLE_NOTIFY)
        await database.execute("UPDATE opportunities SET title = 'seen in the snapshot'")
        snapshot = (await api.get("/api/boards/b1")).json()
    assert str(runtime.tailer.head) != snapshot["cursor"]
    ahead = await services.open("websocket", snapshot["cursor"])
    await database.execute("UPDATE opportunities SET title = 'after'")
    assert [m.body["version"] for m in await ahead.collect(1)] == [3]
    assert [m.body["version"] for m in await client.collect(2)] == [2, 3]


async def test_a_row_of_a_megabyte_is_delivered(services: Services, database: Database) -> None:
    clients = [await services.open(transport) for transport in ("websocket", "websocket-batch", "sse", "api-events")]
    await database.execute("UPDATE opportunities SET notes = repeat('0123456789abcdé', 70000)")
    for client in clients:
        event = await client.next_event()
        assert event.body["changes"]["notes"] == "0123456789abcdé" * 70000
        assert event.cursor is not None
        assert client.ended is None
    await database.execute("UPDATE opportunities SET notes = 'small'")
    for client in clients:
        assert (await client.next_event()).body["version"] == 3


async def test_a_service_without_tables_or_database_does_not_start(empty_database: Database) -> None:
    missing = Database(empty_database.url.replace(empty_database.name, "missing"), "missing")
    async with serving(empty_database) as services:
        with pytest.raises(NotReadyError, match="boardcast migrate"):
            await services.feed()
    async with serving(missing) as services:
        with pytest.raises(psycopg.OperationalError, match="missing"):
            await services.feed()
    (row,) = await empty_database.execute(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = %s AND application_name LIKE 'boardcast-%%'",
        [empty_database.name],
    )
    assert row["n"] == 0


async def test_a_live_client_is_not_reset_by_a_prune(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    for _ in range(5):
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x'")
    await client.collect(5)
    await database.execute("SELECT feed.prune(now() + interval '1 second')")
    runtime = await services.runtime("websocket")
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'boardcast-tailer'"
    )
    await until(lambda: not runtime.tailer.up, timeout=15)
    await until(lambda: runtime.ready)
    await database.execute("UPDATE opportunities SET notes = 'y'")
    assert (await client.next_event()).body["version"] == 7
