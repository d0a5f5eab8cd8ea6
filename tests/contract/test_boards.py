"""Clients see the boards that they are members of; a membership change takes effect at its position in the log."""

from urllib.parse import quote

import pytest

from tests.support.database import Database
from tests.support.services import Services, summaries
from tests.support.streams import Client, Message


async def _card(database: Database, id_: str, board: str) -> None:
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES (%s, %s)", [id_, board])


async def _read_to_creation(client: Client, id_: str) -> list[Message]:
    """All messages up to the creation of a card."""
    messages = [await client.next()]
    while messages[-1].body.get("opportunityId") != id_:
        messages.append(await client.next())
    return messages


async def test_clients_get_only_the_boards_of_their_user(
    services: Services, database: Database, transport: str
) -> None:
    ana, bruno, carla = [await services.open(transport, user=user) for user in ("ana", "bruno", "carla")]
    await _card(database, "x", "b2")
    await _card(database, "y", "b1")
    assert summaries(await ana.collect(1)) == [("opportunity_created", "y")]
    assert summaries(await bruno.collect(2)) == [("opportunity_created", "x"), ("opportunity_created", "y")]
    await database.execute("INSERT INTO feed.board_members VALUES ('b1', 'carla', 'viewer')")
    assert summaries([await carla.next()]) == [("board_granted", "b1")]


async def test_clients_get_only_the_boards_they_asked_for(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, user="bruno", boards=["b2"])
    assert client.messages[0].body["boards"] == ["b2"]
    await _card(database, "x", "b1")
    await _card(database, "y", "b2")
    assert summaries([await client.next_event()]) == [("opportunity_created", "y")]


async def test_asking_for_a_forbidden_or_unknown_board_is_an_error_and_the_others_stream(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, boards=["b1", "b2", "none"])
    errors = [await client.next(), await client.next()]
    assert [(m.type, m.body["code"]) for m in errors] == [("error", "unknown_board")] * 2
    assert "'b2'" in errors[0].body["message"]
    await _card(database, "x", "b2")
    await _card(database, "y", "b1")
    assert summaries([await client.next_event()]) == [("opportunity_created", "y")]


