"""Rows that belong to no board are in the log and sent to LISTEN, but to no client."""

from tests.support.database import Database
from tests.support.services import Serve, Services, summaries


async def test_rows_without_a_board_reach_no_client(services: Services, database: Database, transport: str) -> None:
    await database.execute("CREATE TABLE secrets (id int PRIMARY KEY, board_id text, word text)")
    await database.execute("SELECT feed.attach('secrets', board => 'board_id')")
    client = await services.open(transport)
    cursor = client.cursor
    await database.execute("INSERT INTO secrets VALUES (1, NULL, 'hidden'), (2, 'b2', 'hidden'), (3, 'b1', 'visible')")
    assert summaries([await client.next()]) == [("row_inserted", "3")]
    await database.execute("SELECT feed.attach('secrets')")
    await database.execute("UPDATE secrets SET word = 'changed'")
    await database.execute("UPDATE opportunities SET title = 'last' WHERE id = 'o1'")
    # The rows that clients have are on no board any more.
    assert summaries(await client.collect(2)) == [("resync", None), ("opportunity_updated", "o1")]
    # Recovery from the log does not send them either.
    runtime = await services.runtime(transport)
    runtime.publisher.replay_buffer.clear()
    again = await services.open(transport, cursor)
    assert summaries(await again.collect(3)) == [("row_inserted", "3"), ("resync", None), ("opportunity_updated", "o1")]
    assert all(b"hidden" not in m.raw for m in (*client.messages, *again.messages))


async def test_many_rows_without_a_board_do_not_hide_a_resync_for_all(
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
    runtime = await services.runtime(transport)
    runtime.publisher.replay_buffer.clear()
    again = await services.open(transport, cursor)
    assert (await again.next("resync")).body["reason"] == "truncate"
