"""A client that reconnects with its cursor, to any instance behind the address."""

import asyncio
from typing import Any

from websockets.exceptions import InvalidStatus

from tests.support.streams import Client, EndedError, EventStreamClient, RefusedError, WebSocketClient


class ReconnectingClient:
    """Invariant: each event is kept once, by seq, in the order of its first arrival."""

    def __init__(self, port: int, transport: str, token: str) -> None:
        self.port = port
        self.transport = transport
        self.token = token
        self.cursor: str | None = None
        self.versions: dict[int, int] = {}
        self.auth_successes: list[dict[str, Any]] = []
        self.resets: list[str] = []
        self.refused: list[str] = []
        self.goodbyes = 0

    async def connect(self) -> Client:
        if self.transport == "websocket":
            return await WebSocketClient.connect(self.port, self.token, "ana", cursor=self.cursor)
        headers = {"Cookie": f"boardcast_session={self.token}"}
        if self.cursor is not None:
            headers["Last-Event-ID"] = self.cursor
        return await EventStreamClient.connect(self.port, self.transport, headers=headers)

    async def run(self) -> None:
        while True:
            try:
                client = await self.connect()
            except RefusedError as error:
                self.refused.append(str(error))
            except InvalidStatus as error:
                self.refused.append(str(error))
            else:
                try:
                    await self._read(client)
                except EndedError:
                    self.cursor = client.cursor or self.cursor
                finally:
                    await client.close()
            await asyncio.sleep(0.05)

    async def _read(self, client: Client) -> None:
        while True:
            message = await client.next(timeout=60)
            self.cursor = client.cursor or self.cursor
            if message.type == "auth_success":
                self.auth_successes.append(message.body)
            elif message.type == "reset":
                self.resets.append(message.body["reason"])
            elif message.type == "goodbye":
                self.goodbyes += 1
                return
            elif message.seq is not None:
                self.versions.setdefault(message.seq, message.body["version"])
