"""The parts of the world that every verdict stands on: the proxy's faults, and a schedule that a seed decides."""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice

import pytest

from tests.chaos import schedule
from tests.chaos.faults import registry
from tests.chaos.world.proxy import Proxy
from tests.support.until import until


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1024):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


class Caller:
    """One end of a connection through the proxy; the fixture closes those that are open."""

    made: list["Caller"] = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, proxy: Proxy) -> "Caller":
        caller = cls(*await asyncio.open_connection("127.0.0.1", proxy.port))
        cls.made.append(caller)
        return caller

    async def ask(self, text: bytes, timeout: float = 5) -> bytes:
        self.writer.write(text)
        async with asyncio.timeout(timeout):
            return await self.reader.readexactly(len(text))


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy before a server that sends back what it gets."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    proxy = Proxy("echo", server.sockets[0].getsockname()[1])
    await proxy.start()
    yield proxy
    for caller in Caller.made:
        caller.writer.transport.abort()
    Caller.made.clear()
    await proxy.stop()
    server.close()


async def test_what_is_sent_arrives(proxy: Proxy) -> None:
    assert await (await Caller.to(proxy)).ask(b"hello") == b"hello"


@pytest.mark.parametrize("mode", ["cut", "fin"])
async def test_a_connection_that_is_ended_is_ended_at_once(proxy: Proxy, mode: str) -> None:
    caller = await Caller.to(proxy)
    await caller.ask(b"a")
    getattr(proxy, mode)()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await caller.ask(b"b")
    assert await (await Caller.to(proxy)).ask(b"c") == b"c"


async def test_a_black_hole_takes_new_connections_too_and_resets_all_when_it_heals(proxy: Proxy) -> None:
    old = await Caller.to(proxy)
    await old.ask(b"a")
    proxy.black_hole()
    new = await Caller.to(proxy)
    for caller in (old, new):
        with pytest.raises(TimeoutError):
            await caller.ask(b"b", timeout=0.2)
    await proxy.heal()
    for caller in (old, new):
        with pytest.raises((ConnectionResetError, BrokenPipeError, asyncio.IncompleteReadError)):
            await caller.ask(b"c")
    assert await (await Caller.to(proxy)).ask(b"d") == b"d"


async def test_a_connection_that_hangs_does_so_for_good_while_new_ones_work(proxy: Proxy) -> None:
    old = await Caller.to(proxy)
    await old.ask(b"a")
    proxy.hang()
    await proxy.heal(hung=False)
    assert await (await Caller.to(proxy)).ask(b"b") == b"b"
    with pytest.raises(TimeoutError):
        await old.ask(b"c", timeout=0.2)


async def test_connections_that_are_refused_are_let_in_again_on_the_same_port(proxy: Proxy) -> None:
    port = proxy.port
    proxy.refuse()
    with pytest.raises(OSError):  # noqa: PT011 - whatever the system calls it
        await Caller.to(proxy)
    await proxy.heal()
    assert proxy.port == port
    assert await (await Caller.to(proxy)).ask(b"a") == b"a"


async def test_latency_and_throttle_slow_it_down_and_lose_nothing(proxy: Proxy) -> None:
    proxy.delay(0.05)
    proxy.throttle(100_000)
    begun = asyncio.get_running_loop().time()
    caller = await Caller.to(proxy)
    assert await caller.ask(b"x" * 5000) == b"x" * 5000
    assert asyncio.get_running_loop().time() - begun > 0.1


async def test_no_connection_is_left_when_its_ends_have_gone(proxy: Proxy) -> None:
    caller = await Caller.to(proxy)
    await caller.ask(b"a")
    caller.writer.close()
    await until(lambda: not proxy.connections)


def test_a_seed_decides_the_schedule_and_every_fault_has_its_turn() -> None:
    def rounds(seed: int) -> list[list[schedule.Planned]]:
        return list(islice(schedule.plan(seed, registry.FAULTS), 60))

    assert rounds(7) == rounds(7)
    assert rounds(7) != rounds(8)
    assert {each.kind for planned in rounds(7) for each in planned} == set(registry.FAULTS.values())


def test_faults_that_overlap_break_different_things() -> None:
    for planned in islice(schedule.plan(3, registry.FAULTS), 200):
        if len(planned) == 2:
            assert not planned[0].kind.alone & planned[1].kind.alone


def test_faults_are_chosen_by_name() -> None:
    assert registry.chosen("all") == registry.chosen("") == registry.FAULTS
    assert registry.chosen("none") == {}
    assert set(registry.chosen("rst-primary, prune")) == {"rst-primary", "prune"}
    assert len(registry.chosen("hang-*")) == 5
    with pytest.raises(ValueError, match="no fault is called 'flood'"):
        registry.chosen("flood")
