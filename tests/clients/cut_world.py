"""The programs of docs/clients.md as a test of cuts sees them: what each has handled, and whether that is what it should have."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

from feed.wire.cursor import Cursor
from tests.clients import documented
from tests.clients.cutter import Cut, Cutter
from tests.support.database import Database
from tests.support.services import Services
from tests.support.streams import Message
from tests.support.until import until

PATIENCE = 20.0
_HANDLED = ("opportunity_", "row_", "board_", "resync", "reset")
_CARDS: LiteralString = """
SELECT board_id, id, version_number FROM opportunities
WHERE board_id IN (SELECT board_id FROM board_members WHERE user_id = 'ana')
"""


def shown(message: Message) -> str:
    """An event as the programs print it."""
    parts = message.type, message.body.get("seq", message.body.get("boardId", "")), message.body.get("toPhase", "")
    return " ".join(str(part) for part in parts if part)


def covers(cursor: str, event: Message) -> bool:
    return int(event.body["xid"]) in Cursor.parse(cursor).seen


@dataclass
class Running:
    """A program under the proxy that cuts it."""

    heading: str
    cutter: Cutter
    output: Path
    lines: list[str] = field(default_factory=list)
    """What it has printed since the last round was compared."""
    _read: int = 0

    def look(self) -> list[str]:
        """Read what it has printed since the last look; all lines of this round."""
        with self.output.open("rb") as file:
            file.seek(self._read)
            text, end, _ = file.read().rpartition(b"\n")
        self._read += len(text) + len(end)
        self.lines += [" ".join(line.split()) for line in text.decode().split("\n") if text]
        return self.lines

    @property
    def handled(self) -> list[str]:
        """A line for each event of this round."""
        return [line for line in self.look() if line.startswith(_HANDLED)]

    def plan(self, cut: Cut) -> None:
        """Cut the next stream, whatever its transport, and let it come."""
        self.cutter.plans = {path: Cut(cut.after, cut.torn) for path in ("/ws", "/sse", "/api/events")}
        self.cutter.open.set()

    async def handles(self, expected: Sequence[str], events: Sequence[Message] = ()) -> None:
        """Wait until it has handled as many events as expected, and compare; also with each cursor that it came back with."""
        with suppress(AssertionError):  # the comparison shows what is missing
            await until(lambda: len(self.handled) >= len(expected), timeout=PATIENCE)
        assert self.handled == list(expected), (self.heading, self.lines)
        for cursor, noted in self.cutter.resumed:
            done = noted if isinstance(noted, list) else []
            for event in events if cursor else []:
                if event.seq is not None:
                    assert covers(cursor, event) == (shown(event) in done), (self.heading, cursor, shown(event))
        self.cutter.resumed.clear()
        self.lines.clear()


@dataclass
class KeepsBoards(Running):
    """The program with snapshots: it has the cards of the table, and skips what its snapshots contain."""

    snapshots: dict[str, str] = field(default_factory=dict)

    async def has(self, database: Database, events: Sequence[Message] = ()) -> None:
        """Wait until it has the cards of the table, and see that each event was applied once, or was in a snapshot."""
        cards: dict[str, dict[str, int]] = {"b4": {}}
        for row in await database.execute(_CARDS):
            cards.setdefault(row["board_id"], {})[row["id"]] = row["version_number"]

        def right() -> bool:
            last = next((line for line in reversed(self.look()) if line.startswith("cards ")), None)
            return last is not None and json.loads(last.removeprefix("cards ")) == cards

        await until(right, timeout=PATIENCE, what=f"{self.heading} to have the cards: {self.lines}")
        about = {shown(event): event for event in events if event.type.startswith("opportunity_")}
        applied = []
        for text in self.lines:
            if text.startswith("snapshot "):
                _, board, self.snapshots[board] = text.split()
            elif (event := about.get(text)) is not None:
                assert not covers(self.snapshots[event.body["boardId"]], event), (text, self.lines)
                applied.append(text)
        assert applied == [text for text in about if text in applied], self.lines
        for text, event in about.items():
            assert text in applied or covers(self.snapshots[event.body["boardId"]], event), (text, self.lines)
        self.lines.clear()


@dataclass
class World:
    database: Database
    instances: Sequence[Services]
    programs: list[Running] = field(default_factory=list)
    cursor: str = ""

    def disconnect(self) -> None:
        """Cut every program off, and let none come back."""
        for running in self.programs:
            running.cutter.open.clear()
            running.cutter.cut_all()

    async def hubs(self) -> list[Any]:
        return [await services.hub(transport) for services in self.instances for transport in ("sse", "api-events")]

    async def reached(self, seq: int) -> None:
        """Wait until every instance has read so far."""
        for hub in await self.hubs():
            await until(lambda hub=hub: hub.tailer.head.anchor >= seq, what=f"an instance at {seq}")  # type: ignore[misc]

    async def renewed(self, feed: str) -> None:
        """Wait until every instance knows that this is the feed now."""
        for hub in await self.hubs():
            await until(lambda hub=hub: hub.tailer.head.feed == feed, timeout=PATIENCE)  # type: ignore[misc]

    async def refer(self, seq: int) -> list[Message]:
        """What a client that is not cut gets since the last round. Every instance must send the same."""
        start, said = self.cursor, []
        for services in self.instances:
            client = await services.open("websocket", start)
            await client.collect_to(seq)
            said.append([event for event in client.messages if event.seq or event.type.startswith("board_")])
            self.cursor = client.cursor or ""
            await client.close()
        one, *others = ([shown(event) for event in events] for events in said)
        assert all(other == one for other in others)
        return said[0]


SOON = {"500 + Math.random() * 1000": "20", "0.5 + random.random()": "0.02"}
"""Programs come back at once, where a crowd of them would not."""
QUICK = {"WEBSOCKETS_BACKOFF_MIN_DELAY": "0.05", "WEBSOCKETS_BACKOFF_INITIAL_DELAY": "0.05"}
_TEST_BOARDS = {
    '{"vendas", "parcerias"}': '{"b1", "b2", "b3", "b4", "b5"}',
    'cursor, held = event["cursor"], []': 'cursor, held = event["cursor"], []; print("cards", json.dumps({name: '
    '{key: card["version_number"] for key, card in board["cards"].items()} for name, board in boards.items()}), flush=True)',
}
_TIMING = "timing: { upgrade: 50, upgradeMax: 100, retry: 50, poll: 50, heartbeat: 15000 }"
_OF = {
    documented.OWN: {"session })": f"session, {_TIMING} }})", '"vendas"': '"b1"'},
    documented.BOARDS: _TEST_BOARDS,
}


_SILENCE = {"30_000": "400", "silence=30": "silence=0.4", ", 30  # seconds": ", 0.4  # seconds", "15000": "200"}
"""Two heartbeats, where they are quick."""


def changes(heading: str, *, quick: bool) -> dict[str, str]:
    """What is put into a program for a test."""
    _, text = documented.program(heading)
    made = _OF.get(heading, {}) | {old: new for old, new in SOON.items() if old in text}
    return made | {old: new for old, new in _SILENCE.items() if quick and old in text + "".join(made.values())}
