"""GET /ws."""

import json
from collections.abc import AsyncIterator
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from tests.chaos.clients.stream import PARSED, EndedError, Message, Stream, dial, reset

_PATIENCE = 10.0


class WebSocketStream(Stream):
    def __init__(self, ws: ClientConnection, transport: str) -> None:
        self._ws = ws
        self.transport = transport

    @classmethod
    async def open(
        cls,
        url: str,
        token: str,
        user: str,
        cursor: str | None,
        boards: list[str] | None,
        *,
        batch: bool,
        buffer: int | None,
    ) -> Self:
        """Connect and send `auth`. Raises EndedError."""
        try:
            sock = await dial(url, buffer)
            ws = await connect(
                url,
                sock=sock,
                compression=None,
                ping_interval=None,
                max_size=None,
                max_queue=1 if buffer else 64,
                open_timeout=_PATIENCE,
                close_timeout=1,
                proxy=None,
            )
        except (OSError, InvalidHandshake, InvalidMessage, TimeoutError) as error:
            raise EndedError(f"cannot connect: {error!r}") from error
        stream = cls(ws, "websocket-batch" if batch else "websocket")
        auth: dict[str, Any] = {"type": "auth", "token": token, "userId": user}
        if cursor is not None:
            auth["cursor"] = cursor
        if boards is not None:
            auth["boards"] = boards
        if batch:
            auth["batch"] = True
        await stream.send(auth)
        return stream

    async def messages(self) -> AsyncIterator[Message]:
        try:
            while True:
                body = PARSED.load(await self._ws.recv(decode=True))
                if body["type"] != "batch":
                    yield Message(body, body.get("cursor"))
                    continue
                events = body["events"]
                for event in events[:-1]:
                    yield Message(event, None)
                yield Message(events[-1], body.get("cursor"))
        except (ConnectionClosed, OSError) as error:
            code = error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd is not None else None
            raise EndedError(f"closed: {error!r}", code) from error

    async def send(self, message: dict[str, Any]) -> bool:
        try:
            await self._ws.send(json.dumps(message))
        except (ConnectionClosed, OSError) as error:
            raise EndedError(f"cannot send: {error!r}") from error
        return True

    async def close(self) -> None:
        await self._ws.close()

    async def cut(self) -> None:
        reset(self._ws.transport)
        await self._ws.wait_closed()
