"""Concurrent loads share few reads, and no load gets the result of a read that began before it."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from api.cache import batch_loader
from api.cache.batch_loader import BatchLoader
from tests.support.until import until


class Store:
    """A data source that answers while `open` is set."""

    def __init__(self) -> None:
        self.reads: list[list[str]] = []
        self.values = {"a": 1, "b": 2}
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None

    async def read(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.reads.append(list(keys))
        found = {key: self.values[key] for key in keys if key in self.values}
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return found


async def test_concurrent_loads_share_one_read() -> None:
    store = Store()
    loader = BatchLoader(store.read, 10)
    assert await asyncio.gather(*map(loader.load, ["a", "b", "a", "c"])) == [1, 2, 1, None]
    assert store.reads == [["a", "b", "c"]]
    assert await loader.load("a") == 1
    assert store.reads == [["a", "b", "c"], ["a"]]


async def test_a_load_never_uses_a_read_that_began_before_it() -> None:
    store = Store()
    loader = BatchLoader(store.read, 10)
    store.open.clear()
    early = asyncio.create_task(loader.load("a"))
    await until(lambda: store.reads)
    store.values["a"] = 7
    late = [asyncio.create_task(loader.load(key)) for key in "aab"]
    await asyncio.sleep(0)
    store.open.set()
    assert await early == 1
    assert await asyncio.gather(*late) == [7, 7, 2]
    assert store.reads == [["a"], ["a", "b"]]


async def test_a_read_has_a_maximum_size() -> None:
    store = Store()
    store.values = {str(n): n for n in range(25)}
    loader = BatchLoader(store.read, 10)
    assert await asyncio.gather(*(loader.load(str(n)) for n in range(25))) == list(range(25))
    assert [len(read) for read in store.reads] == [10, 10, 5]


async def test_a_failed_read_fails_its_own_loads_only() -> None:
    store = Store()
    store.error = ConnectionError("gone")
    loader = BatchLoader(store.read, 10)
    answers = await asyncio.gather(loader.load("a"), loader.load("b"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError, ConnectionError]
    store.error = None
    assert await loader.load("a") == 1


async def test_a_cancelled_load_does_not_cancel_the_others() -> None:
    store = Store()
    loader = BatchLoader(store.read, 10)
    store.open.clear()
    first, second = asyncio.create_task(loader.load("a")), asyncio.create_task(loader.load("a"))
    await until(lambda: store.reads)
    first.cancel()
    store.open.set()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_read_that_hangs_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_loader, "_READ_TIMEOUT", 0.05)
    store = Store()
    loader = BatchLoader(store.read, 10)
    store.open.clear()
    with pytest.raises(TimeoutError):
        await loader.load("a")
    store.open.set()
    assert await loader.load("a") == 1


async def test_stop_cancels_running_and_waiting_loads() -> None:
    store = Store()
    loader = BatchLoader(store.read, 10)
    store.open.clear()
    running = asyncio.create_task(loader.load("a"))
    await until(lambda: store.reads)
    waiting = asyncio.create_task(loader.load("b"))
    await asyncio.sleep(0)
    await loader.stop()
    await loader.stop()
    await asyncio.wait({running, waiting})
    assert running.cancelled()
    assert waiting.cancelled()
