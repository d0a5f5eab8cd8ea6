"""What a client says on a WebSocket: it asks for checkpoints, shows its cursor, renews its token, and changes what it follows."""

import asyncio
import random
from contextlib import suppress
from typing import Any

from tests.chaos.clients.holdings import Holdings
from tests.chaos.clients.profile import Profile
from tests.chaos.clients.scribe import Scribe
from tests.chaos.clients.snapshots import Snapshots
from tests.chaos.clients.stream import EndedError, Stream
from tests.chaos.model import World


class Talk:
    """`calm`: it changes nothing any more."""

    def __init__(
        self,
        world: World,
        holdings: Holdings,
        snapshots: Snapshots,
        scribe: Scribe,
        rng: random.Random,
        profile: Profile,
    ) -> None:
        self._world = world
        self._holdings = holdings
        self._snapshots = snapshots
        self._scribe = scribe
        self._rng = rng
        self._profile = profile
        self._subscribing: set[str] = set()
        self._refused = False
        """Whether an `unknown_board` error has come since the request."""
        self.gaps: list[dict[str, Any]] = []
        self.calm = False

    def begin(self) -> None:
        """A new connection names the boards that it wants: nothing is waited for."""
        self._subscribing.clear()
        self._snapshots.waiting.clear()
        self.gaps.clear()

    async def run(self, stream: Stream) -> None:
        """Talk until the connection is gone."""
        with suppress(EndedError):
            while True:
                await asyncio.sleep(1.0 if self.calm else self._rng.uniform(0.5, 3.0))
                if self._holdings.cursor is not None:
                    await self._say(stream, self._holdings.cursor.text)

    def subscribed(self, boards: list[str]) -> None:
        """Take the answer to a `subscribe`, or to an `unsubscribe` before it."""
        asked = set(self._subscribing) if self._refused else self._subscribing & set(boards)
        self._holdings.subscribed(asked, boards)
        self._snapshots.waiting -= asked
        self._subscribing -= asked

    def refused(self) -> None:
        """Take an `error` about a board that cannot be seen."""
        self._refused = True

    async def _say(self, stream: Stream, cursor: str) -> None:
        while self.gaps:
            await stream.send({"type": "gap"} | self.gaps.pop())
        if self._holdings.boards:
            board = self._rng.choice(sorted(self._holdings.boards))
            await stream.send({"type": "checkpoint", "boardId": board})
        if self._rng.random() < 0.3:
            await stream.send({"type": "ping", "cursor": cursor})
        if self._rng.random() < 0.1:
            user = self._profile.user
            await stream.send({"type": "auth", "token": self._world.token(user), "userId": user})
        if self._profile.fickle and not self.calm and not self._subscribing:
            await self._change_boards(stream)

    async def _change_boards(self, stream: Stream) -> None:
        wanted, holdings = self._holdings.wanted, self._holdings
        if wanted is None:
            return
        others = [board for board in self._world.boards if board not in wanted and board != "bulk"]
        if len(wanted) > 1 and (not others or self._rng.random() < 0.5):
            board = self._rng.choice(sorted(wanted))
            self._scribe.note("unsubscribing", {"boards": [board]})
            wanted.discard(board)
            holdings.absent(board)
            await stream.send({"type": "unsubscribe", "boards": [board]})
        elif others:
            board = self._rng.choice(others)
            self._scribe.note("subscribing", {"boards": [board]})
            wanted.add(board)
            # Its snapshot is taken after `subscribed`, or after the next connection has begun.
            holdings.request(board)
            self._subscribing, self._refused = {board}, False
            self._snapshots.waiting = {board}
            await stream.send({"type": "subscribe", "boards": [board]})