async def test_a_board_granted_live_is_visible_from_that_position_on(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('before', 'b2')")
        await writer.execute("INSERT INTO feed.board_members VALUES ('b2', 'ana', 'viewer')")
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('after', 'b2')")
    granted, after = await client.next(), await client.next()
    assert summaries([granted, after]) == [("board_granted", "b2"), ("opportunity_created", "after")]
    assert granted.body["role"] == "viewer"
    assert after.cursor is not None


async def test_a_board_revoked_live_is_visible_up_to_that_position(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, user="bruno")
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('before', 'b2')")
        await writer.execute("DELETE FROM feed.board_members WHERE user_id = 'bruno' AND board_id = 'b2'")
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('after', 'b2'), ('mark', 'b1')")
    assert summaries(await _read_to_creation(client, "mark")) == [
        ("opportunity_created", "before"),
        ("row_deleted", '["b2", "bruno"]'),
        ("board_revoked", "b2"),
        ("opportunity_created", "mark"),
    ]


async def test_a_role_change_is_an_event(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE feed.board_members SET role = 'viewer' WHERE user_id = 'ana'")
    event = await client.next_event()
    assert event.body["changes"] == {"role": "viewer"}
    await _card(database, "y", "b1")
    assert summaries([await client.next_event()]) == [("opportunity_created", "y")]


async def test_a_member_removed_while_disconnected_gets_the_revocation_and_no_events(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, user="bruno")
    client.cut()
    cursor = client.cursor
    await _card(database, "secret", "b2")
    await database.execute("DELETE FROM feed.board_members WHERE user_id = 'bruno' AND board_id = 'b2'")
    await _card(database, "mark", "b1")
    await (await services.runtime(transport)).tailer.wait_for_pass()
    for _ in range(2):
        again = await services.open(transport, cursor, user="bruno", wait_for_auth=False)
        assert (await again.next()).body["boards"] == ["b1"]
        messages = await _read_to_creation(again, "mark")
        assert summaries(messages) == [("board_revoked", "b2"), ("opportunity_created", "mark")]
        assert messages[-1].cursor is not None
        await services.stop()  # the first time from the replay buffer, the second from the log


async def test_a_member_added_while_disconnected_gets_the_grant(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    client.cut()
    await database.execute("INSERT INTO feed.board_members VALUES ('b2', 'ana', 'viewer')")
    await _card(database, "y", "b2")
    for _ in range(2):
        again = await services.open(transport, client.cursor)
        messages = await _read_to_creation(again, "y")
        assert summaries(messages) == [("board_granted", "b2"), ("opportunity_created", "y")]
        assert messages[-1].cursor is not None
        await services.stop()


async def test_after_a_revocation_while_disconnected_the_cursor_follows_the_revocation(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, user="bruno")
    client.cut()
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('y', 'b1')")
        await writer.execute("DELETE FROM feed.board_members WHERE user_id = 'bruno' AND board_id = 'b2'")
    for _ in range(2):
        again = await services.open(transport, client.cursor, user="bruno")
        messages = [await again.next("opportunity_created", "board_revoked", "heartbeat")]
        while messages[-1].cursor is None:
            messages.append(await again.next("opportunity_created", "board_revoked", "heartbeat"))
        assert [m.type for m in messages] == ["opportunity_created", "board_revoked", "heartbeat"]
        await services.stop()


async def test_a_board_asked_for_before_its_grant_streams_from_the_grant_on(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, boards=["b2"])
    assert (await client.next()).body["code"] == "unknown_board"
    await database.execute("INSERT INTO feed.board_members VALUES ('b2', 'ana', 'viewer')")
    assert summaries([await client.next()]) == [("board_granted", "b2")]
    await _card(database, "x", "b1")
    await _card(database, "y", "b2")
    assert summaries([await client.next_event()]) == [("opportunity_created", "y")]


async def test_a_deleted_board_is_revoked(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await database.execute("DELETE FROM feed.boards WHERE id = 'b1'")
    await client.next("board_revoked")
    await database.execute("INSERT INTO feed.boards VALUES ('b1', 'Another', '[]')")
    await _card(database, "x", "b1")
    await database.execute("INSERT INTO feed.board_members VALUES ('b1', 'ana', 'viewer')")
    assert summaries([await client.next()]) == [("board_granted", "b1")]


async def test_truncating_the_members_revokes_all_boards(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("TRUNCATE feed.board_members")
    kinds = [m.type for m in [await client.next(), await client.next()]]
    assert kinds == ["resync", "board_revoked"]
    await _card(database, "x", "b1")
    await database.execute("INSERT INTO feed.board_members VALUES ('b2', 'ana', 'viewer')")
    assert summaries([await client.next()]) == [("board_granted", "b2")]


async def test_boards_with_any_id_can_be_selected(services: Services, database: Database, transport: str) -> None:
    odd = ["a/b", "%2C", "?#&=;+", "ação ☃", "a b"]
    for id_ in odd:
        await database.execute("INSERT INTO feed.boards (id, name, phases) VALUES (%s, 'Odd', '[]')", [id_])
        await database.execute("INSERT INTO feed.board_members VALUES (%s, 'ana', 'editor')", [id_])
    client = await services.open(transport, boards=[quote(id_) for id_ in odd] if "web" not in transport else odd)
    assert (await client.next("presence_state")).body["presence"] == []
    for id_ in odd:
        await database.execute("INSERT INTO opportunities (id, board_id, title) VALUES (%s, %s, 'x')", [f"o{id_}", id_])
    assert [message.body["boardId"] for message in await client.collect(len(odd))] == odd


@pytest.mark.parametrize("stream", ["sse", "api-events"])
async def test_a_repeated_parameter_adds_boards(services: Services, database: Database, stream: str) -> None:
    token = {"Authorization": f"Bearer {services.token('bruno')}"}
    client = await services.request_stream(stream, "?boards=b1&boards=b2,b9", headers=token)
    await client.next("presence_state")
    await database.execute("UPDATE feed.boards SET name = 'Two!' WHERE id = 'b2'")
    await database.execute("UPDATE feed.boards SET name = 'One!' WHERE id = 'b1'")
    assert [message.body["boardId"] for message in await client.collect(2)] == ["b2", "b1"]
