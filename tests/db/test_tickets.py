"""A ticket works once, for thirty seconds, and gives no more than the session that it was made from."""

import asyncio
import time
from datetime import timedelta

import psycopg
import pytest

from db import tickets
from db.connection import PsycopgConnection as Plain
from tests.support.database import Database


async def plain(database: Database) -> Plain:
    return await psycopg.AsyncConnection.connect(database.url, autocommit=True)


async def test_it_gives_what_its_session_had(database: Database) -> None:
    expires = time.time() + 100
    async with await plain(database) as conn:
        made = await tickets.create(conn, "ana", "Ana", ["dba"], expires)
        found = await tickets.redeem(conn, made)
    assert found is not None
    assert (found.user_id, found.name, found.roles) == ("ana", "Ana", frozenset({"dba"}))
    assert found.expires == pytest.approx(expires, abs=1e-3)


async def test_it_works_once(database: Database) -> None:
    async with await plain(database) as conn:
        made = await tickets.create(conn, "ana", "Ana", [], time.time() + 100)
        assert await tickets.redeem(conn, made) is not None
        assert await tickets.redeem(conn, made) is None


async def test_of_two_at_once_one_gets_it(database: Database) -> None:
    async with await plain(database) as one, await plain(database) as two:
        for _ in range(20):
            made = await tickets.create(one, "ana", "Ana", [], time.time() + 100)
            found = await asyncio.gather(tickets.redeem(one, made), tickets.redeem(two, made))
            assert sum(ticket is not None for ticket in found) == 1


@pytest.mark.parametrize(("ttl", "session"), [(-1, 100), (30, -1)], ids=["the ticket", "its session"])
async def test_it_ends(database: Database, ttl: int, session: int) -> None:
    async with await plain(database) as conn:
        made = await tickets.create(conn, "ana", "Ana", [], time.time() + session, ttl=timedelta(seconds=ttl))
        assert await tickets.redeem(conn, made) is None


@pytest.mark.parametrize("text", ["", "x", "é" * 10, "x" * 101, "\0", "' OR true --"])
async def test_what_is_no_ticket(database: Database, text: str) -> None:
    async with await plain(database) as conn:
        await tickets.create(conn, "ana", "Ana", [], time.time() + 100)
        assert await tickets.redeem(conn, text) is None


async def test_the_database_does_not_know_it(database: Database) -> None:
    async with await plain(database) as conn:
        made = await tickets.create(conn, "ana", "Ana", [], time.time() + 100)
    assert made not in str(await database.execute("SELECT * FROM feed.tickets"))


async def test_those_that_ended_are_taken_away(database: Database) -> None:
    async with await plain(database) as conn:
        await tickets.create(conn, "ana", "Ana", [], time.time() + 100, ttl=timedelta(seconds=-1))
        await tickets.create(conn, "ana", "Ana", [], time.time() + 100)
    assert await database.execute("SELECT count(*) AS n FROM feed.tickets") == [{"n": 1}]
