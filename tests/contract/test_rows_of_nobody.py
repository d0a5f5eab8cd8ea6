"""A table on the feed whose rows belong to no board: LISTENers and the log are told, and no client."""

from tests.support.database import Database
from tests.support.services import Serve, Services, told


async def test_rows_without_a_board_go_to_nobody(services: Services, database: Database, transport: str) -> None:
    await database.execute("CREATE TABLE secrets (id int PRIMARY KEY, board_id text, word text)")
    await database.execute("SELECT feed.attach('secrets', board => 'board_id')")
    client = await services.open(transport)
    cursor = client.cursor
    await database.execute("INSERT INTO secrets VALUES (1, NULL, 'hidden'), (2, 'b2', 'hidden'), (3, 'b1', 'told')")
    assert told([await client.next()]) == [("row_inserted", "3")]
    await database.execute("SELECT feed.attach('secrets')")
    await database.execute("UPDATE secrets SET word = 'changed'")
    await database.execute("UPDATE opportunities SET title = 'last' WHERE id = 'o1'")
    assert told([await client.next()]) == [("opportunity_updated", "o1")]
    # Not on the way back either, from the log.
    hub = await services.hub(transport)
    hub.publisher.replay_buffer.clear()
    again = await services.open(transport, cursor)
    assert told(await again.collect(2)) == [("row_inserted", "3"), ("opportunity_updated", "o1")]
    assert all(b"hidden" not in m.raw for m in (*client.messages, *again.messages))


async def test_many_of_them_hide_nothing_that_everybody_is_told(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(resync_threshold=5)
    await database.execute("CREATE TABLE notes (id int PRIMARY KEY)")
    await database.execute("SELECT feed.attach('notes')")
    client = await services.open(transport)
    cursor = client.cursor
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("TRUNCATE opportunities CASCADE")
        await writer.execute("INSERT INTO notes SELECT n FROM generate_series(1, 20) AS n")
    resync = await client.next("resync")
    assert (resync.body["reason"], resync.body["boardId"]) == ("truncate", None)
    hub = await services.hub(transport)
    hub.publisher.replay_buffer.clear()
    again = await services.open(transport, cursor)
    assert (await again.next("resync")).body["reason"] == "truncate"
