"""Starting fails fast and stopping is complete, at any moment and any number of times."""

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
def used_port() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def service(database: Database, port: int = 0) -> FeedServer:
    settings = Settings(database_url=database.url, jwt_secret=_SECRET, feed_port=port)
    return FeedServer(settings, Runtime(settings, Tokens(settings)))


def other_tasks() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def wait_until_nothing_is_left(before: set[asyncio.Task[object]], database: Database) -> None:
    assert other_tasks() <= before

    async def gone() -> bool:
        return not await database.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'boardcast-%'"
        )

    await until(gone, timeout=5)  # a backend outlives its connection by a moment


async def test_a_start_on_a_used_port_fails_at_once_and_leaves_nothing(database: Database, used_port: int) -> None:
    before = other_tasks()
    for _ in range(50):
        async with asyncio.timeout(10):
            with pytest.raises(OSError, match="BOARDCAST_FEED_PORT"):
                await service(database, used_port).start()
        assert other_tasks() <= before
    await wait_until_nothing_is_left(before, database)


async def test_stop_works_right_after_start_and_twice(database: Database) -> None:
    before = other_tasks()
    for _ in range(20):
        async with asyncio.timeout(10):
            server = service(database)
            await server.start()
            await server.stop()
            await server.stop()
        assert other_tasks() <= before
    await wait_until_nothing_is_left(before, database)


async def cancel_a_start(database: Database) -> None:
    """Start, and cancel at a random moment. A function of its own, because a cancelled task keeps its frames alive."""
    server = service(database)
    starting = asyncio.create_task(server.start())
    async with asyncio.timeout(10):
        await asyncio.wait({starting}, timeout=random.uniform(0, 0.03))
        starting.cancel()
        await asyncio.wait({starting})
        if not starting.cancelled() and starting.exception() is None:
            await server.stop()


async def test_a_start_cancelled_at_any_moment_leaves_nothing(database: Database) -> None:
    before = other_tasks()
    for _ in range(50):
        await cancel_a_start(database)
        assert other_tasks() <= before
    await wait_until_nothing_is_left(before, database)


async def test_a_stop_during_a_query_of_the_listener_logs_nothing(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    before = other_tasks()
    feed = service(database)
    await feed.start()
    prefetch = feed._runtime.tailer.prefetch

    def query_sent() -> bool:
        prefetch.on_notify()
        return prefetch._pending is not None

    async with await database.connect(autocommit=False) as blocker:
        await blocker.execute("LOCK TABLE feed.identity")  # so that the query lasts
        await until(query_sent)
        await feed._runtime.listener.stop()
    assert "rollback" not in caplog.text
    await feed.stop()
    await wait_until_nothing_is_left(before, database)
