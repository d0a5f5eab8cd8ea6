"""Helpers for the tests of boardcast verify."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection

from db.changelog import verify
from db.changelog.verify import FedTable, Finding

Plain = AsyncConnection[tuple[Any, ...]]


@asynccontextmanager
async def bypass_triggers(conn: AsyncConnection[Any]) -> AsyncIterator[None]:
    await conn.execute("SET session_replication_role = replica")
    yield
    await conn.execute("RESET session_replication_role")


async def fed_table(conn: Plain, name: str = "opportunities") -> FedTable:
    (fed,) = [fed for fed in await verify.tables(conn) if fed.name == name]
    return fed


async def find_drift(conn: Plain, name: str = "opportunities", *, part: int = 2) -> list[Finding]:
    parts = verify.verify(conn, await fed_table(conn, name), part=part)
    return [finding async for one in parts for finding in one.findings]
