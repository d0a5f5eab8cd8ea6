"""Starting fails fast, stopping is complete: at whatever moment, and as often as one likes."""

import asyncio
import random
import socket
from collections.abc import Iterator

import pytest

from db.settings import Settings
from feed.access.tokens import Tokens
from feed.http.server import FeedServer
from feed.runtime import Runtime
from tests.support.database import Database
from tests.support.until import until

_SECRET = "a secret that only this test knows, long enough"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program has."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def service(database: Database, port: int = 0) -> FeedServer:
    settings = Settings(database_url=database.url, jwt_secret=_SECRET, feed_port=port)
    return FeedServer(settings, Runtime(settings, Tokens(settings)))


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def nothing_left(before: set[asyncio.Task[object]], database: Database) -> None:
    assert others() <= before

    async def gone() -> bool:
        return not await database.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'boardcast-%'"
        )

    await until(gone, timeout=5)  # a server process outlives its connection by a moment


async def test_a_start_that_fails_at_the_port_ends_at_once_and_leaves_nothing(database: Database, taken: int) -> None:
    before = others()
    for _ in range(50):
        async with asyncio.timeout(10):
            with pytest.raises(OSError, match="BOARDCAST_FEED_PORT"):
                await service(database, taken).start()
        assert others() <= before
    await nothing_left(before, database)


async def test_a_stop_may_follow_on_a_start_at_once_and_again(database: Database) -> None:
    before = others()
    for _ in range(20):
        async with asyncio.timeout(10):
            server = service(database)
            await server.start()
            await server.stop()
            await server.stop()
        assert others() <= before
    await nothing_left(before, database)


async def give_up(database: Database) -> None:
    """Begin a start and cancel it, at some moment. (Of its own, as a cancelled task keeps the frames that it was cancelled in.)"""
    server = service(database)
    starting = asyncio.create_task(server.start())
    async with asyncio.timeout(10):
        await asyncio.wait({starting}, timeout=random.uniform(0, 0.03))
        starting.cancel()
        await asyncio.wait({starting})
        if not starting.cancelled() and starting.exception() is None:
            await server.stop()


async def test_a_start_that_is_given_up_at_any_moment_leaves_nothing(database: Database) -> None:
    before = others()
    for _ in range(50):
        await give_up(database)
        assert others() <= before
    await nothing_left(before, database)
