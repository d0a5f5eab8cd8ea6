"""Leases of those who look at a board: who has one, who is shown, and what takes it away."""

from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection

from db import presence
from db.connection import PsycopgConnection
from db.presence import Lease, Place
from tests.db.support import Connection, refusal, rows
from tests.support.database import Database

BOARD, CARD = Place(board_id="b1"), Place("o1")


@pytest.fixture
async def feed(db: Connection, database: Database) -> AsyncIterator[PsycopgConnection]:
    await db.execute("INSERT INTO board_members VALUES ('b1', 'ana', 'viewer'), ('b1', 'bruno', 'editor')")
    async with await AsyncConnection.connect(database.url, autocommit=True) as conn:
        yield conn


def lease(user: str, place: Place, action: str = "viewing", connection: str = "c") -> Lease:
    return Lease(f"{connection}-{user}", user, user.title(), place, action)


async def seen(feed: PsycopgConnection) -> list[tuple[str, str | None, str, str]]:
    return sorted((one.board_id, one.opportunity_id, one.user_id, one.action) for one in await presence.live(feed))


async def leases(db: Connection) -> int:
    return len(await rows(db, "SELECT FROM user_presence"))


async def test_one_statement_takes_boards_and_cards(feed: PsycopgConnection, db: Connection) -> None:
    wanted = [lease("ana", BOARD), lease("ana", CARD, "editing"), lease("bruno", BOARD)]
    assert await presence.claim(feed, "feed-1", wanted) == {BOARD, CARD}
    assert await presence.claim(feed, "feed-1", wanted) == {BOARD, CARD}
    assert await leases(db) == 3
    assert {(one.place, one.user_id) for one in await presence.live(feed, ["b1"])} == {
        (BOARD, "ana"),
        (CARD, "ana"),
        (BOARD, "bruno"),
    }
    assert await presence.live(feed, ["b2"]) == []
    # feed.editing tells of edits, and nobody edits a board.
    assert [row["opportunity_id"] for row in await rows(db, "SELECT * FROM feed.editing")] == ["o1"]


async def test_a_board_is_given_back_alone_and_a_card_leaves_it(feed: PsycopgConnection) -> None:
    await presence.claim(feed, "feed-1", [lease("ana", BOARD), lease("ana", CARD)])
    await presence.release(feed, ["c-ana"], BOARD)
    assert [one.place for one in await presence.live(feed)] == [CARD]
    await presence.claim(feed, "feed-1", [lease("ana", BOARD)])
    await presence.release(feed, ["c-ana"], CARD)
    assert [one.place for one in await presence.live(feed)] == [BOARD]
    await presence.release(feed, ["c-ana"])
    assert await presence.live(feed) == []


async def test_who_is_no_member_has_none_and_whose_membership_ends_is_not_there(
    feed: PsycopgConnection, db: Connection
) -> None:
    places = [lease("ana", BOARD), lease("ana", CARD), lease("bruno", BOARD), lease("carla", BOARD)]
    assert await presence.claim(feed, "feed-1", [lease("carla", BOARD), lease("carla", CARD)]) == set()
    assert await presence.claim(feed, "feed-1", [lease("ana", BOARD)], ["b2"]) == set()
    await presence.claim(feed, "feed-1", places)
    await db.execute("DELETE FROM board_members WHERE user_id = 'ana'")
    assert [one.user_id for one in await presence.live(feed)] == ["bruno"]
    await presence.expire(feed)
    assert await leases(db) == 1
    # The service that holds the connection goes on renewing: it brings nothing back.
    await presence.claim(feed, "feed-1", places)
    assert await leases(db) == 1


async def test_a_board_that_is_deleted_has_nobody(feed: PsycopgConnection, db: Connection) -> None:
    await presence.claim(feed, "feed-1", [lease("ana", BOARD), lease("bruno", CARD)])
    await db.execute("DELETE FROM boards WHERE id = 'b1'")
    assert await presence.live(feed) == []
    await presence.expire(feed)
    assert await leases(db) == 0


async def test_a_lease_is_of_one_place_and_a_board_is_not_edited(db: Connection) -> None:
    insert = (
        "INSERT INTO user_presence (user_id, user_name, opportunity_id, board_id, action, connection, instance) "
        "VALUES ('ana', 'Ana', %s, %s, %s, 'c', 'i')"
    )
    for opportunity, board, action in ((None, None, "viewing"), ("o1", "b1", "viewing"), (None, "b1", "editing")):
        assert await refusal(db, insert, (opportunity, board, action)) == "23514"
    assert await refusal(db, insert, (None, "b1", "viewing")) is None


async def test_a_board_is_told_of_when_somebody_comes_and_goes_and_not_when_he_stays(
    feed: PsycopgConnection, database: Database
) -> None:
    async with await AsyncConnection.connect(database.url, autocommit=True) as listener:
        await listener.execute("LISTEN boardcast_presence")
        await presence.claim(feed, "feed-1", [lease("ana", BOARD)])
        await presence.claim(feed, "feed-1", [lease("ana", BOARD)])
        await presence.release(feed, ["c-ana"], BOARD)
        told = [notice.payload async for notice in listener.notifies(timeout=5, stop_after=2)]
    assert [payload.split('"op" : "')[1].split('"')[0] for payload in told] == ["insert", "delete"]
    assert all('"board" : "b1"' in payload for payload in told)
