"""Each running service registers itself in the database and reports its deliveries and its clients' positions."""

from typing import Any

import httpx
import psycopg

from db.changelog.positions import Seen
from db.embedded.server import EmbeddedPostgres
from feed.access.tokens import Tokens
from feed.runtime import Runtime
from feed.wire.cursor import Cursor
from tests.support.database import Database
from tests.support.services import SECRET, Services
from tests.support.streams import WebSocketClient
from tests.support.until import until


async def listeners(database: Database) -> dict[str, dict[str, Any]]:
    found = await database.execute(
        "SELECT l.*, g.behind FROM feed.instance_status AS l JOIN feed.lag AS g USING (instance)"
    )
    return {row["service"]: row for row in found}


async def test_both_services_are_listed_with_their_clients_and_backends(services: Services, database: Database) -> None:
    await services.open("websocket")
    await services.open("sse", user="bruno")
    await services.open("api-events")
    await database.execute("UPDATE opportunities SET title = 'B'")
    (newest,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")

    async def listed() -> dict[str, dict[str, Any]] | None:
        found = await listeners(database)
        state = {service: (row["connections"], row["anchor"]) for service, row in found.items()}
        return found if state == {"feed": (2, newest["seq"]), "api": (1, newest["seq"])} else None

    found = await until(listed, timeout=10)
    for service, row in found.items():
        assert row["instance"] == (await services.runtime("api-events" if service == "api" else "sse")).instance
        assert (row["alive"], row["ready"], row["listens"], row["behind"]) == (True, True, True, 0)
        assert row["cursor"] == str((await services.runtime("api-events" if service == "api" else "sse")).tailer.head)
        assert row["reads"] > 0
        assert row["tailer"].startswith(("idle", "active"))
        assert row["listener"].startswith(("idle", "active"))
    backends = await database.execute(
        "SELECT pid, application_name FROM pg_stat_activity WHERE application_name ~ 'boardcast-(tailer|listener)'"
        " AND datname = current_database()"
    )
    assert {(row["pid"], row["application_name"]) for row in backends} == {
        (row[f"{part}_pid"], f"boardcast-{part}") for row in found.values() for part in ("tailer", "listener")
    }
    (health,) = await database.execute("SELECT count(*) AS n FROM feed.health WHERE status <> 'ok'")
    assert health["n"] == 0
    await services.stop()
    assert await database.execute("SELECT instance FROM feed.instances") == []


async def test_instances_register_again_after_a_server_crash(own_server: EmbeddedPostgres) -> None:
    database = Database(own_server.url(), "boardcast")
    runtime = Runtime(settings := database.settings(jwt_secret=SECRET), Tokens(settings))
    await runtime.start()
    try:
        await until(lambda: listeners(database), timeout=10)
        own_server.kill()
        await until(lambda: not runtime.tailer.up, timeout=10)
        assert runtime.tailer.backend_pid is None
        own_server.start()

        async def back() -> bool:
            try:
                return (await listeners(database)).get("feed", {}).get("ready") is True
            except psycopg.Error:
                return False

        await until(back, timeout=30)
    finally:
        await runtime.stop()
    assert await listeners(database) == {}


async def test_an_instance_stays_ready_without_the_registry_table(database: Database) -> None:
    """Delivery does not depend on the table."""
    await database.execute("DROP TABLE feed.instances CASCADE")
    runtime = Runtime(settings := database.settings(jwt_secret=SECRET), Tokens(settings))
    await runtime.start()
    await runtime.tailer.wait_for_pass()
    assert runtime.ready
    await runtime.stop()


async def journal(database: Database, after: int) -> list[dict[str, Any]]:
    return await database.execute(
        "SELECT s.*, l.at, s.read_at < s.delivered_at AS in_order FROM feed.delivery_journal AS s JOIN feed.log AS l ON l.seq > %s"
        " AND feed.has_seen(s.cursor, l.xid) ORDER BY s.instance",
        (after,),
    )


async def test_the_journal_counts_events_and_deliveries(services: Services, database: Database) -> None:
    for user, transport in (("ana", "websocket"), ("bruno", "sse"), ("carla", "sse"), ("bruno", "api-events")):
        await services.open(transport, user=user)
    (before,) = await database.execute("SELECT max(seq) AS seq, clock_timestamp() AS at FROM feed.log")
    await database.execute("UPDATE opportunities SET title = 'B'")

    async def both() -> list[dict[str, Any]]:
        found = await journal(database, before["seq"])
        return found if len(found) == 2 else []

    api, feed = await until(both, timeout=10)
    assert (feed["reads"], feed["events"], feed["deliveries"], feed["clients"], feed["late"]) == (1, 1, 2, 3, 0)
    assert (api["reads"], api["events"], api["deliveries"], api["clients"], api["late"]) == (1, 1, 1, 1, 0)
    assert (feed["boards"], api["boards"]) == ({"b1": 2}, {"b1": 1})
    (now,) = await database.execute("SELECT clock_timestamp() AS at")
    for row in (feed, api):
        assert before["at"] < row["at"] < row["read_at"] < row["delivered_at"] < now["at"]


async def test_the_last_deliveries_are_journaled_at_stop(services: Services, database: Database) -> None:
    await services.open("websocket")
    (before,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    await database.execute("UPDATE opportunities SET title = 'B'")
    await (await services.runtime("websocket")).tailer.wait_for_pass()
    await services.stop()
    assert [row["events"] for row in await journal(database, before["seq"])] == [1]


async def test_under_load_one_journal_row_covers_many_read_passes(services: Services, database: Database) -> None:
    """Each write of the registry adds few rows, and every change is covered by one."""
    await services.open("websocket")
    runtime = await services.runtime("websocket")
    (before,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    async with await database.connect() as conn:
        for number in range(100):
            await conn.execute("UPDATE opportunities SET title = %s", (f"B{number}",))
            await runtime.tailer.wait_for_pass()

    async def all_journaled() -> dict[str, Any] | None:
        (row,) = await database.execute(
            "SELECT count(*) AS n, sum(events) AS events, sum(reads) AS reads FROM feed.delivery_journal"
        )
        return row if row["events"] == 100 else None

    row = await until(all_journaled, timeout=10)
    assert row["reads"] == 100
    writes = (await database.execute("SELECT count(DISTINCT delivered_at) AS n FROM feed.delivery_journal"))[0]["n"]
    assert row["n"] == writes < 100
    uncovered = await database.execute(
        "SELECT l.seq FROM feed.log AS l WHERE l.seq > %s"
        " AND NOT EXISTS (SELECT FROM feed.delivery_journal AS s WHERE feed.has_seen(s.cursor, l.xid) AND s.delivered_at > l.at)",
        (before["seq"],),
    )
    assert uncovered == []


async def test_old_journal_rows_are_deleted(services: Services, database: Database) -> None:
    await database.execute(
        "INSERT INTO feed.delivery_journal SELECT 'feed-old', now() - age, now() - age, '', '', 1, 1, 1, 1, 0, NULL"
        " FROM unnest('{50 min,70 min}'::interval[]) AS age"
    )
    await services.runtime("websocket")

    async def deleted() -> bool:
        return len(await database.execute("SELECT FROM feed.delivery_journal WHERE instance = 'feed-old'")) == 1

    await until(deleted, timeout=10)


async def client_positions(database: Database) -> list[tuple[str, int]]:
    found = await database.execute(
        "SELECT cursor, clients, oldest <= newest AS ordered FROM feed.client_positions ORDER BY anchor, cursor"
    )
    assert all(row["ordered"] for row in found)
    return [(row["cursor"], row["clients"]) for row in found]


async def test_client_positions_count_the_clients_at_each_cursor(services: Services, database: Database) -> None:
    socket, other = await services.open("websocket"), await services.open("websocket", user="bruno")
    assert isinstance(socket, WebSocketClient)
    assert isinstance(other, WebSocketClient)
    runtime = await services.runtime("websocket")
    early = str(runtime.tailer.head)
    await database.execute("UPDATE opportunities SET title = 'B'")
    late = (await socket.next_event()).cursor
    await other.next_event()
    assert late is not None
    assert await client_positions(database) == []
    await socket.send({"type": "ping", "cursor": early})
    await other.send({"type": "ping", "cursor": late})
    await services.open("sse", late)
    await services.open("sse", "nonsense")
    await until(lambda: client_positions(database), timeout=10)

    async def recorded(wanted: list[tuple[str, int]]) -> bool:
        return await client_positions(database) == wanted

    await until(lambda: recorded([(early, 1), (late, 2)]), timeout=10)
    await socket.send({"type": "ping", "cursor": late})
    await until(lambda: recorded([(late, 3)]), timeout=10)


async def test_an_unpublished_or_foreign_cursor_is_not_recorded(services: Services, database: Database) -> None:
    socket = await services.open("websocket")
    assert isinstance(socket, WebSocketClient)
    runtime = await services.runtime("websocket")
    cursor = runtime.tailer.head
    ahead = Cursor(cursor.feed, Seen(cursor.seen.xmax + 1), cursor.anchor, cursor.tag)
    foreign = Cursor("other", cursor.seen, cursor.anchor, cursor.tag)
    for invalid in (ahead, foreign):
        await socket.send({"type": "ping", "cursor": str(invalid)})
        await socket.next("pong")
    await socket.send({"type": "ping", "cursor": "nonsense"})
    assert (await socket.next("error")).body["code"] == "invalid_message"
    assert runtime.client_positions.summary() == []
    await socket.send({"type": "ping", "cursor": str(cursor)})
    await socket.next("pong")
    assert [(position.cursor, position.clients) for position in runtime.client_positions.summary()] == [
        (str(cursor), 1)
    ]


async def test_polling_records_the_client_position(services: Services, database: Database) -> None:
    runtime = await services.runtime("api-events")
    cursor = str(runtime.tailer.head)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{await services.api()}") as http:
        for user in ("ana", "bruno", "ana"):
            bearer = {"Authorization": f"Bearer {services.token(user)}"}
            answer = await http.get("/api/sync/opportunities", params={"since": cursor}, headers=bearer)
            assert answer.status_code == 200, answer.text
    assert [(position.cursor, position.clients) for position in runtime.client_positions.summary()] == [(cursor, 2)]


async def test_many_client_positions_are_merged_with_their_neighbors(services: Services, database: Database) -> None:
    runtime = await services.runtime("sse")
    cursor = runtime.tailer.head
    for number in range(1000):
        runtime.client_positions.record_poll(
            f"u{number}", Cursor(cursor.feed, Seen(number + 1), number + 1, cursor.tag)
        )
    positions = runtime.client_positions.summary()
    assert len(positions) <= 32
    assert sum(position.clients for position in positions) == 1000
    bounds = [Cursor.parse(position.cursor).seen.xmax for position in positions]
    assert (bounds[0], bounds) == (1, sorted(bounds))
    runtime.client_positions.record_poll("one more", cursor)
    assert sum(position.clients for position in runtime.client_positions.summary()) == 1000
