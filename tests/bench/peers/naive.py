"""The naive trigger: NOTIFY with the row as payload, one `send_str` per client: `python -m tests.bench.peers.naive PORT URL`."""

import asyncio
import contextlib
import sys

import psycopg
import uvloop
from aiohttp import web


async def serve(port: int, url: str) -> None:
    clients: set[web.WebSocketResponse] = set()

    async def connect(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_str('{"type":"auth_success"}')
        clients.add(socket)
        async for _ in socket:
            pass
        clients.discard(socket)
        return socket

    app = web.Application()
    app.router.add_get("/ws", connect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute("LISTEN naive")
        await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
        async for notification in conn.notifies():
            for client in list(clients):
                with contextlib.suppress(ConnectionError):
                    await client.send_str(notification.payload)


if __name__ == "__main__":
    with contextlib.suppress(asyncio.CancelledError):
        uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
