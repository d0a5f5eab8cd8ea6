"""feed.editing shows which editors would overwrite changes that they have not seen."""

from typing import Any

import pytest
from psycopg import AsyncConnection

from db import presence
from db.presence import HTTP, Lease, Place
from tests.db.support import Connection, rows
from tests.support.database import Database

pytestmark = pytest.mark.any_version


@pytest.fixture(autouse=True)
async def members(db: Connection) -> None:
    await db.execute("INSERT INTO users (id, name) VALUES ('carla', 'Carla')")
    await db.execute("INSERT INTO feed.board_members SELECT 'b1', id, 'editor' FROM users")


async def editing(db: Connection) -> list[tuple[Any, ...]]:
    found = await rows(
        db, "SELECT user_id, opportunity_id, base_version, version, behind FROM feed.editing ORDER BY user_id"
    )
    return [tuple(row.values()) for row in found]


async def claim(database: Database, connection: str, user: str, base: int | None, action: str = "editing") -> None:
    async with await AsyncConnection.connect(database.url, autocommit=True) as conn:
        lease = Lease(connection, user, user.title(), Place("o1"), action, base)
        await presence.claim(conn, "feed-1", [lease])


async def test_an_editor_is_behind_after_another_user_saves(db: Connection, database: Database) -> None:
    await claim(database, "c1", "ana", 1)
    await claim(database, "c2", "bruno", None)
    await claim(database, "c3", "carla", 1, "viewing")
    assert await editing(db) == [("ana", "o1", 1, 1, False), ("bruno", "o1", None, 1, None)]
    await db.execute("UPDATE opportunities SET title = 'B'")
    assert await editing(db) == [("ana", "o1", 1, 2, True), ("bruno", "o1", None, 2, None)]
    await claim(database, "c1", "ana", 2)
    assert await editing(db) == [("ana", "o1", 2, 2, False), ("bruno", "o1", None, 2, None)]


async def test_a_user_is_behind_if_one_of_their_tabs_is(db: Connection, database: Database) -> None:
    await claim(database, "c1", "ana", 1)
    await db.execute("UPDATE opportunities SET title = 'B'")
    await claim(database, "c2", "ana", 2)
    assert await editing(db) == [("ana", "o1", 1, 2, True)]


async def test_leases_of_a_deleted_card_expire_whoever_holds_them(db: Connection, database: Database) -> None:
    await claim(database, "c1", "ana", 1)
    await db.execute("UPDATE feed.user_presence SET instance = %s", (HTTP,))
    await db.execute("DELETE FROM opportunities")
    assert await editing(db) == []
    async with await AsyncConnection.connect(database.url, autocommit=True) as conn:
        await presence.expire(conn)
    assert await rows(db, "SELECT * FROM feed.user_presence") == []
