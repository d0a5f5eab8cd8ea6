"""The doorbell is a wake-up and nothing else: lost, forged or shouting, it costs a second and never an event."""

import psycopg
import pytest

from feed.system.database import NotReadyError
from tests.support.database import Database
from tests.support.load import NO_BELL
from tests.support.services import Serve, Services, serving, told
from tests.support.until import until


async def test_a_notification_that_never_arrives_costs_a_second(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    await database.execute(NO_BELL)
    for version in range(2, 5):
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x'")
        assert (await client.next_event(timeout=2.5)).body["version"] == version


async def test_a_forged_notification_tells_nobody_anything(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    hub = await services.hub("websocket")
    place = hub.tailer.head
    async with await database.connect() as anybody:
        for payload in ("", "x", '{"seq":999999,"table":"opportunities","op":"delete"}', "{" * 7000, "é" * 3900, "\\"):
            for channel in ("boardcast", "boardcast_presence", hub.listener._probe_channel):
                await anybody.execute("SELECT pg_notify(%s, %s)", [channel, payload])
        await anybody.execute("SELECT pg_notify('boardcast', n::text) FROM generate_series(1, 20000) AS n")
    await database.execute("UPDATE opportunities SET title = 'x'")
    assert told([await client.next_event()]) == [("opportunity_updated", "o1")]
    assert hub.ready
    assert hub.tailer.head != place
    assert [m.type for m in client.messages if m.type not in {"presence_state", "heartbeat"}] == [
        "auth_success",
        "opportunity_updated",
    ]


async def test_a_listener_that_hears_nothing_keeps_the_service_from_starting(
    serve: Serve, other_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a transaction pooler: LISTEN is accepted, and its notifications go elsewhere."""
    monkeypatch.setattr("feed.tailing.listener._PROBE_TIMEOUT", 0.3)
    services = await serve(listen_database_url=other_database.url)
    with pytest.raises(NotReadyError, match="pooler"):
        await services.feed()


async def test_the_log_cannot_be_shadowed_by_a_temporary_table(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    async with await database.connect() as writer:
        await writer.execute("CREATE TEMP TABLE log (LIKE feed.log)")
        await writer.execute("CREATE TEMP SEQUENCE log_seq")
        await writer.execute("SET search_path = pg_temp, public")
        await writer.execute("UPDATE opportunities SET title = 'x'")
    assert told([await client.next_event()]) == [("opportunity_updated", "o1")]


async def test_the_api_has_read_further_than_the_hub(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    hub = await services.hub("websocket")
    async with services.asking("ana") as api:
        await database.execute(NO_BELL)
        await database.execute("UPDATE opportunities SET title = 'seen in the snapshot'")
        snapshot = (await api.get("/api/boards/b1")).json()
    assert str(hub.tailer.head) != snapshot["cursor"]
    ahead = await services.open("websocket", snapshot["cursor"])
    await database.execute("UPDATE opportunities SET title = 'after'")
    assert [m.body["version"] for m in await ahead.collect(1)] == [3]
    assert [m.body["version"] for m in await client.collect(2)] == [2, 3]


async def test_a_row_of_a_megabyte(services: Services, database: Database) -> None:
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


async def test_a_service_without_its_tables_or_its_database_does_not_start(empty_database: Database) -> None:
    nowhere = Database(empty_database.url.replace(empty_database.name, "nowhere"), "nowhere")
    async with serving(empty_database) as services:
        with pytest.raises(NotReadyError, match="boardcast migrate"):
            await services.feed()
    async with serving(nowhere) as services:
        with pytest.raises(psycopg.OperationalError, match="nowhere"):
            await services.feed()
    (row,) = await empty_database.execute(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = %s AND application_name LIKE 'boardcast-%%'",
        [empty_database.name],
    )
    assert row["n"] == 0


async def test_a_prune_under_a_live_client_disturbs_nobody(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    for _ in range(5):
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x'")
    await client.collect(5)
    await database.execute("SELECT feed.prune(now() + interval '1 second')")
    hub = await services.hub("websocket")
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'boardcast-tailer'"
    )
    await until(lambda: not hub.tailer.up, timeout=15)
    await until(lambda: hub.ready)
    await database.execute("UPDATE opportunities SET notes = 'y'")
    assert (await client.next()).body["version"] == 7
