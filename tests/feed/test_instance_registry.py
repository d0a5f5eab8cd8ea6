"""Each service says in the database that it runs, as long as it does."""

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
        told = {service: (row["connections"], row["anchor"]) for service, row in found.items()}
        return found if told == {"feed": (2, newest["seq"]), "api": (1, newest["seq"])} else None

    found = await until(listed, timeout=10)
    for service, row in found.items():
        assert row["instance"] == (await services.hub("api-events" if service == "api" else "sse")).instance
        assert (row["alive"], row["ready"], row["listens"], row["behind"]) == (True, True, True, 0)
        assert row["cursor"] == str((await services.hub("api-events" if service == "api" else "sse")).tailer.head)
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


async def test_a_crash_of_the_server_empties_the_list_and_the_instances_fill_it(own_server: EmbeddedPostgres) -> None:
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


async def test_a_list_that_cannot_be_written_is_no_fault(database: Database) -> None:
    """Where somebody has taken the table away, what clients are told does not depend on it."""
    await database.execute("DROP TABLE feed.instances CASCADE")
    runtime = Runtime(settings := database.settings(jwt_secret=SECRET), Tokens(settings))
    await runtime.start()
    await runtime.tailer.wait_for_pass()
    assert runtime.ready
    await runtime.stop()


async def swept(database: Database, after: int) -> list[dict[str, Any]]:
    return await database.execute(
        "SELECT s.*, l.at, s.read_at < s.delivered_at AS in_order FROM feed.delivery_journal AS s JOIN feed.log AS l ON l.seq > %s"
        " AND feed.has_seen(s.cursor, l.xid) ORDER BY s.instance",
        (after,),
    )


async def test_what_was_told_to_how_many_is_written_down(services: Services, database: Database) -> None:
    for user, transport in (("ana", "websocket"), ("bruno", "sse"), ("carla", "sse"), ("bruno", "api-events")):
        await services.open(transport, user=user)
    (before,) = await database.execute("SELECT max(seq) AS seq, clock_timestamp() AS at FROM feed.log")
    await database.execute("UPDATE opportunities SET title = 'B'")

    async def both() -> list[dict[str, Any]]:
        found = await swept(database, before["seq"])
        return found if len(found) == 2 else []

    api, feed = await until(both, timeout=10)
    assert (feed["reads"], feed["events"], feed["deliveries"], feed["clients"], feed["late"]) == (1, 1, 2, 3, 0)
    assert (api["reads"], api["events"], api["deliveries"], api["clients"], api["late"]) == (1, 1, 1, 1, 0)
    assert (feed["boards"], api["boards"]) == ({"b1": 2}, {"b1": 1})
    (now,) = await database.execute("SELECT clock_timestamp() AS at")
    for row in (feed, api):
        assert before["at"] < row["at"] < row["read_at"] < row["delivered_at"] < now["at"]


