"""Requests the snapshots that a client needs, while its stream continues."""

import asyncio
import random

from tests.chaos.clients.client_journal import ClientJournal
from tests.chaos.clients.cursor import parse
from tests.chaos.clients.holdings import Holdings
from tests.chaos.clients.profile import Profile
from tests.chaos.clients.rest import Rest, RestError, Snapshot
from tests.chaos.model import World


class Snapshots:
    def __init__(
        self,
        world: World,
        holdings: Holdings,
        rest: Rest,
        journal: ClientJournal,
        rng: random.Random,
        profile: Profile,
    ) -> None:
        self._world = world
        self._holdings = holdings
        self._rest = rest
        self._journal = journal
        self._rng = rng
        self._profile = profile
        self.polling = False
        self.settling = False
        """Whether to request only needed snapshots."""
        self.waiting: set[str] = set()
        """Boards that must not be requested yet."""
        self.fresh: set[str] = set()
        """Boards that must not come from a cache."""
        self.lock = asyncio.Lock()
        """Held during a request: states of two concurrent responses could arrive in the wrong order."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            if self._holdings.unlisted:
                await self._list()
            for board in self._holdings.pending():
                if board not in self.waiting and (self._holdings.cursor is not None or self.polling):
                    await self._take(board)
            if not self.settling and self._rng.random() < self._profile.snapshots * 0.05:
                await self._take_extra()

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
            return  # not needed any more
        request, must_cover = rows.pending, rows.pending_at
        fresh = board in self.fresh or must_cover is None or self._rng.random() < 0.2
        try:
            async with self.lock:
                taken = await self._ask(board, None if fresh or must_cover is None else must_cover.text, fresh=fresh)
                now = self._holdings.boards.get(board)
                if now is None or now.pending != request:
                    return  # requested again in the meantime, or not needed any more
                self._note(board, taken, fresh=fresh, must_cover=None if must_cover is None else must_cover.text)
                if (
                    must_cover is not None
                    and must_cover.feed == parse(taken.cursor).feed
                    and not parse(taken.cursor).covers(must_cover)
                ):
                    self.fresh.add(board)
                    return
                cursor = self._holdings.cursor
                if cursor is not None and cursor.feed != parse(taken.cursor).feed:
                    self.fresh.add(board)  # different feeds: their cursors cannot be compared
                    return
                self._holdings.snapshot(board, taken.body["opportunities"], taken.cursor)
                self.fresh.discard(board)
        except RestError as error:
            if error.status == 404 and (self.polling or board not in self._holdings.visible):
                self._holdings.remove(board)
            else:
                await asyncio.sleep(self._rng.uniform(0.1, 0.5))
        finally:
            if board not in self._holdings.boards:
                self.fresh.discard(board)

    async def _take_extra(self) -> None:
        """Take a snapshot for the checker only."""
        boards = [board for board in self._world.boards if board != "bulk" or self._rng.random() < 0.05]
        board = self._rng.choice(boards)
        try:
            taken = await self._ask(board, None, fresh=self._rng.random() < 0.2)
        except RestError:
            return
        self._note(board, taken, fresh=False, must_cover=None)

    async def _ask(self, board: str, must_cover: str | None, *, fresh: bool) -> Snapshot:
        conditional = self._rng.random() < 0.5
        return await self._rest.board(self._api(), board, must_cover=must_cover, fresh=fresh, conditional=conditional)

    def _note(self, board: str, taken: Snapshot, *, fresh: bool, must_cover: str | None) -> None:
        body = {
            "board": board,
            "body": taken.body,
            "must_cover": must_cover,
            "unchanged": taken.unchanged,
            "fresh": fresh,
        }
        self._journal.note("snapshot", body, taken.cursor, applied=must_cover is not None)
