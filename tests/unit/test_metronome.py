"""The metronome: one sweep after the other, with rests in which others have their turn."""

import asyncio

from feed.metronome import Metronome
from tests.support.until import until


class Sweeps:
    def __init__(self, takes: float = 0.0) -> None:
        self.began: list[float] = []
        self.ended: list[float] = []
        self._takes = takes
        self._now = asyncio.get_running_loop().time

    async def sweep(self) -> None:
        self.began.append(self._now())
        await asyncio.sleep(self._takes)
        self.ended.append(self._now())

    @property
    def rests(self) -> list[float]:
        return [began - ended for ended, began in zip(self.ended, self.began[1:], strict=False)]


async def test_it_beats_until_it_is_ended() -> None:
    sweeps = Sweeps()
    metronome = Metronome(sweeps.sweep)
    metronome.begin()
    assert metronome.beating
    await until(lambda: len(sweeps.began) > 10)
    await metronome.end()
    await metronome.end()
    count = len(sweeps.began)
    await asyncio.sleep(0.05)
    assert len(sweeps.began) == count


async def test_a_long_sweep_has_a_rest_as_long_but_not_longer_than_a_change_may_wait() -> None:
    sweeps = Sweeps(takes=0.015)
    metronome = Metronome(sweeps.sweep)
    metronome.begin()
    await until(lambda: len(sweeps.began) > 5)
    await metronome.end()
    assert min(sweeps.rests) >= 0.014
    longer = Sweeps(takes=0.2)
    metronome = Metronome(longer.sweep)
    metronome.begin()
    await until(lambda: len(longer.began) > 3)
    await metronome.end()
    assert min(longer.rests) < 0.1


async def test_it_rests_longer_where_nothing_is_found() -> None:
    quiet, found = Sweeps(), Sweeps()
    first, second = Metronome(quiet.sweep), Metronome(found.sweep)

    async def sweep() -> None:
        await found.sweep()
        second.found()

    second = Metronome(sweep)
    first.begin()
    second.begin()
    await until(lambda: len(found.began) > 40)
    await asyncio.gather(first.end(), second.end())
    assert len(quiet.began) < len(found.began)
