"""A client as the protocol describes it: a snapshot, then events in order, with repeats dropped by sequence number.

Invariant: it has only what it received. Its cards are compared with the tables when everything has settled.
"""

from typing import Any

from feed.integrity.board_hash import BoardHash
from feed.wire.cursor import Cursor
from tests.support.services import Services
from tests.support.streams import Client, Message

BOARDS = ("b1", "b2")
Card = dict[str, Any]


class Mirror:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._seen: set[int] = set()
        self._read = 0
        self._client: Client | None = None
        self._collapse = False
        self.cursor: str | None = None
        self.cards: dict[tuple[str, str], Card] = {}
        self.snapshots = 0
        self.matched_checkpoints = 0
        """The number of checkpoints that matched the cards."""
        self._snapshot_cursors: dict[str, Cursor] = {}
        """The cursor of each board's snapshot, which may be ahead of the stream."""
        self.history: list[tuple[int, str, str, int]] = []
        """(seq, board, card, version) of each event, in order, without repeats."""

    async def start(self, transport: str) -> None:
        self.cursor = await self._snapshot(BOARDS)
        await self.connect(transport)

    async def connect(self, transport: str) -> None:
        """Connect or reconnect on a transport, with the last cursor."""
        await self.apply_received()
        if self._client is not None:
            self._client.cut()
            await self.apply_received()
        self._collapse = not self._collapse
        self._client = await self._services.open(transport, self.cursor, user="bruno", collapse=self._collapse)
        self._read = 0

    def pause(self) -> None:
        assert self._client is not None
        self._client.pause()

    def resume(self) -> None:
        assert self._client is not None
        self._client.resume()

    async def apply_received(self) -> None:
        """Apply all messages received so far."""
        while self._client is not None and self._read < len(self._client.messages):
            message = self._client.messages[self._read]
            self._read += 1
            await self._apply(message)
            # Only after the messages before it: a client that stops here must have everything that its cursor covers.
            self.cursor = message.cursor or self.cursor

    async def _apply(self, message: Message) -> None:
        kind, body = message.type, message.body
        if kind in {"resync", "reset"}:
            self._seen.add(message.seq or 0)
            if kind == "reset":
                await self._reset(body["reason"])
                return
            board = body.get("boardId")
            await self._snapshot(BOARDS if board is None else (board,))
            return
        if kind == "checkpoint":
            self._check(body)
        if message.seq is None or message.seq in self._seen or not kind.startswith("opportunity_"):
            return
        self._seen.add(message.seq)
        board, card = body["boardId"], body["opportunityId"]
        if "collapsed" not in body:
            self.history.append((message.seq, board, card, body["version"]))
        if kind == "opportunity_created":
            self.cards[board, card] = dict(body["opportunity"])
        elif kind == "opportunity_deleted":
            self.cards.pop((board, card), None)
        elif (board, card) in self.cards:
            self.cards[board, card] |= body["changes"]
        else:
            # Legal only for a card that a newer snapshot already lacks: its deletion is still to come.
            assert self.snapshots > len(BOARDS), f"an update of an unknown card: {body}"

    async def _reset(self, reason: str) -> None:
        raise AssertionError(f"unexpected reset: {reason}")

    def _check(self, body: dict[str, Any]) -> None:
        board = body["boardId"]
        if not Cursor.parse(body["cursor"]).covers(self._snapshot_cursors[board]):
            return
        board_hash = BoardHash()
        for (card_board, id_), card in self.cards.items():
            if card_board == board:
                board_hash.add(id_, card["version_number"])
        assert board_hash.held == (body["count"], body["hash"]), (
            f"{board} differs from its checkpoint at {body['cursor']}"
        )
        self.matched_checkpoints += 1

    async def _snapshot(self, boards: tuple[str, ...]) -> str:
        cursor = ""
        async with self._services.api_client("bruno") as api:
            for board in boards:
                answer = await api.get(f"/api/boards/{board}")
                body = answer.json()
                self.snapshots += 1
                self._snapshot_cursors[board] = Cursor.parse(body["cursor"])
                cursor = cursor or body["cursor"]  # the first board has the oldest one, so the stream covers the others
                for key in [key for key in self.cards if key[0] == board]:
                    del self.cards[key]
                self.cards |= {(board, card["id"]): card for card in body["opportunities"]}
        return cursor
