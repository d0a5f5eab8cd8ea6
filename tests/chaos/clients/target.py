"""The end of the log after the writers have stopped, determined once for all clients."""

import asyncio
import random

from tests.chaos.clients.cursor import Cursor, parse
from tests.chaos.clients.rest import Rest, RestError
from tests.chaos.model import World


class Target:
    def __init__(self, world: World, rng: random.Random) -> None:
        self._world = world
        self._rng = rng
        self._lock = asyncio.Lock()
        self._cursor: Cursor | None = None

    async def get(self, rest: Rest) -> Cursor:
        """The cursor of everything that was written before the first call."""
        async with self._lock:
            while self._cursor is None:
                try:
                    self._cursor = await self._ask(rest)
                except RestError:
                    await asyncio.sleep(0.3)
            return self._cursor

    async def _ask(self, rest: Rest) -> Cursor:
        api = self._rng.choice([each.api for each in self._world.endpoints() if each.api is not None])
        answer = await rest.page(api, None, 5000)  # no `since`: a time has a margin that may reach back past a TRUNCATE
        while answer["hasMore"]:
            answer = await rest.page(api, answer["lastSync"], 5000)
        return parse(answer["lastSync"])
