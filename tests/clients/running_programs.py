"""The programs of docs/clients.md as running processes: what each has handled, and checks against what it should have."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

from feed.wire.cursor import Cursor
from tests.clients import documented
from tests.clients.cutting_proxy import Cut, CuttingProxy
from tests.support.database import Database
from tests.support.services import Services
from tests.support.streams import Message
from tests.support.until import until

TIMEOUT = 20.0
_HANDLED = ("opportunity_", "row_", "board_", "resync", "reset")
_CARDS: LiteralString = """
SELECT board_id, id, version_number FROM opportunities
WHERE board_id IN (SELECT board_id FROM feed.board_members WHERE user_id = 'ana')
"""


def printed(message: Message) -> str:
    """An event in the form in which the programs print it."""
    parts = message.type, message.body.get("seq", message.body.get("boardId", "")), message.body.get("toPhase", "")
    return " ".join(str(part) for part in parts if part)


def covers(cursor: str, event: Message) -> bool:
    return int(event.body["xid"]) in Cursor.parse(cursor).seen


@dataclass
class RunningProgram:
    """A program behind its cutting proxy."""

    heading: str
    proxy: CuttingProxy
    output: Path
    lines: list[str] = field(default_factory=list)
    """Lines printed in this round."""
    _read: int = 0

    def read_output(self) -> list[str]:
        """Read new output; return all lines of this round."""
        with self.output.open("rb") as file:
            file.seek(self._read)
            text, end, _ = file.read().rpartition(b"\n")
        self._read += len(text) + len(end)
        self.lines += [" ".join(line.split()) for line in text.decode().split("\n") if text]
        return self.lines

    @property
    def handled(self) -> list[str]:
        """The lines of this round that are events."""
        return [line for line in self.read_output() if line.startswith(_HANDLED)]

    def schedule_cut(self, cut: Cut) -> None:
        """Allow streams again, and cut the next one of any transport."""
        self.proxy.plans = {path: Cut(cut.after, cut.torn) for path in ("/ws", "/sse", "/api/events")}
        self.proxy.open.set()

    async def wait_for_events(self, expected: Sequence[str], events: Sequence[Message] = ()) -> None:
        """Wait for the expected events and compare; each cursor it resumed with must cover exactly the events handled before."""
        with suppress(AssertionError):  # the comparison shows what is missing
            await until(lambda: len(self.handled) >= len(expected), timeout=TIMEOUT)
        assert self.handled == list(expected), (self.heading, self.lines)
        for cursor, observed in self.proxy.resumed:
            handled = observed if isinstance(observed, list) else []
            for event in events if cursor else []:
                if event.seq is not None:
                    assert covers(cursor, event) == (printed(event) in handled), (self.heading, cursor, printed(event))
        self.proxy.resumed.clear()
        self.lines.clear()


@dataclass
class RunningBoardsProgram(RunningProgram):
    """The program with snapshots: it holds the cards of the table and skips events that its snapshots contain."""

    snapshots: dict[str, str] = field(default_factory=dict)

    async def wait_for_cards(self, database: Database, events: Sequence[Message] = ()) -> None:
        """Wait until it has the cards of the table; check that each event was applied once or was in a snapshot."""
        cards: dict[str, dict[str, int]] = {"b4": {}}
        for row in await database.execute(_CARDS):
            cards.setdefault(row["board_id"], {})[row["id"]] = row["version_number"]

        def matches() -> bool:
            last = next((line for line in reversed(self.read_output()) if line.startswith("cards ")), None)
            return last is not None and json.loads(last.removeprefix("cards ")) == cards

        await until(matches, timeout=TIMEOUT, what=f"{self.heading} to have the cards: {self.lines}")
        by_text = {printed(event): event for event in events if event.type.startswith("opportunity_")}
        applied = []
        for text in self.lines:
            if text.startswith("snapshot "):
                _, board, self.snapshots[board] = text.split()
            elif (event := by_text.get(text)) is not None:
                assert not covers(self.snapshots[event.body["boardId"]], event), (text, self.lines)
                applied.append(text)
        assert applied == [text for text in by_text if text in applied], self.lines
        for text, event in by_text.items():
            assert text in applied or covers(self.snapshots[event.body["boardId"]], event), (text, self.lines)
        self.lines.clear()


@dataclass
class Environment:
    database: Database
    instances: Sequence[Services]
    programs: list[RunningProgram] = field(default_factory=list)
    cursor: str = ""

    def disconnect(self) -> None:
        """Disconnect every program and hold its new streams."""
        for running in self.programs:
            running.proxy.open.clear()
            running.proxy.cut_all()

    async def runtimes(self) -> list[Any]:
        return [await services.runtime(transport) for services in self.instances for transport in ("sse", "api-events")]

    async def wait_until_read(self, seq: int) -> None:
        """Wait until every instance has read up to `seq`."""
        for runtime in await self.runtimes():
            await until(lambda runtime=runtime: runtime.tailer.head.anchor >= seq, what=f"an instance to read {seq}")  # type: ignore[misc]

    async def wait_for_feed(self, feed: str) -> None:
        """Wait until every instance uses this feed id."""
        for runtime in await self.runtimes():
            await until(lambda runtime=runtime: runtime.tailer.head.feed == feed, timeout=TIMEOUT)  # type: ignore[misc]

    async def reference_events(self, seq: int) -> list[Message]:
        """The events of this round, received without a disconnection. Every instance must send the same."""
        start, received = self.cursor, []
        for services in self.instances:
            client = await services.open("websocket", start)
            await client.collect_to(seq)
            received.append([event for event in client.messages if event.seq or event.type.startswith("board_")])
            self.cursor = client.cursor or ""
            await client.close()
        one, *others = ([printed(event) for event in events] for events in received)
        assert all(other == one for other in others)
        return received[0]


_SHORT_RECONNECT = {"500 + Math.random() * 1000": "20", "0.5 + random.random()": "0.02"}
"""Programs reconnect almost at once instead of with the documented jitter."""
SHORT_BACKOFF = {"WEBSOCKETS_BACKOFF_MIN_DELAY": "0.05", "WEBSOCKETS_BACKOFF_INITIAL_DELAY": "0.05"}
_TEST_BOARDS = {
    '{"vendas", "parcerias"}': '{"b1", "b2", "b3", "b4", "b5"}',
    'cursor, held = event["cursor"], []': 'cursor, held = event["cursor"], []; print("cards", json.dumps({name: '
    '{key: card["version_number"] for key, card in board["cards"].items()} for name, board in boards.items()}), flush=True)',
}
_TIMING = "timing: { upgrade: 50, upgradeMax: 100, retry: 50, poll: 50, heartbeat: 15000 }"
_CHANGES = {
    documented.OWN: {"session })": f"session, {_TIMING} }})", '"vendas"': '"b1"'},
    documented.BOARDS: _TEST_BOARDS,
}


_SHORT_SILENCE = {"30_000": "400", "silence=30": "silence=0.4", ", 30  # seconds": ", 0.4  # seconds", "15000": "200"}
"""Two heartbeats, if those are short."""


def changes(heading: str, *, quick: bool) -> dict[str, str]:
    """The replacements in a program's text for a test."""
    _, text = documented.program(heading)
    replacements = _CHANGES.get(heading, {}) | {old: new for old, new in _SHORT_RECONNECT.items() if old in text}
    return replacements | {
        old: new for old, new in _SHORT_SILENCE.items() if quick and old in text + "".join(replacements.values())
    }
