"""The poll loop runs one pass after another, with pauses in which other tasks can run."""

import asyncio

from prometheus_client import CollectorRegistry, Counter

from feed.notify.poll_loop import PollLoop
from feed.system.supervisor import Supervisor
from tests.support.until import until

SUPERVISOR = Supervisor(Counter("failures", "", ("task",), registry=CollectorRegistry()))


class Passes:
    def __init__(self, takes: float = 0.0) -> None:
        self.starts: list[float] = []
        self.ends: list[float] = []
        self._takes = takes
        self._now = asyncio.get_running_loop().time

    async def run(self) -> None:
        self.starts.append(self._now())
        await asyncio.sleep(self._takes)
        self.ends.append(self._now())

    @property
    def pauses(self) -> list[float]:
        return [start - end for end, start in zip(self.ends, self.starts[1:], strict=False)]


async def test_it_polls_until_it_is_stopped() -> None:
    passes = Passes()
    loop = PollLoop(passes.run)
    loop.start(SUPERVISOR)
    assert loop.running
    await until(lambda: len(passes.starts) > 10)
    await loop.stop()
    await loop.stop()
    count = len(passes.starts)
    await asyncio.sleep(0.05)
    assert len(passes.starts) == count


async def test_the_pause_is_as_long_as_the_pass_up_to_a_limit() -> None:
    passes = Passes(takes=0.015)
    loop = PollLoop(passes.run)
    loop.start(SUPERVISOR)
    await until(lambda: len(passes.starts) > 5)
    await loop.stop()
    assert min(passes.pauses) >= 0.014
    longer = Passes(takes=0.2)
    loop = PollLoop(longer.run)
    loop.start(SUPERVISOR)
    await until(lambda: len(longer.starts) > 3)
    await loop.stop()
    assert min(longer.pauses) < 0.1


async def test_it_pauses_longer_if_it_finds_nothing() -> None:
    idle, busy = Passes(), Passes()
    first, second = PollLoop(idle.run), PollLoop(busy.run)

    async def run() -> None:
        await busy.run()
        second.note_changes()

    second = PollLoop(run)
    first.start(SUPERVISOR)
    second.start(SUPERVISOR)
    await until(lambda: len(busy.starts) > 40)
    await asyncio.gather(first.stop(), second.stop())
    assert len(idle.starts) < len(busy.starts)
