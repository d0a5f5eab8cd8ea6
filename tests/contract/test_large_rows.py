"""A row above 4 MiB is not sent: its clients take a snapshot. Everybody else gets their events as if it were small."""

from typing import LiteralString

from db.changelog.changes import LARGEST_IMAGE
from tests.support.database import Database
from tests.support.services import Serve, Services

MIB = 1024 * 1024
_NOTES: LiteralString = "UPDATE opportunities SET notes = repeat('x', %s) WHERE id = 'o1'"


async def test_a_card_of_2_mb_is_sent_whole(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    start = client.cursor
    await database.execute(_NOTES, [2 * MIB])
    event = await client.next_event()
    assert (event.type, len(event.body["changes"]["notes"])) == ("opportunity_updated", 2 * MIB)
    again = await services.open(transport, start)
    assert (await again.next_event()).body["changes"] == event.body["changes"]


async def test_a_larger_card_is_a_resync_and_does_not_touch_other_boards(
    services: Services, database: Database, transport: str
) -> None:
    await database.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o2', 'b2', 'Other')")
    client = await services.open(transport, boards=["b1"])
    other = await services.open(transport, user="bruno", boards=["b2"])
    start = client.cursor
    await database.execute(_NOTES, [LARGEST_IMAGE])
    await database.execute("UPDATE opportunities SET title = 'Still large' WHERE id = 'o1'")
    await database.execute("UPDATE opportunities SET notes = 'small', phase = 'won' WHERE id = 'o1'")
    await database.execute("UPDATE opportunities SET title = 'Small' WHERE id = 'o1'")
    await database.execute("UPDATE opportunities SET title = 'Unaffected' WHERE id = 'o2'")
    live = await client.collect(4)
    assert [event.type for event in live] == ["resync", "opportunity_updated"] * 2
    fields = ("boardId", "reason", "table", "key", "count", "version")
    assert [live[0].body[name] for name in fields] == ["b1", "large", "opportunities", "o1", 1, 2]
    assert live[3].body["changes"]["title"] == "Small"
    assert [event.body["changes"]["title"] for event in await other.collect(1)] == ["Unaffected"]
    returned = await services.open(transport, start, boards=["b1"])
    assert [event.body for event in await returned.collect(4)] == [event.body for event in live]


async def test_deletions_of_large_rows_are_sent_as_usual(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport, user="bruno")
    large: LiteralString = (
        "INSERT INTO opportunities (id, board_id, title, notes) VALUES ('o2', 'b1', 'Large', repeat('x', %s))"
    )
    await database.execute(large, [LARGEST_IMAGE])
    await database.execute("UPDATE opportunities SET board_id = 'b2' WHERE id = 'o2'")
    await database.execute("DELETE FROM opportunities WHERE id = 'o2'")
    events = [(event.type, event.body["boardId"]) for event in await client.collect(4)]
    assert events == [("resync", "b1"), ("opportunity_deleted", "b1"), ("resync", "b2"), ("opportunity_deleted", "b2")]


async def test_a_large_row_of_another_table(services: Services, database: Database, transport: str) -> None:
    await database.execute("CREATE TABLE files (a int, b text, board_id text, data bytea, PRIMARY KEY (a, b))")
    await database.execute("SELECT feed.attach('files', board => 'board_id')")
    client = await services.open(transport)
    await database.execute(
        "INSERT INTO files VALUES (1, 'x', 'b1', convert_to(repeat('x', %s), 'utf8'))", [LARGEST_IMAGE // 2]
    )
    await database.execute("UPDATE files SET data = '' WHERE a = 1")
    for event in await client.collect(2):
        assert (event.type, event.body["reason"], event.body["table"], event.body["key"]) == (
            "resync",
            "large",
            "files",
            '[1, "x"]',
        )


async def test_a_client_that_was_slow_gets_a_resync_too(serve: Serve, database: Database, transport: str) -> None:
    services = await serve(client_budget=64 * 1024, drain_timeout=60)
    client = await services.open(transport, boards=["b1"], buffer=4096)
    client.pause()
    for number in range(20):
        await database.execute(
            "UPDATE opportunities SET notes = repeat(%s, 100000) WHERE id = 'o1'", [str(number % 10)]
        )
    await database.execute(_NOTES, [LARGEST_IMAGE])
    await database.execute("UPDATE opportunities SET notes = 'small' WHERE id = 'o1'")
    await database.execute("UPDATE opportunities SET title = 'Last' WHERE id = 'o1'")
    client.resume()
    while (event := await client.next_event(timeout=30)).body["version"] != 24:
        pass
    assert event.type == "resync" or event.body["changes"]["title"] == "Last"


async def test_many_rows_at_once_are_bounded_by_their_size(
    services: Services, database: Database, transport: str
) -> None:
    """They arrive in several parts, so no message is much larger than a chunk and a row."""
    client = await services.open(transport)
    await database.execute(
        "INSERT INTO opportunities (id, board_id, title, notes)"
        " SELECT 'n' || n, 'b1', 'x', repeat('y', 300000) FROM generate_series(1, 40) AS n"
    )
    events = await client.collect(40)
    assert len({event.body["opportunityId"] for event in events}) == 40
    assert max(len(event.raw) for event in events) < 2 * MIB
