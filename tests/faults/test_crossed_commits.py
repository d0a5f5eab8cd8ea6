"""Transactions that commit in another order than their numbers say."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from psycopg import AsyncConnection

from feed.wire.cursor import Cursor
from tests.support.database import Database
from tests.support.load import NO_BELL
from tests.support.services import Services, told
from tests.support.streams import TRANSPORTS


async def _insert(conn: AsyncConnection[Any], id_: str) -> None:
    await conn.execute("INSERT INTO opportunities (id, board_id) VALUES (%s, 'b1')", [id_])


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_one_with_the_lower_numbers_commits_later(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as a, await database.connect(autocommit=False) as b:
        await _insert(a, "a")  # the lower xid and the lower seq
        await _insert(b, "b")
        await b.commit()
        assert told([await client.next_event()]) == [("opportunity_created", "b")]
        between = client.cursor
        await a.commit()
        assert told([await client.next_event()]) == [("opportunity_created", "a")]
    again = await services.open(transport, between)
    assert told([await again.next_event()]) == [("opportunity_created", "a")]


async def test_an_xid_taken_early_and_a_seq_drawn_late(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    async with await database.connect(autocommit=False) as a, await database.connect(autocommit=False) as b:
        await a.execute("SELECT pg_current_xact_id()")
        await _insert(b, "b")  # the higher xid, the lower seq
        await _insert(a, "a")
        await a.commit()
        assert told([await client.next_event()]) == [("opportunity_created", "a")]
        await b.commit()
        assert told([await client.next_event()]) == [("opportunity_created", "b")]


async def test_two_that_touch_one_row_come_in_the_order_of_their_commits(
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


async def test_a_long_transaction_holds_nobody_up_and_arrives_when_it_ends(
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
    assert told([await client.next_event()]) == [("opportunity_created", "slow")]
    for n in (0, 20, 39):
        again = await services.open("sse", cursors[n])
        events = await again.collect(40 - n)
        assert [m.body["version"] for m in events[:-1]] == list(range(n + 3, 42))
        assert told(events[-1:]) == [("opportunity_created", "slow")]


async def test_what_a_savepoint_took_back_is_not_told(services: Services, database: Database) -> None:
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


async def test_a_bell_rung_inside_a_savepoint_that_was_taken_back(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    async with await database.connect(autocommit=False) as a:
        await a.execute("SAVEPOINT s")
        await _insert(a, "a")
        await a.execute("ROLLBACK TO s")
        await _insert(a, "b")
        await a.commit()
    assert told([await client.next_event(timeout=0.6)]) == [("opportunity_created", "b")]


async def test_a_prepared_transaction_is_refused_or_told_but_never_lost(services: Services, database: Database) -> None:
    client = await services.open("websocket")
    async with await database.connect() as conn:
        await conn.execute(NO_BELL)
        await conn.execute("BEGIN")
        await _insert(conn, "p")
        await conn.execute("PREPARE TRANSACTION 'p'")
        await database.execute("UPDATE opportunities SET title = 'x' WHERE id = 'o1'")
        assert told([await client.next_event()]) == [("opportunity_updated", "o1")]
        await conn.execute("COMMIT PREPARED 'p'")
    assert told([await client.next_event()]) == [("opportunity_created", "p")]


async def test_with_very_many_transactions_in_progress_a_cursor_still_says_all_that_was_seen(
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
