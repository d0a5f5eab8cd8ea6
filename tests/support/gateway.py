"""An HTTP reverse proxy that can buffer whole responses and answer 502 for some paths."""

import asyncio
from typing import Self

import aiohttp
from aiohttp import web

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host"})


class Gateway:
    """Proxies to `http://127.0.0.1:port`; `async with` starts and stops it."""

    def __init__(self, port: int) -> None:
        self._target = f"http://127.0.0.1:{port}"
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._streams: set[asyncio.Task[object]] = set()
        self.buffering = False
        """Whether event streams are buffered until they end."""
        self.unavailable: set[str] = set()
        """Paths that are answered with 502."""
        self.requested: list[str] = []
        """The requested paths, in order."""

    @property
    def url(self) -> str:
        assert self._runner is not None
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None))
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._runner is not None
        assert self._session is not None
        self.cut()
        await self._runner.cleanup()
        await self._session.close()

    def cut(self) -> None:
        """Abort every response in progress."""
        for task in self._streams:
            task.cancel()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        self.requested.append(request.path)
        if request.path in self.unavailable:
            raise web.HTTPBadGateway
        assert self._session is not None
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            async with self._session.request(
                request.method,
                self._target + request.path_qs,
                headers={name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP},
                data=await request.read(),
                allow_redirects=False,
            ) as upstream:
                return await self._relay(request, upstream)
        except aiohttp.ClientConnectionError as error:
            raise web.HTTPBadGateway from error
        finally:
            self._streams.discard(task)

    async def _relay(self, request: web.Request, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
        headers = {name: value for name, value in upstream.headers.items() if name.lower() not in _HOP_BY_HOP}
        if self.buffering and upstream.content_type == "text/event-stream":
            return web.Response(status=upstream.status, headers=headers, body=await upstream.read())
        response = web.StreamResponse(status=upstream.status, headers=headers)
        await response.prepare(request)
        async for data in upstream.content.iter_any():
            await response.write(data)
        await response.write_eof()
        return response
