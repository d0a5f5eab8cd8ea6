"""A feed and an API that many tests use in turn, because starting them takes ten times as long as most of the tests.

Each test gets the users, boards and card of tests.support.services.add_people, and a log that has only their rows. Before that,
everything that the last test wrote is removed. If that is not possible, because a test changed the schema, reset the feed, or left
a service that is not ready, the next test starts with a new database and new services.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from db.embedded.server import EmbeddedPostgres
from feed.runtime import Runtime
from tests.support.database import Database, cloned
from tests.support.services import PEOPLE_SQL, Services, serving
from tests.support.until import until

_RESET_TIMEOUT = 5.0

# The services follow these deletions in the log, so that they forget memberships and flags. Truncating would be shorter, but
# then each connection of the services would have to plan its queries again.
_DELETE_SQL = """
DELETE FROM opportunities;
DELETE FROM feed.board_members;
DELETE FROM feed.boards;
DELETE FROM users;
DELETE FROM feed.flags;
DELETE FROM feed.gap_reports;
DELETE FROM feed.tickets;
DELETE FROM feed.user_presence;
INSERT INTO feed.boards (id, name, phases) VALUES ('anchor', '', '[]');
DELETE FROM feed.boards WHERE id = 'anchor';
"""
# The newest row of the log stays: it is the anchor of the head, which the services look for.
_CLEAR_LOG_SQL = "DELETE FROM feed.log WHERE seq < (SELECT max(seq) FROM feed.log);"

_FINGERPRINT_SQL = """
SELECT md5(concat_ws(
    chr(10),
    (SELECT string_agg(concat_ws(' ', oid, relname, relpersistence), ',' ORDER BY oid) FROM pg_class WHERE oid >= 16384),
    (SELECT string_agg(a::text, ',' ORDER BY attrelid, attnum)
     FROM (SELECT attrelid, attnum, attname, atttypid, attnotnull, attacl FROM pg_attribute WHERE attrelid >= 16384) AS a),
    (SELECT string_agg(concat_ws(' ', oid, tgname, tgenabled), ',' ORDER BY oid) FROM pg_trigger),
    (SELECT string_agg(concat_ws(' ', oid, xmin), ',' ORDER BY oid) FROM pg_proc WHERE oid >= 16384),
    (SELECT string_agg(s::text, ',' ORDER BY setdatabase, setrole) FROM pg_db_role_setting AS s),
    (SELECT string_agg(a::text, ',' ORDER BY relation) FROM feed.attached AS a),
    (SELECT i::text FROM feed.identity AS i)
)) AS fingerprint
"""


@dataclass
class _Running:
    database: Database
    services: Services
    conn: AsyncConnection[DictRow]
    fingerprint: str


class SharedServices:
    def __init__(self, server: EmbeddedPostgres, template: str) -> None:
        self._server = server
        self._template = template
        self._stack = AsyncExitStack()
        self._running: _Running | None = None

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[tuple[Database, Services]]:
        """Lend a database and services with default settings to one test."""
        if self._running is None or not await _is_reset(self._running):
            await self.close()
            self._running = await self._start()
        running = self._running
        try:
            yield running.database, running.services
        finally:
            await asyncio.gather(*(client.close() for client in running.services.clients))
            running.services.clients.clear()
            running.database.close_idle()  # a test may have changed a setting of the session

    async def close(self) -> None:
        """Idempotent."""
        self._running = None
        await self._stack.aclose()

    async def _start(self) -> _Running:
        database = self._stack.enter_context(cloned(self._server, self._template))
        conn = await self._stack.enter_async_context(await database.connect())
        await conn.execute(PEOPLE_SQL)
        services = await self._stack.enter_async_context(serving(database))
        return _Running(database, services, conn, await _fingerprint(conn))


async def _is_reset(running: _Running) -> bool:
    """Remove what a test wrote. False if that is not possible."""
    runtimes = running.services.running
    try:
        async with asyncio.timeout(_RESET_TIMEOUT):
            if await _fingerprint(running.conn) != running.fingerprint:
                return False
            found = await running.conn.execute("SELECT id FROM feed.boards")
            boards = [row["id"] for row in await found.fetchall()]
            await running.conn.execute(_DELETE_SQL)
            await _wait_for_passes(runtimes)
            await _wait_for_absence(runtimes, boards)
            await running.conn.execute(f"{_CLEAR_LOG_SQL}{PEOPLE_SQL}")
            await _wait_for_passes(runtimes)
    except (TimeoutError, psycopg.Error):
        return False
    return all(runtime.ready and not len(runtime.connections) for runtime in runtimes)


async def _wait_for_passes(runtimes: tuple[Runtime, ...]) -> None:
    await asyncio.gather(*(runtime.tailer.wait_for_pass() for runtime in runtimes))


async def _wait_for_absence(runtimes: tuple[Runtime, ...], boards: list[str]) -> None:
    for runtime in runtimes:
        runtime.presence.wake()
        await until(partial(_nobody_is_on, runtime, boards))


def _nobody_is_on(runtime: Runtime, boards: list[str]) -> bool:
    return not runtime.presence.state(boards)


async def _fingerprint(conn: AsyncConnection[DictRow]) -> str:
    (found,) = await (await conn.execute(_FINGERPRINT_SQL)).fetchall()
    text: str = found["fingerprint"]
    return text
