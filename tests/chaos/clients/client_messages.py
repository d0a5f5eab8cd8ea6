"""The messages that a client sends on a WebSocket: checkpoint, ping with a cursor, auth, gap, subscribe and unsubscribe."""

import asyncio
import random
from contextlib import suppress
from typing import Any

from tests.chaos.clients.client_journal import ClientJournal
from tests.chaos.clients.holdings import Holdings
from tests.chaos.clients.profile import Profile
from tests.chaos.clients.snapshots import Snapshots
from tests.chaos.clients.stream import EndedError, Stream
from tests.chaos.model import World


class ClientMessages:
    """While `settling`, subscriptions do not change."""

    def __init__(
        self,
        world: World,
        holdings: Holdings,
        snapshots: Snapshots,
        journal: ClientJournal,
        rng: random.Random,
        profile: Profile,
    ) -> None:
        self._world = world
        self._holdings = holdings
        self._snapshots = snapshots
        self._journal = journal
        self._rng = rng
        self._profile = profile
        self._subscribing: set[str] = set()
        self._refused = False
        """Whether an `unknown_board` error was received since the request."""
        self.gaps: list[dict[str, Any]] = []
        self.settling = False

    def begin(self) -> None:
        """Start a new connection: it names its boards, so no `subscribed` is pending."""
        self._subscribing.clear()
        self._snapshots.waiting.clear()
        self.gaps.clear()

    async def run(self, stream: Stream) -> None:
        """Send messages until the connection ends."""
        with suppress(EndedError):
            while True:
                await asyncio.sleep(1.0 if self.settling else self._rng.uniform(0.5, 3.0))
                if self._holdings.cursor is not None:
                    await self._send(stream, self._holdings.cursor.text)

    def subscribed(self, boards: list[str]) -> None:
        """Handle the response to a `subscribe`, or to an `unsubscribe` before it."""
        asked = set(self._subscribing) if self._refused else self._subscribing & set(boards)
        self._holdings.subscribed(asked, boards)
        self._snapshots.waiting -= asked
        self._subscribing -= asked

    def refused(self) -> None:
        """Handle an `error` about a board that the user does not see."""
        self._refused = True

    async def _send(self, stream: Stream, cursor: str) -> None:
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
        if self._profile.resubscribes and not self.settling and not self._subscribing:
            await self._change_boards(stream)

    async def _change_boards(self, stream: Stream) -> None:
        wanted, holdings = self._holdings.wanted, self._holdings
        if wanted is None:
            return
        others = [board for board in self._world.boards if board not in wanted and board != "bulk"]
        if len(wanted) > 1 and (not others or self._rng.random() < 0.5):
            board = self._rng.choice(sorted(wanted))
            self._journal.note("unsubscribing", {"boards": [board]})
            wanted.discard(board)
            holdings.remove(board)
            await stream.send({"type": "unsubscribe", "boards": [board]})
        elif others:
            board = self._rng.choice(others)
            self._journal.note("subscribing", {"boards": [board]})
            wanted.add(board)
            # The snapshot is requested after `subscribed`, or after the next connection begins.
            holdings.request(board)
            self._subscribing, self._refused = {board}, False
            self._snapshots.waiting = {board}
            await stream.send({"type": "subscribe", "boards": [board]})
