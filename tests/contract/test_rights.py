"""Rights are evaluated at each position in the log, whatever the instance has cached and however the client reconnects."""

import pytest

from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import ORIGIN, SECRET, Services, add_people, serving, summaries
from tests.support.streams import Client, Message
from tests.support.until import until

KIB = 1024


async def _wait_until_published(services: Services, database: Database, transport: str) -> None:
    """Wait until the whole log is published."""
    (row,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    runtime = await services.runtime(transport)
    await until(lambda: runtime.tailer.head.anchor >= row["seq"])


async def _update(database: Database, *ids: str) -> None:
    for id_ in ids:
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id = %s", [id_])


async def _read_to_mark(client: Client, database: Database) -> list[Message]:
    """Create a card that every member of b1 sees, and read up to it."""
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('mark', 'b1')")
    messages = [await client.next()]
    while messages[-1].body.get("opportunityId") != "mark":
        messages.append(await client.next())
    return messages


async def test_an_instance_that_lags_behind_includes_a_board_granted_in_the_meantime(
    database: Database, transport: str
) -> None:
    await add_people(database)
    settings = {"jwt_secret": SECRET, "origins": (ORIGIN,)}
    async with Proxy.for_url(database.url) as proxy, serving(database) as other:
        await other.api()
        async with serving(Database(proxy.rewrite_url(database.url), database.name), **settings) as lagging:
            runtime = await lagging.runtime(transport)
            proxy.hang()
            proxy.cut()
            await until(lambda: not runtime.tailer.up)
            await database.execute("INSERT INTO feed.board_members VALUES ('b1', 'carla', 'viewer')")
            async with other.api_client("carla") as http:
                snapshot = (await http.get("/api/boards/b1")).json()
            await _update(database, "o1", "o1", "o1")
            client = await lagging.open(transport, snapshot["cursor"], user="carla", wait_for_auth=False)
            await proxy.resume()
            hello = await client.next("auth_success", timeout=20)
            assert (hello.body["resume"], hello.body["boards"]) == ("resumed", ["b1"])
            assert [m.body["version"] for m in await client.collect(3, timeout=20)] == [2, 3, 4]


async def test_a_grant_between_two_cursors_is_sent_at_its_position(database: Database, transport: str) -> None:
    """As above, with the grant after one client's cursor and before the other's."""
    await add_people(database)
    async with (
        Proxy.for_url(database.url) as proxy,
        serving(database) as other,
        serving(Database(proxy.rewrite_url(database.url), database.name)) as lagging,
    ):
        runtime = await lagging.runtime(transport)
        cursor = (await lagging.open(transport, user="carla")).cursor
        proxy.hang()
        proxy.cut()
        await until(lambda: not runtime.tailer.up)
        await _update(database, "o1")
        await database.execute("INSERT INTO feed.board_members VALUES ('b1', 'carla', 'viewer')")
        await _update(database, "o1")
        ahead = (await other.open(transport, user="carla")).cursor
        await _update(database, "o1")
        early, late = [
            await lagging.open(transport, start, user="carla", wait_for_auth=False) for start in (cursor, ahead)
        ]
        await proxy.resume()
        for client, expected in ((early, [3, 4]), (late, [4])):
            assert [m.body["version"] for m in await client.collect(len(expected), timeout=20)] == expected
        assert [m.body["boardId"] for m in early.messages if m.type == "board_granted"] == ["b1"]
        assert "board_granted" not in [m.type for m in late.messages]


CHURN = (
    "DELETE FROM feed.board_members WHERE user_id = 'bruno' AND board_id = 'b2'",
    "INSERT INTO feed.board_members VALUES ('b2', 'bruno', 'viewer')",
    "DELETE FROM feed.board_members WHERE user_id = 'bruno' AND board_id = 'b2'",
    "INSERT INTO feed.board_members VALUES ('b2', 'bruno', 'viewer')",
    "UPDATE feed.board_members SET role = 'editor' WHERE user_id = 'bruno' AND board_id = 'b2'",
)


@pytest.mark.parametrize("source", ["buffer", "log"])
async def test_membership_churn_while_disconnected_is_one_revocation_and_one_grant(
    services: Services, database: Database, transport: str, source: str
) -> None:
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    await _wait_until_published(services, database, transport)
    client = await services.open(transport, user="bruno")
    client.cut()
    await _update(database, "x")
    for statement in CHURN:
        await database.execute(statement)
        await _update(database, "x")
    await _wait_until_published(services, database, transport)
    if source == "log":
        await services.stop()
    again = await services.open(transport, client.cursor, user="bruno")
    messages = [m for m in await _read_to_mark(again, database) if not m.type.startswith("row_")]
    assert summaries(messages) == [
        ("opportunity_updated", "x"),
        ("board_revoked", "b2"),
        ("board_granted", "b2"),
        ("opportunity_updated", "x"),
        ("opportunity_created", "mark"),
    ]
    assert messages[2].body["role"] == "editor"
    assert [m.body["version"] for m in messages if m.body.get("opportunityId") == "x"] == [2, 7]


@pytest.mark.parametrize("source", ["buffer", "log"])
async def test_only_the_revocation_of_a_lost_board_is_sent(
    services: Services, database: Database, transport: str, source: str
) -> None:
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    await _wait_until_published(services, database, transport)
    client = await services.open(transport, user="bruno")
    client.cut()
    for statement in CHURN[:3]:
        await _update(database, "x")
        await database.execute(statement)
    await _wait_until_published(services, database, transport)
    if source == "log":
        await services.stop()
    again = await services.open(transport, client.cursor, user="bruno", wait_for_auth=False)
    assert (await again.next("auth_success")).body["boards"] == ["b1"]
    assert summaries(await _read_to_mark(again, database)) == [("board_revoked", "b2"), ("opportunity_created", "mark")]


async def test_membership_churn_while_a_client_is_slow_is_one_revocation_and_one_grant(
    database: Database, transport: str
) -> None:
    await add_people(database)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    async with serving(database, client_budget=64 * KIB) as services:
        runtime = await services.runtime(transport)
        slow = await services.open(transport, user="bruno", buffer=8 * KIB)
        (subscription,) = runtime.connections
        slow.pause()
        for _ in range(60):
            await database.execute("UPDATE opportunities SET notes = repeat('z', 100000) || notes WHERE id = 'o1'")
            await database.execute("UPDATE opportunities SET notes = repeat('z', 100000) WHERE id = 'o1'")
        await until(lambda: subscription.state.name == "BEHIND")
        for statement in CHURN:
            await _update(database, "x")
            await database.execute(statement)
        await _update(database, "x")
        await runtime.tailer.wait_for_pass()
        slow.resume()
        messages = await _read_to_mark(slow, database)
        rights = [m.type for m in messages if m.type.startswith("board_")]
        assert rights == ["board_revoked", "board_granted"]
        kinds = [m.type for m in messages if m.type.startswith("board_") or m.body.get("opportunityId") == "x"]
        assert kinds == ["board_revoked", "board_granted", "opportunity_updated"]


async def test_a_role_change_sends_a_new_grant(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE feed.board_members SET role = 'viewer' WHERE user_id = 'ana'")
    granted = await client.next("board_granted")
    assert granted.body["role"] == "viewer"
    await client.next("heartbeat")
    assert client.messages[-1].cursor is not None


async def test_no_event_comes_between_a_revocation_and_its_grant(
    services: Services, database: Database, transport: str
) -> None:
    """A transaction removes and re-adds a member, a later one changes their role: only the last one is sent as a grant."""
    cursor = (await services.open(transport, user="bruno")).cursor
    runtime = await services.runtime(transport)
    async with await database.connect(autocommit=False) as conn:
        await conn.execute("DELETE FROM feed.board_members WHERE (board_id, user_id) = ('b2', 'bruno')")
        await conn.execute("INSERT INTO feed.board_members VALUES ('b2', 'bruno', 'viewer')")
        await conn.commit()
    await _wait_until_published(services, database, transport)
    runtime.publisher.replay_buffer.clear()
    runtime.publisher.replay_buffer.record(runtime.tailer.head)
    early = await services.open(transport, cursor, user="bruno")  # its read of the log is shared for a few seconds
    await early.next("board_granted")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('between', 'b2')")
    await _wait_until_published(services, database, transport)
    await database.execute("UPDATE feed.board_members SET role = 'admin' WHERE (board_id, user_id) = ('b2', 'bruno')")
    await _wait_until_published(services, database, transport)
    late = await services.open(transport, cursor, user="bruno")
    messages = await _read_to_mark(late, database)
    seen = [m.type for m in messages if m.body.get("boardId") == "b2" and not m.type.startswith("row_")]
    assert seen == ["board_revoked", "board_granted"]