async def test_what_was_told_before_the_end_is_written_down_too(services: Services, database: Database) -> None:
    await services.open("websocket")
    (before,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    await database.execute("UPDATE opportunities SET title = 'B'")
    await (await services.hub("websocket")).tailer.wait_for_pass()
    await services.stop()
    assert [row["events"] for row in await swept(database, before["seq"])] == [1]


async def test_under_load_a_row_stands_for_many_sweeps(services: Services, database: Database) -> None:
    """However many there are, one write of the registry has few rows; none of the changes is left out."""
    await services.open("websocket")
    hub = await services.hub("websocket")
    (before,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    async with await database.connect() as conn:
        for number in range(100):
            await conn.execute("UPDATE opportunities SET title = %s", (f"B{number}",))
            await hub.tailer.wait_for_pass()

    async def all_told() -> dict[str, Any] | None:
        (row,) = await database.execute(
            "SELECT count(*) AS n, sum(events) AS events, sum(reads) AS reads FROM feed.delivery_journal"
        )
        return row if row["events"] == 100 else None

    row = await until(all_told, timeout=10)
    assert row["reads"] == 100
    beats = (await database.execute("SELECT count(DISTINCT delivered_at) AS n FROM feed.delivery_journal"))[0]["n"]
    assert row["n"] == beats < 100
    untold = await database.execute(
        "SELECT l.seq FROM feed.log AS l WHERE l.seq > %s"
        " AND NOT EXISTS (SELECT FROM feed.delivery_journal AS s WHERE feed.has_seen(s.cursor, l.xid) AND s.delivered_at > l.at)",
        (before["seq"],),
    )
    assert untold == []


async def test_what_was_told_long_ago_is_forgotten(services: Services, database: Database) -> None:
    await database.execute(
        "INSERT INTO feed.delivery_journal SELECT 'feed-old', now() - age, now() - age, '', '', 1, 1, 1, 1, 0, NULL"
        " FROM unnest('{50 min,70 min}'::interval[]) AS age"
    )
    await services.hub("websocket")

    async def forgotten() -> bool:
        return len(await database.execute("SELECT FROM feed.delivery_journal WHERE instance = 'feed-old'")) == 1

    await until(forgotten, timeout=10)


async def acked(database: Database) -> list[tuple[str, int]]:
    found = await database.execute(
        "SELECT cursor, clients, oldest <= newest AS ordered FROM feed.client_positions ORDER BY anchor, cursor"
    )
    assert all(row["ordered"] for row in found)
    return [(row["cursor"], row["clients"]) for row in found]


async def test_cursors_that_clients_show_are_told_with_how_many_hold_them(
    services: Services, database: Database
) -> None:
    socket, other = await services.open("websocket"), await services.open("websocket", user="bruno")
    assert isinstance(socket, WebSocketClient)
    assert isinstance(other, WebSocketClient)
    hub = await services.hub("websocket")
    early = str(hub.tailer.head)
    await database.execute("UPDATE opportunities SET title = 'B'")
    late = (await socket.next_event()).cursor
    await other.next_event()
    assert late is not None
    assert await acked(database) == []
    await socket.send({"type": "ping", "cursor": early})
    await other.send({"type": "ping", "cursor": late})
    await services.open("sse", late)
    await services.open("sse", "nonsense")
    await until(lambda: acked(database), timeout=10)

    async def held(wanted: list[tuple[str, int]]) -> bool:
        return await acked(database) == wanted

    await until(lambda: held([(early, 1), (late, 2)]), timeout=10)
    await socket.send({"type": "ping", "cursor": late})
    await until(lambda: held([(late, 3)]), timeout=10)


async def test_nobody_is_believed_to_have_what_he_was_not_told(services: Services, database: Database) -> None:
    socket = await services.open("websocket")
    assert isinstance(socket, WebSocketClient)
    hub = await services.hub("websocket")
    cursor = hub.tailer.head
    ahead = Cursor(cursor.feed, Seen(cursor.seen.xmax + 1), cursor.anchor, cursor.tag)
    foreign = Cursor("other", cursor.seen, cursor.anchor, cursor.tag)
    for untrue in (ahead, foreign):
        await socket.send({"type": "ping", "cursor": str(untrue)})
        await socket.next("pong")
    await socket.send({"type": "ping", "cursor": "nonsense"})
    assert (await socket.next("error")).body["code"] == "invalid_message"
    assert hub.client_positions.summary() == []
    await socket.send({"type": "ping", "cursor": str(cursor)})
    await socket.next("pong")
    assert [(ack.cursor, ack.clients) for ack in hub.client_positions.summary()] == [(str(cursor), 1)]


async def test_who_polls_shows_where_he_stands(services: Services, database: Database) -> None:
    hub = await services.hub("api-events")
    cursor = str(hub.tailer.head)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{await services.api()}") as http:
        for user in ("ana", "bruno", "ana"):
            bearer = {"Authorization": f"Bearer {services.token(user)}"}
            answer = await http.get("/api/sync/opportunities", params={"since": cursor}, headers=bearer)
            assert answer.status_code == 200, answer.text
    assert [(ack.cursor, ack.clients) for ack in hub.client_positions.summary()] == [(cursor, 2)]


async def test_of_very_many_cursors_neighbours_are_one(services: Services, database: Database) -> None:
    hub = await services.hub("sse")
    cursor = hub.tailer.head
    for number in range(1000):
        hub.client_positions.record_poll(f"u{number}", Cursor(cursor.feed, Seen(number + 1), number + 1, cursor.tag))
    told = hub.client_positions.summary()
    assert len(told) <= 32
    assert sum(ack.clients for ack in told) == 1000
    reach = [Cursor.parse(ack.cursor).seen.xmax for ack in told]
    assert (reach[0], reach) == (1, sorted(reach))
    hub.client_positions.record_poll("one more", cursor)
    assert sum(ack.clients for ack in hub.client_positions.summary()) == 1000
