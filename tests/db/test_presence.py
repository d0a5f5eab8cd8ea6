"""Presence leases: who can hold one, who is shown, and what ends it."""

from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection

from db import presence
from db.connection import PsycopgConnection
from db.presence import Lease, Place
from tests.db.support import Connection, rows, sqlstate_of
from tests.support.database import Database

pytestmark = pytest.mark.any_version

BOARD, CARD = Place(board_id="b1"), Place("o1")


@pytest.fixture
async def feed(db: Connection, database: Database) -> AsyncIterator[PsycopgConnection]:
    await db.execute("INSERT INTO feed.board_members VALUES ('b1', 'ana', 'viewer'), ('b1', 'bruno', 'editor')")
    async with await AsyncConnection.connect(database.url, autocommit=True) as conn:
        yield conn


def lease(user: str, place: Place, action: str = "viewing", connection: str = "c") -> Lease:
    return Lease(f"{connection}-{user}", user, user.title(), place, action)


async def seen(feed: PsycopgConnection) -> list[tuple[str, str | None, str, str]]:
    return sorted((one.board_id, one.opportunity_id, one.user_id, one.action) for one in await presence.live(feed))


async def leases(db: Connection) -> int:
    return len(await rows(db, "SELECT FROM feed.user_presence"))


async def test_one_statement_claims_boards_and_cards(feed: PsycopgConnection, db: Connection) -> None:
    wanted = [lease("bruno", BOARD), lease("bruno", CARD, "editing"), lease("ana", BOARD)]
    assert await presence.claim(feed, "feed-1", wanted) == {BOARD, CARD}
    assert await presence.claim(feed, "feed-1", wanted) == {BOARD, CARD}
    assert await leases(db) == 3
    assert {(one.place, one.user_id) for one in await presence.live(feed, ["b1"])} == {
        (BOARD, "bruno"),
        (CARD, "bruno"),
        (BOARD, "ana"),
    }
    assert await presence.live(feed, ["b2"]) == []
    # feed.editing shows edits, and a board cannot be edited.
    assert [row["opportunity_id"] for row in await rows(db, "SELECT * FROM feed.editing")] == ["o1"]


async def test_a_viewer_can_view_but_not_edit(feed: PsycopgConnection, db: Connection) -> None:
    assert await presence.claim(feed, "feed-1", [lease("ana", CARD, "editing")]) == set()
    assert await presence.claim(feed, "feed-1", [lease("ana", CARD)]) == {CARD}
    assert await presence.claim(feed, "feed-1", [lease("ana", CARD, "editing")]) == set()
    assert await seen(feed) == [("b1", "o1", "ana", "viewing")]
    # An editor who becomes a viewer cannot renew, so the lease expires.
    assert await presence.claim(feed, "feed-1", [lease("bruno", CARD, "editing")]) == {CARD}
    await db.execute("UPDATE feed.board_members SET role = 'viewer' WHERE user_id = 'bruno'")
    assert await presence.claim(feed, "feed-1", [lease("bruno", CARD, "editing")]) == set()


async def test_boards_and_cards_are_released_separately(feed: PsycopgConnection) -> None:
    await presence.claim(feed, "feed-1", [lease("ana", BOARD), lease("ana", CARD)])
    await presence.release(feed, ["c-ana"], BOARD)
    assert [one.place for one in await presence.live(feed)] == [CARD]
    await presence.claim(feed, "feed-1", [lease("ana", BOARD)])
    await presence.release(feed, ["c-ana"], CARD)
    assert [one.place for one in await presence.live(feed)] == [BOARD]
    await presence.release(feed, ["c-ana"])
    assert await presence.live(feed) == []


async def test_only_members_can_hold_leases(feed: PsycopgConnection, db: Connection) -> None:
    places = [lease("ana", BOARD), lease("ana", CARD), lease("bruno", BOARD), lease("carla", BOARD)]
    assert await presence.claim(feed, "feed-1", [lease("carla", BOARD), lease("carla", CARD)]) == set()
    assert await presence.claim(feed, "feed-1", [lease("ana", BOARD)], ["b2"]) == set()
    await presence.claim(feed, "feed-1", places)
    await db.execute("DELETE FROM feed.board_members WHERE user_id = 'ana'")
    assert [one.user_id for one in await presence.live(feed)] == ["bruno"]
    await presence.expire(feed)
    assert await leases(db) == 1
    # The service keeps renewing the lease; that must not bring it back.
    await presence.claim(feed, "feed-1", places)
    assert await leases(db) == 1


async def test_leases_of_a_deleted_board_are_removed(feed: PsycopgConnection, db: Connection) -> None:
    await presence.claim(feed, "feed-1", [lease("ana", BOARD), lease("bruno", CARD)])
    await db.execute("DELETE FROM feed.boards WHERE id = 'b1'")
    assert await presence.live(feed) == []
    await presence.expire(feed)
    assert await leases(db) == 0


async def test_a_lease_has_one_place_and_boards_cannot_be_edited(db: Connection) -> None:
    insert = (
        "INSERT INTO feed.user_presence (user_id, user_name, opportunity_id, board_id, action, connection, instance) "
        "VALUES ('ana', 'Ana', %s, %s, %s, 'c', 'i')"
    )
    for opportunity, board, action in ((None, None, "viewing"), ("o1", "b1", "viewing"), (None, "b1", "editing")):
        assert await sqlstate_of(db, insert, (opportunity, board, action)) == "23514"
    assert await sqlstate_of(db, insert, (None, "b1", "viewing")) is None


async def test_notify_is_sent_for_new_and_removed_leases_but_not_for_renewals(
    feed: PsycopgConnection, database: Database
) -> None:
    async with await AsyncConnection.connect(database.url, autocommit=True) as listener:
        await listener.execute("LISTEN boardcast_presence")
        await presence.claim(feed, "feed-1", [lease("ana", BOARD)])
        await presence.claim(feed, "feed-1", [lease("ana", BOARD)])
        await presence.release(feed, ["c-ana"], BOARD)
        payloads = [notice.payload async for notice in listener.notifies(timeout=5, stop_after=2)]
    assert payloads == ["", ""], "any role may LISTEN"
