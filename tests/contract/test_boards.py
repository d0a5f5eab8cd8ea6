"""Who sees what: by membership, which changes in the log itself and takes effect at its place in it."""

from tests.support.database import Database
from tests.support.services import Services, told
from tests.support.streams import Client, Message


async def _card(database: Database, id_: str, board: str) -> None:
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES (%s, %s)", [id_, board])


async def _to(client: Client, id_: str) -> list[Message]:
    """All that comes up to the creation of a card."""
    messages = [await client.next()]
    while messages[-1].body.get("opportunityId") != id_:
        messages.append(await client.next())
    return messages


async def test_only_the_boards_of_the_user(services: Services, database: Database, transport: str) -> None:
    ana, bruno, carla = [await services.open(transport, user=user) for user in ("ana", "bruno", "carla")]
    await _card(database, "x", "b2")
    await _card(database, "y", "b1")
    assert told(await ana.collect(1)) == [("opportunity_created", "y")]
    assert told(await bruno.collect(2)) == [("opportunity_created", "x"), ("opportunity_created", "y")]
    await database.execute("INSERT INTO board_members VALUES ('b1', 'carla', 'viewer')")
    assert told([await carla.next()]) == [("board_granted", "b1")]


async def test_only_the_boards_asked_for(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport, user="bruno", boards=["b2"])
    assert client.messages[0].body["boards"] == ["b2"]
    await _card(database, "x", "b1")
    await _card(database, "y", "b2")
    assert told([await client.next_event()]) == [("opportunity_created", "y")]


async def test_a_board_that_is_not_yours_or_not_there_is_an_error_and_the_rest_goes_on(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, boards=["b1", "b2", "none"])
    errors = [await client.next(), await client.next()]
    assert [(m.type, m.body["code"]) for m in errors] == [("error", "unknown_board")] * 2
    assert "'b2'" in errors[0].body["message"]
    await _card(database, "x", "b2")
    await _card(database, "y", "b1")
    assert told([await client.next_event()]) == [("opportunity_created", "y")]


async def test_a_board_granted_live_is_seen_from_that_place_in_the_log_on(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('before', 'b2')")
        await writer.execute("INSERT INTO board_members VALUES ('b2', 'ana', 'viewer')")
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('after', 'b2')")
    granted, after = await client.next(), await client.next()
    assert told([granted, after]) == [("board_granted", "b2"), ("opportunity_created", "after")]
    assert granted.body["role"] == "viewer"
    assert after.cursor is not None


async def test_a_board_revoked_live_is_seen_up_to_that_place_in_the_log(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, user="bruno")
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('before', 'b2')")
        await writer.execute("DELETE FROM board_members WHERE user_id = 'bruno' AND board_id = 'b2'")
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('after', 'b2'), ('mark', 'b1')")
    assert told(await _to(client, "mark")) == [
        ("opportunity_created", "before"),
        ("row_deleted", '["b2", "bruno"]'),
        ("board_revoked", "b2"),
        ("opportunity_created", "mark"),
    ]


async def test_a_change_of_role_is_told(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE board_members SET role = 'viewer' WHERE user_id = 'ana'")
    event = await client.next_event()
    assert event.body["changes"] == {"role": "viewer"}
    await _card(database, "y", "b1")
    assert told([await client.next_event()]) == [("opportunity_created", "y")]


async def test_who_was_removed_while_away_is_told_and_sees_nothing_more(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, user="bruno")
    client.cut()
    cursor = client.cursor
    await _card(database, "secret", "b2")
    await database.execute("DELETE FROM board_members WHERE user_id = 'bruno' AND board_id = 'b2'")
    await _card(database, "mark", "b1")
    for _ in range(2):
        again = await services.open(transport, cursor, user="bruno", greeted=False)
        assert (await again.next()).body["boards"] == ["b1"]
        messages = await _to(again, "mark")
        assert told(messages) == [("board_revoked", "b2"), ("opportunity_created", "mark")]
        assert messages[-1].cursor is not None
        await services.stop()  # once from memory, once from the log


async def test_who_was_let_in_while_away_is_told(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    client.cut()
    await database.execute("INSERT INTO board_members VALUES ('b2', 'ana', 'viewer')")
    await _card(database, "y", "b2")
    for _ in range(2):
        again = await services.open(transport, client.cursor)
        messages = await _to(again, "y")
        assert told(messages) == [("board_granted", "b2"), ("opportunity_created", "y")]
        assert messages[-1].cursor is not None
        await services.stop()


async def test_the_cursor_after_a_right_that_changed_while_away_comes_after_the_news(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, user="bruno")
    client.cut()
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('y', 'b1')")
        await writer.execute("DELETE FROM board_members WHERE user_id = 'bruno' AND board_id = 'b2'")
    for _ in range(2):
        again = await services.open(transport, client.cursor, user="bruno")
        messages = [await again.next("opportunity_created", "board_revoked", "heartbeat")]
        while messages[-1].cursor is None:
            messages.append(await again.next("opportunity_created", "board_revoked", "heartbeat"))
        assert [m.type for m in messages] == ["opportunity_created", "board_revoked", "heartbeat"]
        await services.stop()


async def test_a_board_that_was_asked_for_before_it_was_granted_comes_with_the_grant(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, boards=["b2"])
    assert (await client.next()).body["code"] == "unknown_board"
    await database.execute("INSERT INTO board_members VALUES ('b2', 'ana', 'viewer')")
    assert told([await client.next()]) == [("board_granted", "b2")]
    await _card(database, "x", "b1")
    await _card(database, "y", "b2")
    assert told([await client.next_event()]) == [("opportunity_created", "y")]


async def test_a_board_that_is_deleted_takes_its_cards_with_it(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("DELETE FROM boards WHERE id = 'b1'")
    await client.next("board_revoked")
    await database.execute("INSERT INTO boards VALUES ('b1', 'Another', '[]')")
    await _card(database, "x", "b1")
    await database.execute("INSERT INTO board_members VALUES ('b1', 'ana', 'viewer')")
    assert told([await client.next()]) == [("board_granted", "b1")]


async def test_all_members_removed_at_once(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await database.execute("TRUNCATE board_members")
    kinds = [m.type for m in [await client.next(), await client.next()]]
    assert kinds == ["resync", "board_revoked"]
    await _card(database, "x", "b1")
    await database.execute("INSERT INTO board_members VALUES ('b2', 'ana', 'viewer')")
    assert told([await client.next()]) == [("board_granted", "b2")]
