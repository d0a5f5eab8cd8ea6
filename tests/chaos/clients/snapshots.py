"""Takes the snapshots that a client needs, while its stream goes on."""

import asyncio
import random

from tests.chaos.clients.cursor import parse
from tests.chaos.clients.holdings import Holdings
from tests.chaos.clients.profile import Profile
from tests.chaos.clients.rest import Rest, RestError, Snapshot
from tests.chaos.clients.scribe import Scribe
from tests.chaos.model import World


class Snapshots:
    def __init__(
        self, world: World, holdings: Holdings, rest: Rest, scribe: Scribe, rng: random.Random, profile: Profile
    ) -> None:
        self._world = world
        self._holdings = holdings
        self._rest = rest
        self._scribe = scribe
        self._rng = rng
        self._profile = profile
        self.polling = False
        self.calm = False
        """Whether only those are to be taken that are needed."""
        self.waiting: set[str] = set()
        """Boards that may not be asked for yet."""
        self.fresh: set[str] = set()
        """Boards that are not to be had from a cache."""
        self.lock = asyncio.Lock()
        """Held while one answer is on its way: states of two answers could otherwise arrive in the wrong order."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            if self._holdings.unlisted:
                await self._list()
            for board in self._holdings.pending():
                if board not in self.waiting and (self._holdings.cursor is not None or self.polling):
                    await self._take(board)
            if not self.calm and self._rng.random() < self._profile.snapshots * 0.05:
                await self._look()

    async def _list(self) -> None:
        try:
            self._holdings.listed(await self._rest.boards(self._api()))
        except RestError:
            await asyncio.sleep(self._rng.uniform(0.1, 0.5))

    def _api(self) -> str:
        return self._rng.choice([each.api for each in self._world.endpoints() if each.api is not None])

    async def _take(self, board: str) -> None:
        rows = self._holdings.boards.get(board)
        if rows is None or not rows.pending:
            return  # it is not needed any more
        request, stood = rows.pending, rows.pending_at
        fresh = board in self.fresh or stood is None or self._rng.random() < 0.2
        try:
            async with self.lock:
                taken = await self._ask(board, None if fresh or stood is None else stood.text, fresh=fresh)
                now = self._holdings.boards.get(board)
                if now is None or now.pending != request:
                    return  # it was needed again while this was on its way, or is not needed any more
                self._note(board, taken, fresh=fresh, stood=None if stood is None else stood.text)
                if (
                    stood is not None
                    and stood.feed == parse(taken.cursor).feed
                    and not parse(taken.cursor).covers(stood)
                ):
                    self.fresh.add(board)
                    return
                cursor = self._holdings.cursor
                if cursor is not None and cursor.feed != parse(taken.cursor).feed:
                    self.fresh.add(board)  # of another feed: nothing says which of the two is newer
                    return
                self._holdings.snapshot(board, taken.body["opportunities"], taken.cursor)
                self.fresh.discard(board)
        except RestError as error:
            if error.status == 404 and (self.polling or board not in self._holdings.visible):
                self._holdings.absent(board)
            else:
                await asyncio.sleep(self._rng.uniform(0.1, 0.5))
        finally:
            if board not in self._holdings.boards:
                self.fresh.discard(board)

    async def _look(self) -> None:
        """Take a snapshot that is only looked at by the checker."""
        boards = [board for board in self._world.boards if board != "bulk" or self._rng.random() < 0.05]
        board = self._rng.choice(boards)
        try:
            taken = await self._ask(board, None, fresh=self._rng.random() < 0.2)
        except RestError:
            return
        self._note(board, taken, fresh=False, stood=None)

    async def _ask(self, board: str, stood: str | None, *, fresh: bool) -> Snapshot:
        conditional = self._rng.random() < 0.5
        return await self._rest.board(self._api(), board, stood=stood, fresh=fresh, conditional=conditional)

    def _note(self, board: str, taken: Snapshot, *, fresh: bool, stood: str | None) -> None:
        body = {"board": board, "body": taken.body, "stood": stood, "unchanged": taken.unchanged, "fresh": fresh}
        self._scribe.note("snapshot", body, taken.cursor, applied=stood is not None)
