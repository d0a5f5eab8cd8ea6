"""The fields of each kind of event on a live stream."""

from datetime import UTC
from typing import Any

from tests.support.database import Database
from tests.support.services import Serve, Services, summaries
from tests.support.streams import WebSocketClient, parse_json

COMMON = ["boardId", "userId", "timestamp", "version", "seq", "xid", "origin"]


def _fields(body: dict[str, Any]) -> list[str]:
    return [name for name in body if name != "cursor"]


async def _row(database: Database, id_: str = "o1") -> dict[str, Any]:
    (found,) = await database.execute("SELECT to_jsonb(o)::text AS body FROM opportunities AS o WHERE id = %s", [id_])
    row: dict[str, Any] = parse_json(found["body"])
    return row


async def test_a_created_card_is_sent_whole(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    async with await database.connect() as writer:
        await writer.execute("SET timezone = 'Asia/Kolkata'")
        await writer.execute(
            "INSERT INTO opportunities (id, board_id, title, phase, value) VALUES ('o2', 'b1', 'Ünï ☃', 'new', 1200.50)"
        )
    message = await client.next_event()
    body = message.body
    assert _fields(body) == ["type", "opportunityId", "opportunity", *COMMON]
    assert body["type"] == "opportunity_created"
    assert b'"value": 1200.50' in message.raw
    assert body["opportunityId"] == "o2"
    assert body["opportunity"].pop("created_at").endswith("+00:00")
    row = await _row(database, "o2")
    del row["created_at"]  # equal, but written in the time zone of each session
    last_sync = row.pop("last_sync_at"), body["opportunity"].pop("last_sync_at")
    assert all(last_sync)
    assert body["opportunity"] == row
    (logged,) = await database.execute("SELECT *, xid::text AS xid FROM feed.log ORDER BY seq DESC LIMIT 1")
    at = logged["at"].astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert [body[name] for name in COMMON] == ["b1", "boardcast", at, 1, logged["seq"], logged["xid"], None]
    assert message.cursor == client.cursor is not None


async def test_a_phase_change_is_a_move_whatever_else_changed(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE opportunities SET phase = 'won', title = 'Second', notes = NULL WHERE id = 'o1'")
    body = (await client.next_event()).body
    assert _fields(body) == ["type", "opportunityId", "changes", "fromPhase", "toPhase", *COMMON]
    assert (body["type"], body["fromPhase"], body["toPhase"]) == ("opportunity_moved", "new", "won")
    row = await _row(database)
    assert body["changes"].keys() == {"phase", "title", "version_number", "last_sync_at"}
    assert body["changes"]["version_number"] == row["version_number"] == body["version"] == 2
    assert (body["changes"]["phase"], body["changes"]["title"]) == ("won", "Second")


async def test_an_update_has_the_new_values_of_the_changed_columns(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE opportunities SET title = 'Second', value = 12.30 WHERE id = 'o1'")
    message = await client.next_event()
    body = message.body
    assert _fields(body) == ["type", "opportunityId", "changes", *COMMON]
    assert body["type"] == "opportunity_updated"
    assert body["changes"].keys() == {"title", "value", "version_number", "last_sync_at"}
    assert b'"value": 12.30' in message.raw


async def test_a_deletion_has_the_id_of_the_card(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await database.execute("DELETE FROM opportunities WHERE id = 'o1'")
    body = (await client.next_event()).body
    assert _fields(body) == ["type", "opportunityId", *COMMON]
    assert (body["type"], body["opportunityId"], body["version"]) == ("opportunity_deleted", "o1", 1)


async def test_events_have_the_actor_and_the_origin(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("SELECT set_config('feed.actor', 'bruno', true), set_config('feed.origin', 'm-7', true)")
        await writer.execute("UPDATE opportunities SET title = 'x' WHERE id = 'o1'")
    await database.execute("UPDATE opportunities SET title = 'y', last_modified_by = 'carla' WHERE id = 'o1'")
    first, second = await client.collect(2)
    assert (first.body["userId"], first.body["origin"]) == ("bruno", "m-7")
    assert (second.body["userId"], second.body["origin"]) == ("carla", None)


async def test_an_update_without_changes_is_not_an_event(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE opportunities SET title = title WHERE id = 'o1'")
    await database.execute("UPDATE opportunities SET title = 'other' WHERE id = 'o1'")
    message = await client.next_event()
    assert (message.body["changes"]["title"], message.body["version"]) == ("other", 2)


async def test_a_transaction_is_sent_whole_with_the_cursor_on_its_last_event(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("UPDATE opportunities SET title = 'x' WHERE id = 'o1'")
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b1'), ('o3', 'b1')")
        await writer.execute("DELETE FROM opportunities WHERE id = 'o2'")
    messages = await client.collect(4)
    assert summaries(messages) == [
        ("opportunity_updated", "o1"),
        ("opportunity_created", "o2"),
        ("opportunity_created", "o3"),
        ("opportunity_deleted", "o2"),
    ]
    assert [m.cursor is None for m in messages] == [True, True, True, False]
    assert len({m.body["xid"] for m in messages}) == 1
    seqs = [m.seq or 0 for m in messages]
    assert seqs == sorted(set(seqs))


async def test_a_card_moved_to_another_board_is_deleted_on_one_and_created_on_the_other(
    services: Services, database: Database, transport: str
) -> None:
    ana = await services.open(transport)
    bruno = await services.open(transport, user="bruno")
    await database.execute("UPDATE opportunities SET board_id = 'b2' WHERE id = 'o1'")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('o9', 'b1')")
    left, entered, mark = await bruno.collect(3)
    assert summaries([left, entered, mark]) == [
        ("opportunity_deleted", "o1"),
        ("opportunity_created", "o1"),
        ("opportunity_created", "o9"),
    ]
    assert (left.body["boardId"], entered.body["boardId"]) == ("b1", "b2")
    assert left.body["version"] == entered.body["version"] == 2
    assert entered.body["opportunity"]["board_id"] == "b2"
    # Ana sees only b1: the card is deleted there, and nothing reveals its new board.
    assert [m.seq for m in await ana.collect(2)] == [left.seq, mark.seq]


async def test_a_card_with_the_largest_version_starts_again_at_one(
    services: Services, database: Database, transport: str
) -> None:
    """Clients drop what is older than they have, so for them it is deleted and created."""
    client = await services.open(transport)
    await database.execute(
        "INSERT INTO opportunities (id, board_id, title, phase, version_number) VALUES ('o2', 'b1', 'A', 'new', 2147483647)"
    )
    assert (await client.next_event()).body["version"] == 2147483647
    await database.execute("UPDATE opportunities SET title = 'B' WHERE id = 'o2'")
    await database.execute("UPDATE opportunities SET title = 'C' WHERE id = 'o2'")
    events = [(await client.next_event()).body for _ in range(3)]
    assert [(event["type"], event["version"]) for event in events] == [
        ("opportunity_deleted", 1),
        ("opportunity_created", 1),
        ("opportunity_updated", 2),
    ]
    assert events[1]["opportunity"]["title"] == "B"
    assert events[2]["changes"].keys() == {"title", "version_number", "last_sync_at"}
    assert await database.execute("SELECT * FROM feed.gaps") == []


async def test_an_attached_table_has_an_event_for_each_row(
    services: Services, database: Database, transport: str
) -> None:
    await database.execute("CREATE TABLE tasks (id int PRIMARY KEY, board text, done bool, cost numeric)")
    await database.execute("SELECT feed.attach('tasks', board => 'board')")
    client = await services.open(transport)
    await database.execute("INSERT INTO tasks VALUES (7, 'b1', false, 12345678901234567890.12), (8, 'b2', false, 1)")
    await database.execute("UPDATE tasks SET done = true WHERE id = 7")
    await database.execute("DELETE FROM tasks WHERE id = 7")
    created, updated, deleted = await client.collect(3)
    assert _fields(created.body) == ["type", "table", "key", "row", *COMMON]
    assert _fields(updated.body) == ["type", "table", "key", "changes", *COMMON]
    assert _fields(deleted.body) == ["type", "table", "key", *COMMON]
    assert [m.type for m in (created, updated, deleted)] == ["row_inserted", "row_updated", "row_deleted"]
    assert all((m.body["table"], m.body["key"]) == ("tasks", "7") for m in (created, updated, deleted))
    assert b'"cost": 12345678901234567890.12' in created.raw
    assert updated.body["changes"] == {"done": True}


async def test_more_changes_of_a_board_than_the_threshold_are_one_resync(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(resync_threshold=5)
    bruno = await services.open(transport, user="bruno")
    async with await database.connect(autocommit=False) as writer:
        await writer.execute(
            "INSERT INTO opportunities (id, board_id) SELECT 'n' || n, 'b1' FROM generate_series(1, 6) AS n"
        )
        await writer.execute("INSERT INTO opportunities (id, board_id) VALUES ('m1', 'b2')")
    messages = await bruno.collect(2)
    assert summaries(messages) == [("resync", "b1"), ("opportunity_created", "m1")]
    resync = messages[0].body
    assert _fields(resync)[:4] == ["type", "reason", "table", "count"]
    assert (resync["reason"], resync["count"]) == ("bulk", 6)
    assert messages[1].cursor is not None
    again = await services.open(transport, messages[1].cursor, user="bruno")
    await database.execute("DELETE FROM opportunities WHERE id = 'm1'")
    assert summaries([await again.next_event()]) == [("opportunity_deleted", "m1")]


async def test_truncating_a_table_is_a_resync_of_all_boards(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("TRUNCATE opportunities")
    message = await client.next_event()
    assert (message.type, message.body["reason"], message.body["boardId"]) == ("resync", "truncate", None)
    assert message.cursor is not None


async def test_auth_success_has_the_cursor_where_the_stream_begins(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, user="bruno", wait_for_auth=False)
    hello = await client.next()
    assert hello.type == "auth_success"
    assert hello.body | {"connectionId": "", "cursor": ""} == {
        "type": "auth_success",
        "userId": "bruno",
        "connectionId": "",
        "boards": ["b1", "b2"],
        "realtime": "websocket",
        "resume": "live",
        "cursor": "",
    }
    assert hello.cursor == hello.body["cursor"]
    assert len(hello.body["connectionId"]) == 32
    await database.execute("DELETE FROM opportunities WHERE id = 'o1'")
    (event,) = await client.collect(1)
    # The cursor of auth_success is from before the deletion.
    again = await services.open(transport, hello.cursor, user="bruno")
    assert (await again.next_event()).seq == event.seq


LINE_ENDS = "a\rb\nc\vd\fe\x1cf\x1dg\x1eh\x85i\u2028j\u2029k"
"""Everything that str.splitlines takes for the end of a line. EventStreamClient checks that no block is split by it."""


async def test_no_text_breaks_the_lines_of_a_stream(services: Services, database: Database, transport: str) -> None:
    await database.execute("CREATE TABLE notes (id text PRIMARY KEY, board_id text NOT NULL, body jsonb)")
    await database.execute("SELECT feed.attach('notes', board => 'board_id')")
    client = await services.open(transport)
    await database.execute("UPDATE opportunities SET title = %s, phase = %s WHERE id = 'o1'", [LINE_ENDS, LINE_ENDS])
    await database.execute(
        "INSERT INTO notes VALUES (%s, 'b1', jsonb_build_object(%s::text, 1))", [LINE_ENDS, LINE_ENDS]
    )
    moved, inserted = await client.collect(2)
    assert (moved.body["changes"]["title"], moved.body["toPhase"]) == (LINE_ENDS, LINE_ENDS)
    assert (inserted.body["key"], inserted.body["row"]["body"]) == (LINE_ENDS, {LINE_ENDS: 1})
    editor = await services.open("websocket", user="bruno", token=services.tokens.issue("bruno", LINE_ENDS, 600))
    assert isinstance(editor, WebSocketClient)
    await editor.send({"type": "user_editing", "opportunityId": "o1"})
    assert (await client.next("user_editing")).body["userName"] == LINE_ENDS
