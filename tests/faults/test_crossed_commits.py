"""Transactions whose commit order differs from the order of their ids and sequence numbers."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from psycopg import AsyncConnection

from feed.wire.cursor import Cursor
from tests.support.database import Database
from tests.support.load import DISABLE_NOTIFY
from tests.support.services import Services, summaries
from tests.support.streams import TRANSPORTS


async def _insert(conn: AsyncConnection[Any], id_: str) -> None:
    await conn.execute("INSERT INTO opportunities (id, board_id) VALUES (%s, 'b1')", [id_])


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_late_commit_with_lower_numbers_is_delivered(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as a, await database.connect(autocommit=False) as b:
        await _insert(a, "a")  # the lower xid and the lower seq
        await _insert(b, "b")
        await b.commit()
        assert summaries([await client.next_event()]) == [("opportunity_created", "b")]
        between = client.cursor
        await a.commit()
        assert summaries([await client.next_event()]) == [("opportunity_created", "a")]
    again = await services.open(transport, between)
    assert summaries([await again.next_event()]) == [("opportunity_created", "a")]


async def test_a_lower_xid_with_a_higher_seq_is_delivered(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    async with await database.connect(autocommit=False) as a, await database.connect(autocommit=False) as b:
        await a.execute("SELECT pg_current_xact_id()")
        await _insert(b, "b")  # the higher xid and the lower seq
        await _insert(a, "a")
        await a.commit()
        assert summaries([await client.next_event()]) == [("opportunity_created", "a")]
        await b.commit()
        assert summaries([await client.next_event()]) == [("opportunity_created", "b")]


async def test_two_transactions_on_one_row_are_delivered_in_commit_order(
    services: Services, database: Database
) -> None:
    client = await services.open("websocket")
    start = client.cursor
    async with await database.connect(autocommit=False) as a, await database.connect(autocommit=False) as b:
        await _insert(a, "a")  # A's xid is the lower one
        await b.execute("UPDATE opportunities SET title = 'by b' WHERE id = 'o1'")
        await b.commit()
        await a.execute("UPDATE opportunities SET title = 'by a' WHERE id = 'o1'")
        await a.commit()
    assert [m.body.get("changes", {}).get("title") for m in await client.collect(3)] == ["by b", None, "by a"]
    await services.stop()  # and the same in one read of the log
    again = await services.open("websocket", start)
    events = await again.collect(3)
    assert [m.body.get("changes", {}).get("title") for m in events] == ["by b", None, "by a"]


async def test_a_long_transaction_delays_nothing_and_is_delivered_at_its_commit(
    services: Services, database: Database
) -> None:
    client = await services.open("websocket")
    cursors = []
    async with await database.connect(autocommit=False) as slow:
        await _insert(slow, "slow")
        for n in range(40):
            await database.execute("UPDATE opportunities SET notes = %s WHERE id = 'o1'", [str(n)])
            assert (await client.next_event(timeout=2)).body["version"] == n + 2
            cursors.append(client.cursor)
        await slow.commit()
    assert summaries([await client.next_event()]) == [("opportunity_created", "slow")]
    for n in (0, 20, 39):
        again = await services.open("sse", cursors[n])
        events = await again.collect(40 - n)
        assert [m.body["version"] for m in events[:-1]] == list(range(n + 3, 42))
        assert summaries(events[-1:]) == [("opportunity_created", "slow")]


async def test_rolled_back_savepoints_are_not_delivered(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    async with await database.connect(autocommit=False) as a:
        await _insert(a, "a")
        await a.execute("SAVEPOINT s")
        await _insert(a, "b")
        await a.execute("UPDATE opportunities SET title = 'never' WHERE id = 'o1'")
        await a.execute("ROLLBACK TO s")
        await a.execute("SAVEPOINT t")
        await _insert(a, "c")
        await a.execute("RELEASE t")
        await a.commit()
        await _insert(a, "d")
        await a.rollback()
        await _insert(a, "e")
        await a.commit()
    events = await client.collect(3)
    assert [m.body["opportunityId"] for m in events] == ["a", "c", "e"]
    assert events[0].body["xid"] == events[1].body["xid"]


async def test_notify_survives_a_rolled_back_savepoint(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    async with await database.connect(autocommit=False) as a:
        await a.execute("SAVEPOINT s")
        await _insert(a, "a")
        await a.execute("ROLLBACK TO s")
        await _insert(a, "b")
        await a.commit()
    assert summaries([await client.next_event(timeout=0.6)]) == [("opportunity_created", "b")]


async def test_a_prepared_transaction_without_notify_is_delivered_at_its_commit(
    services: Services, database: Database
) -> None:
    client = await services.open("websocket")
    async with await database.connect() as conn:
        await conn.execute(DISABLE_NOTIFY)
        await conn.execute("BEGIN")
        await _insert(conn, "p")
        await conn.execute("PREPARE TRANSACTION 'p'")
        await database.execute("UPDATE opportunities SET title = 'x' WHERE id = 'o1'")
        assert summaries([await client.next_event()]) == [("opportunity_updated", "o1")]
        await conn.execute("COMMIT PREPARED 'p'")
    assert summaries([await client.next_event()]) == [("opportunity_created", "p")]


async def test_a_cursor_lists_all_transactions_in_progress_even_when_there_are_many(
    services: Services, database: Database
) -> None:
    client = await services.open("websocket")
    async with AsyncExitStack() as stack:
        for _ in range(140):
            writer = await stack.enter_async_context(await database.connect(autocommit=False))
            await writer.execute("SELECT pg_current_xact_id()")
        await database.execute("UPDATE opportunities SET notes = '1'")
        await database.execute("UPDATE opportunities SET notes = '2'")
        assert [m.body["version"] for m in await client.collect(2)] == [2, 3]
        assert client.cursor is not None
        assert len(Cursor.parse(client.cursor).seen.xip) >= 140
        assert await database.execute("SELECT feed.cursor_fault(%s) AS fault", [client.cursor]) == [{"fault": None}]
        client.cut()
        await services.stop()
        again = await services.open("sse", client.cursor)
        await database.execute("UPDATE opportunities SET notes = '3'")
        assert [m.body["version"] for m in await again.collect(1)] == [4]
