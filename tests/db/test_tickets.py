"""A ticket works once, for thirty seconds, and never outlives its session."""

import asyncio
import time
from datetime import timedelta

import psycopg
import pytest

from db import tickets
from db.connection import PsycopgConnection as Plain
from tests.support.database import Database

pytestmark = pytest.mark.any_version


async def connect(database: Database) -> Plain:
    return await psycopg.AsyncConnection.connect(database.url, autocommit=True)


async def test_a_ticket_carries_the_user_and_roles_of_its_session(database: Database) -> None:
    expires = time.time() + 100
    async with await connect(database) as conn:
        ticket = await tickets.create(conn, "ana", "Ana", ["dba"], expires)
        found = await tickets.redeem(conn, ticket)
    assert found is not None
    assert (found.user_id, found.name, found.roles) == ("ana", "Ana", frozenset({"dba"}))
    assert found.expires == pytest.approx(expires, abs=1e-3)


async def test_a_ticket_works_once(database: Database) -> None:
    async with await connect(database) as conn:
        ticket = await tickets.create(conn, "ana", "Ana", [], time.time() + 100)
        assert await tickets.redeem(conn, ticket) is not None
        assert await tickets.redeem(conn, ticket) is None


async def test_of_two_concurrent_redemptions_one_succeeds(database: Database) -> None:
    async with await connect(database) as one, await connect(database) as two:
        for _ in range(20):
            ticket = await tickets.create(one, "ana", "Ana", [], time.time() + 100)
            found = await asyncio.gather(tickets.redeem(one, ticket), tickets.redeem(two, ticket))
            assert sum(each is not None for each in found) == 1


@pytest.mark.parametrize(("ttl", "session"), [(-1, 100), (30, -1)], ids=["the ticket", "its session"])
async def test_a_ticket_expires_with_its_session_or_by_itself(database: Database, ttl: int, session: int) -> None:
    async with await connect(database) as conn:
        ticket = await tickets.create(conn, "ana", "Ana", [], time.time() + session, ttl=timedelta(seconds=ttl))
        assert await tickets.redeem(conn, ticket) is None


@pytest.mark.parametrize("text", ["", "x", "é" * 10, "x" * 101, "\0", "' OR true --"])
async def test_invalid_tickets_are_refused(database: Database, text: str) -> None:
    async with await connect(database) as conn:
        await tickets.create(conn, "ana", "Ana", [], time.time() + 100)
        assert await tickets.redeem(conn, text) is None


async def test_the_database_stores_only_a_hash(database: Database) -> None:
    async with await connect(database) as conn:
        ticket = await tickets.create(conn, "ana", "Ana", [], time.time() + 100)
    assert ticket not in str(await database.execute("SELECT * FROM feed.tickets"))


async def test_expired_tickets_are_deleted(database: Database) -> None:
    async with await connect(database) as conn:
        await tickets.create(conn, "ana", "Ana", [], time.time() + 100, ttl=timedelta(seconds=-1))
        await tickets.create(conn, "ana", "Ana", [], time.time() + 100)
    assert await database.execute("SELECT count(*) AS n FROM feed.tickets") == [{"n": 1}]
