"""The poll loop: one pass after the other, with rests in which others have their turn."""

import asyncio

from feed.notify.poll_loop import PollLoop
from tests.support.until import until


class Passes:
    def __init__(self, takes: float = 0.0) -> None:
        self.began: list[float] = []
        self.ended: list[float] = []
        self._takes = takes
        self._now = asyncio.get_running_loop().time

    async def run(self) -> None:
        self.began.append(self._now())
        await asyncio.sleep(self._takes)
        self.ended.append(self._now())

    @property
    def rests(self) -> list[float]:
        return [began - ended for ended, began in zip(self.ended, self.began[1:], strict=False)]


async def test_it_polls_until_it_is_ended() -> None:
    passes = Passes()
    loop = PollLoop(passes.run)
    loop.start()
    assert loop.running
    await until(lambda: len(passes.began) > 10)
    await loop.stop()
    await loop.stop()
    count = len(passes.began)
    await asyncio.sleep(0.05)
    assert len(passes.began) == count


async def test_a_long_pass_has_a_rest_as_long_but_not_longer_than_a_change_may_wait() -> None:
    passes = Passes(takes=0.015)
    loop = PollLoop(passes.run)
    loop.start()
    await until(lambda: len(passes.began) > 5)
    await loop.stop()
    assert min(passes.rests) >= 0.014
    longer = Passes(takes=0.2)
    loop = PollLoop(longer.run)
    loop.start()
    await until(lambda: len(longer.began) > 3)
    await loop.stop()
    assert min(longer.rests) < 0.1


async def test_it_rests_longer_where_nothing_is_found() -> None:
    quiet, found = Passes(), Passes()
    first, second = PollLoop(quiet.run), PollLoop(found.run)

    async def run() -> None:
        await found.run()
        second.note_changes()

    second = PollLoop(run)
    first.start()
    second.start()
    await until(lambda: len(found.began) > 40)
    await asyncio.gather(first.stop(), second.stop())
    assert len(quiet.began) < len(found.began)
