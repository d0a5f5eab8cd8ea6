"""Checks that the feed makes progress: a card that is written all the time, and a stream on each service that follows it.

Both bypass the clients' proxies, so they depend only on the service and its database.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress

import aiohttp
import psycopg

from tests.chaos.world.schema import CANARY, CANARY_BOARD
from tests.chaos.world.service import Service

PERIOD = 0.5
_WRITE = """
INSERT INTO opportunities (id, board_id, title, phase, probability) VALUES (%(id)s, %(board)s, 'Canary', 'new', %(n)s)
ON CONFLICT (id) DO UPDATE SET probability = excluded.probability
"""
_OPTIONS = "-c statement_timeout=3000 -c lock_timeout=2000"


class Canary:
    """Writes increasing numbers; `number` is the newest committed one, `at` its time."""

    def __init__(self) -> None:
        self.number = 0
        self.at = 0.0

    async def run(self, dsn: Callable[[], str]) -> None:
        next_number = 0
        while True:
            with suppress(psycopg.Error, OSError):
                conn = await psycopg.AsyncConnection.connect(
                    dsn(), autocommit=True, connect_timeout=3, options=_OPTIONS
                )
                async with conn:
                    while True:
                        next_number += 1
                        values = {"id": CANARY, "board": CANARY_BOARD, "n": next_number}
                        async with asyncio.timeout(10):
                            await conn.execute(_WRITE, values)
                        self.number, self.at = next_number, time.monotonic()
                        await asyncio.sleep(PERIOD)
            await asyncio.sleep(PERIOD)


class Probe:
    """An event stream on one service; `number` is the newest received number of the canary, `at` its time."""

    def __init__(self, service: Service, token: str) -> None:
        self.service = service
        self.number = 0
        self.at = 0.0
        self.ready = False
        self._path = "/sse" if service.kind == "feed" else "/api/events"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def run(self) -> None:
        """Read, and reconnect when the stream ends or is silent for 10 seconds."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=3, sock_read=10)
        async with aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session:
            while True:
                with suppress(aiohttp.ClientError, OSError, TimeoutError):
                    await self._read(session)
                await asyncio.sleep(PERIOD)

    async def _read(self, session: aiohttp.ClientSession) -> None:
        async with session.get(self.service.address + self._path) as answer:
            if answer.status != 200:
                return
            kind = ""
            async for raw in answer.content:
                line = raw.decode().rstrip("\r\n")
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:") and kind.startswith("opportunity_"):
                    self._receive(json.loads(line[5:]))

    def _receive(self, event: dict[str, object]) -> None:
        row = event.get("changes") or event.get("opportunity")
        if event.get("opportunityId") == CANARY and isinstance(row, dict):
            number = row.get("probability")
            if isinstance(number, int) and number > self.number:
                self.number, self.at = number, time.monotonic()

    async def is_ready(self) -> bool:
        """Request /readyz on a new connection."""
        timeout = aiohttp.ClientTimeout(total=5)
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"{self.service.address}/readyz") as answer,
            ):
                return answer.status == 200
        return False
