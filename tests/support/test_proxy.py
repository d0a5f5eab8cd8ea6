"""Tests the proxy's faults: if a fault does nothing, every test that uses it is worthless."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.support.proxy import Proxy
from tests.support.until import until


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, Proxy("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def _connect(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    return reader, writer


async def _read_within(reader: asyncio.StreamReader, seconds: float) -> bytes | None:
    """Read what arrives within `seconds`; None if nothing does."""
    try:
        return await asyncio.wait_for(reader.read(65536), seconds)
    except TimeoutError:
        return None


async def test_data_and_eof_are_forwarded_in_both_directions(proxy: Proxy) -> None:
    reader, writer = await _connect(proxy)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await until(lambda: proxy.open_connections == 0)


async def test_cut_resets_every_connection(proxy: Proxy) -> None:
    ends = [await _connect(proxy) for _ in range(3)]
    await until(lambda: proxy.open_connections == 3)
    proxy.cut()
    for reader, writer in ends:
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()
    await until(lambda: proxy.open_connections == 0)
    reader, writer = await _connect(proxy)
    writer.write(b"again")
    assert await reader.readexactly(5) == b"again"
    writer.close()


async def test_hang_hides_a_client_close_from_the_server(proxy: Proxy) -> None:
    reader, writer = await _connect(proxy)
    writer.write(b"x")
    await reader.readexactly(1)
    proxy.hang()
    writer.write(b"lost")
    late_reader, late_writer = await _connect(proxy)
    late_writer.write(b"lost too")
    assert await _read_within(reader, 0.2) is None
    assert await _read_within(late_reader, 0.2) is None
    late_writer.close()
    await asyncio.sleep(0.05)  # nothing may happen in this time
    assert proxy.open_connections == 2
    await proxy.resume()
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    await until(lambda: proxy.open_connections == 0)
    writer.close()


async def test_pause_loses_nothing(proxy: Proxy) -> None:
    reader, writer = await _connect(proxy)
    proxy.pause()
    writer.write(b"kept")
    assert await _read_within(reader, 0.2) is None
    await proxy.resume()
    assert await reader.readexactly(4) == b"kept"
    writer.close()


async def test_refuse_keeps_open_connections_and_resume_uses_the_same_port(proxy: Proxy) -> None:
    reader, writer = await _connect(proxy)
    await until(lambda: proxy.open_connections == 1)
    port = proxy.port
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await _connect(proxy)
    writer.write(b"in")
    assert await reader.readexactly(2) == b"in"
    await proxy.resume()
    assert proxy.port == port
    _, late = await _connect(proxy)
    await until(lambda: proxy.open_connections == 2)
    late.close()
    writer.close()


async def test_throttle_limits_the_rate(proxy: Proxy) -> None:
    reader, writer = await _connect(proxy)
    proxy.throttle(20_000)
    began = time.monotonic()
    writer.write(b"x" * 8_000)
    assert len(await reader.readexactly(8_000)) == 8_000
    assert time.monotonic() - began > 0.3
    writer.close()


def test_rewrite_url_changes_only_the_address() -> None:
    proxy = Proxy.for_url("postgresql://user:pass@db.example:5432/name?sslmode=disable")
    assert proxy.rewrite_url("postgresql://user:pass@db.example:5432/name?x=1") == (
        f"postgresql://user:pass@127.0.0.1:{proxy.port}/name?x=1"
    )
