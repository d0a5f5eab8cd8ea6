"""Rights are those of each place of the log that is read, whatever the instance knows and however the client comes back."""

import pytest

from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import ORIGIN, SECRET, Services, people, serving, told
from tests.support.streams import Client, Message
from tests.support.until import until

KIB = 1024


async def _published(services: Services, database: Database, transport: str) -> None:
    """Wait until the log is published as far as it goes."""
    (row,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    hub = await services.hub(transport)
    await until(lambda: hub.tailer.head.anchor >= row["seq"])


async def _change(database: Database, *ids: str) -> None:
    for id_ in ids:
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id = %s", [id_])


async def _to_mark(client: Client, database: Database) -> list[Message]:
    """What came up to a card that all see, which is made now."""
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('mark', 'b1')")
    messages = [await client.next()]
    while messages[-1].body.get("opportunityId") != "mark":
        messages.append(await client.next())
    return messages


async def test_an_instance_that_is_behind_knows_a_board_that_was_granted_meanwhile(
    database: Database, transport: str
) -> None:
    await people(database)
    settings = {"jwt_secret": SECRET, "origins": (ORIGIN,)}
    async with Proxy.before(database.url) as proxy, serving(database) as other:
        await other.api()
        async with serving(Database(proxy.through(database.url), database.name), **settings) as behind:
            hub = await behind.hub(transport)
            proxy.hang()
            proxy.cut()
            await until(lambda: not hub.tailer.up)
            await database.execute("INSERT INTO board_members VALUES ('b1', 'carla', 'viewer')")
            async with other.asking("carla") as http:
                snapshot = (await http.get("/api/boards/b1")).json()
            await _change(database, "o1", "o1", "o1")
            client = await behind.open(transport, snapshot["cursor"], user="carla", greeted=False)
            await proxy.resume()
            hello = await client.next("auth_success", timeout=20)
            assert (hello.body["resume"], hello.body["boards"]) == ("resumed", ["b1"])
            assert [m.body["version"] for m in await client.collect(3, timeout=20)] == [2, 3, 4]


async def test_a_board_granted_on_the_way_is_granted_at_its_place(database: Database, transport: str) -> None:
    """The same, with the grant behind the one cursor and before the other."""
    await people(database)
    async with (
        Proxy.before(database.url) as proxy,
        serving(database) as other,
        serving(Database(proxy.through(database.url), database.name)) as behind,
    ):
        hub = await behind.hub(transport)
        cursor = (await behind.open(transport, user="carla")).cursor
        proxy.hang()
        proxy.cut()
        await until(lambda: not hub.tailer.up)
        await _change(database, "o1")
        await database.execute("INSERT INTO board_members VALUES ('b1', 'carla', 'viewer')")
        await _change(database, "o1")
        ahead = (await other.open(transport, user="carla")).cursor
        await _change(database, "o1")
        early, late = [await behind.open(transport, each, user="carla", greeted=False) for each in (cursor, ahead)]
        await proxy.resume()
        for client, expected in ((early, [3, 4]), (late, [4])):
            assert [m.body["version"] for m in await client.collect(len(expected), timeout=20)] == expected
        assert [m.body["boardId"] for m in early.messages if m.type == "board_granted"] == ["b1"]
        assert "board_granted" not in [m.type for m in late.messages]


CHURN = (
    "DELETE FROM board_members WHERE user_id = 'bruno' AND board_id = 'b2'",
    "INSERT INTO board_members VALUES ('b2', 'bruno', 'viewer')",
    "DELETE FROM board_members WHERE user_id = 'bruno' AND board_id = 'b2'",
    "INSERT INTO board_members VALUES ('b2', 'bruno', 'viewer')",
    "UPDATE board_members SET role = 'editor' WHERE user_id = 'bruno' AND board_id = 'b2'",
)


@pytest.mark.parametrize("source", ["buffer", "log"])
async def test_churn_while_away_is_one_revocation_and_one_grant_with_nothing_between(
    services: Services, database: Database, transport: str, source: str
) -> None:
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    client = await services.open(transport, user="bruno")
    client.cut()
    await _change(database, "x")
    for statement in CHURN:
        await database.execute(statement)
        await _change(database, "x")
    await _published(services, database, transport)
    if source == "log":
        await services.stop()
    again = await services.open(transport, client.cursor, user="bruno")
    messages = [m for m in await _to_mark(again, database) if not m.type.startswith("row_")]
    assert told(messages) == [
        ("opportunity_updated", "x"),
        ("board_revoked", "b2"),
        ("board_granted", "b2"),
        ("opportunity_updated", "x"),
        ("opportunity_created", "mark"),
    ]
    assert messages[2].body["role"] == "editor"
    assert [m.body["version"] for m in messages if m.body.get("opportunityId") == "x"] == [2, 7]


@pytest.mark.parametrize("source", ["buffer", "log"])
async def test_of_a_board_that_is_lost_nothing_is_sent_but_that(
    services: Services, database: Database, transport: str, source: str
) -> None:
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    client = await services.open(transport, user="bruno")
    client.cut()
    for statement in CHURN[:3]:
        await _change(database, "x")
        await database.execute(statement)
    await _published(services, database, transport)
    if source == "log":
        await services.stop()
    again = await services.open(transport, client.cursor, user="bruno", greeted=False)
    assert (await again.next("auth_success")).body["boards"] == ["b1"]
    assert told(await _to_mark(again, database)) == [("board_revoked", "b2"), ("opportunity_created", "mark")]


async def test_churn_while_a_client_is_slow(database: Database, transport: str) -> None:
    await people(database)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    async with serving(database, client_budget=64 * KIB) as services:
        hub = await services.hub(transport)
        slow = await services.open(transport, user="bruno", buffer=8 * KIB)
        (subscription,) = hub.connections
        slow.pause()
        for _ in range(60):
            await database.execute("UPDATE opportunities SET notes = repeat('z', 100000) || notes WHERE id = 'o1'")
            await database.execute("UPDATE opportunities SET notes = repeat('z', 100000) WHERE id = 'o1'")
        await until(lambda: subscription.state.name == "BEHIND")
        for statement in CHURN:
            await _change(database, "x")
            await database.execute(statement)
        await _change(database, "x")
        await hub.tailer.wait_for_pass()
        slow.resume()
        messages = await _to_mark(slow, database)
        rights = [m.type for m in messages if m.type.startswith("board_")]
        assert rights == ["board_revoked", "board_granted"]
        kinds = [m.type for m in messages if m.type.startswith("board_") or m.body.get("opportunityId") == "x"]
        assert kinds == ["board_revoked", "board_granted", "opportunity_updated"]


async def test_a_change_of_role_is_granted_again(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE board_members SET role = 'viewer' WHERE user_id = 'ana'")
    granted = await client.next("board_granted")
    assert granted.body["role"] == "viewer"
    await client.next("heartbeat")
    assert client.messages[-1].cursor is not None


async def test_no_event_comes_between_a_revocation_and_the_grant_that_is_told(
    services: Services, database: Database, transport: str
) -> None:
    """One transaction removes a member and adds them again, and a later one changes their role: only the last is granted."""
    cursor = (await services.open(transport, user="bruno")).cursor
    hub = await services.hub(transport)
    async with await database.connect(autocommit=False) as conn:
        await conn.execute("DELETE FROM board_members WHERE (board_id, user_id) = ('b2', 'bruno')")
        await conn.execute("INSERT INTO board_members VALUES ('b2', 'bruno', 'viewer')")
        await conn.commit()
    await _published(services, database, transport)
    hub.publisher.replay_buffer.clear()
    hub.publisher.replay_buffer.record(hub.tailer.head)
    early = await services.open(transport, cursor, user="bruno")  # its reading is shared for some seconds
    await early.next("board_granted")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('between', 'b2')")
    await _published(services, database, transport)
    await database.execute("UPDATE board_members SET role = 'admin' WHERE (board_id, user_id) = ('b2', 'bruno')")
    await _published(services, database, transport)
    late = await services.open(transport, cursor, user="bruno")
    messages = await _to_mark(late, database)
    seen = [m.type for m in messages if m.body.get("boardId") == "b2" and not m.type.startswith("row_")]
    assert seen == ["board_revoked", "board_granted"]
