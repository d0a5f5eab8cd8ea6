"""The API server on a socket, in the test's process."""

import asyncio
import errno
import signal
import socket
import time

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.server import ApiServer
from api.state import app_state
from tests.api.harness import Api, problem
from tests.support.until import until


def server(api: Api, port: int = 0, drain_timeout: float = 5.0) -> ApiServer:
    return ApiServer(api.app, host="127.0.0.1", port=port, drain_timeout=drain_timeout)


async def test_it_listens_after_start_and_not_after_stop(api: Api) -> None:
    handlers = [signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)]
    running = server(api)
    await running.start()
    port = running.port
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/readyz")).json()["status"] == "ready"
        assert [signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)] == handlers
        await running.stop()
        await running.stop()
        with pytest.raises(httpx.TransportError):
            await client.get("/healthz")
    again = server(api, port)
    await again.start()
    await again.stop()


async def test_stop_without_start_does_nothing(api: Api) -> None:
    await server(api).stop()


async def test_a_port_in_use_is_an_error(api: Api) -> None:
    first = server(api)
    await first.start()
    try:
        with pytest.raises(
            OSError, match=f"port {first.port} of 127.0.0.1 is in use: set BOARDCAST_API_PORT"
        ) as caught:
            await server(api, first.port).start()
        assert caught.value.errno == errno.EADDRINUSE
    finally:
        await first.stop()


async def test_stop_finishes_running_requests_and_aborts_hanging_ones(api: Api) -> None:
    entered = {"slow": asyncio.Event(), "stuck": asyncio.Event()}
    release = asyncio.Event()

    async def slow(request: Request) -> Response:
        entered["slow"].set()
        await release.wait()
        return Response("done")

    async def stuck(request: Request) -> Response:
        entered["stuck"].set()
        await asyncio.Event().wait()
        return Response("never")

    api.app.router.routes[:0] = [Route("/slow", slow), Route("/stuck", stuck)]
    running = server(api, drain_timeout=1.0)
    await running.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", timeout=10) as client:
        finishing = asyncio.create_task(client.get("/slow"))
        hanging = asyncio.create_task(client.get("/stuck"))
        await asyncio.gather(*(event.wait() for event in entered.values()))
        begun = time.monotonic()
        stopping = asyncio.create_task(running.stop())
        await until(lambda: app_state(api.app).draining, what="draining")
        release.set()
        assert (await finishing).text == "done"
        await stopping
        assert time.monotonic() - begun < 2.5
        problem(await hanging, "draining")


async def test_a_half_open_client_does_not_delay_the_stop(api: Api) -> None:
    running = server(api, drain_timeout=1.0)
    await running.start()
    with socket.create_connection(("127.0.0.1", running.port)) as idle:
        idle.sendall(b"POST /api/opportunities HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
            assert (await client.get("/healthz")).status_code == 200
        begun = time.monotonic()
        await running.stop()
        assert time.monotonic() - begun < 2.5
