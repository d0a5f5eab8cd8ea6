"""The parts of the world that all verdicts rely on: the faults of the proxy, and the seeded schedule."""

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
    """A client connection through the proxy; the fixture closes all of them."""

    opened: list["Caller"] = []  # noqa: RUF012 - cleared by the fixture

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, proxy: Proxy) -> "Caller":
        caller = cls(*await asyncio.open_connection("127.0.0.1", proxy.port))
        cls.opened.append(caller)
        return caller

    async def echo(self, text: bytes, timeout: float = 5) -> bytes:
        self.writer.write(text)
        async with asyncio.timeout(timeout):
            return await self.reader.readexactly(len(text))


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy in front of an echo server."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    proxy = Proxy("echo", server.sockets[0].getsockname()[1])
    await proxy.start()
    yield proxy
    for caller in Caller.opened:
        caller.writer.transport.abort()
    Caller.opened.clear()
    await proxy.stop()
    server.close()


async def test_the_proxy_forwards_both_ways(proxy: Proxy) -> None:
    assert await (await Caller.connect(proxy)).echo(b"hello") == b"hello"


@pytest.mark.parametrize("mode", ["cut", "fin"])
async def test_cut_and_fin_end_connections_at_once(proxy: Proxy, mode: str) -> None:
    caller = await Caller.connect(proxy)
    await caller.echo(b"a")
    getattr(proxy, mode)()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await caller.echo(b"b")
    assert await (await Caller.connect(proxy)).echo(b"c") == b"c"


async def test_a_black_hole_swallows_new_connections_too_and_resets_all_on_heal(proxy: Proxy) -> None:
    old = await Caller.connect(proxy)
    await old.echo(b"a")
    proxy.black_hole()
    new = await Caller.connect(proxy)
    for caller in (old, new):
        with pytest.raises(TimeoutError):
            await caller.echo(b"b", timeout=0.2)
    await proxy.heal()
    for caller in (old, new):
        with pytest.raises((ConnectionResetError, BrokenPipeError, asyncio.IncompleteReadError)):
            await caller.echo(b"c")
    assert await (await Caller.connect(proxy)).echo(b"d") == b"d"


async def test_hung_connections_stay_hung_while_new_ones_work(proxy: Proxy) -> None:
    old = await Caller.connect(proxy)
    await old.echo(b"a")
    proxy.hang()
    await proxy.heal(hung=False)
    assert await (await Caller.connect(proxy)).echo(b"b") == b"b"
    with pytest.raises(TimeoutError):
        await old.echo(b"c", timeout=0.2)


async def test_refused_connections_are_accepted_again_on_the_same_port(proxy: Proxy) -> None:
    port = proxy.port
    proxy.refuse()
    with pytest.raises(OSError):  # noqa: PT011 - the error depends on the system
        await Caller.connect(proxy)
    await proxy.heal()
    assert proxy.port == port
    assert await (await Caller.connect(proxy)).echo(b"a") == b"a"


async def test_latency_and_throttle_slow_a_connection_down_and_lose_nothing(proxy: Proxy) -> None:
    proxy.delay(0.05)
    proxy.throttle(100_000)
    started = asyncio.get_running_loop().time()
    caller = await Caller.connect(proxy)
    assert await caller.echo(b"x" * 5000) == b"x" * 5000
    assert asyncio.get_running_loop().time() - started > 0.1


async def test_closed_connections_are_removed(proxy: Proxy) -> None:
    caller = await Caller.connect(proxy)
    await caller.echo(b"a")
    caller.writer.close()
    await until(lambda: not proxy.connections)


def test_the_seed_determines_the_schedule_and_every_fault_is_scheduled() -> None:
    def rounds(seed: int) -> list[list[schedule.Planned]]:
        return list(islice(schedule.plan(seed, registry.FAULTS), 60))

    assert rounds(7) == rounds(7)
    assert rounds(7) != rounds(8)
    assert {each.kind for planned in rounds(7) for each in planned} == set(registry.FAULTS.values())


def test_overlapping_faults_have_different_targets() -> None:
    for planned in islice(schedule.plan(3, registry.FAULTS), 200):
        if len(planned) == 2:
            assert not planned[0].kind.exclusive & planned[1].kind.exclusive


def test_faults_are_selected_by_name() -> None:
    assert registry.select("all") == registry.select("") == registry.FAULTS
    assert registry.select("none") == {}
    assert set(registry.select("rst-primary, prune")) == {"rst-primary", "prune"}
    assert len(registry.select("hang-*")) == 5
    with pytest.raises(ValueError, match="unknown fault 'flood'"):
        registry.select("flood")
