"""Drives the store of web/client: several clients in one Node, each like a page of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.clients.follower import PATIENCE, QUICK
from tests.support.database import Database
from tests.support.program import Program
from tests.support.services import SECRET
from tests.support.until import until

BOARD = "b1"
PHASES = ("new", "talk", "won")
_BOARD = """
UPDATE boards SET phases = '[{"id":"new","name":"New"},{"id":"talk","name":"Talk"},{"id":"won","name":"Won"}]'
WHERE id = 'b1';
INSERT INTO board_members (board_id, user_id, role) VALUES ('b1', 'carla', 'viewer');
UPDATE opportunities SET position = 'a0', notes = E'one\\ntwo\\nthree\\nfour\\nfive' WHERE id = 'o1';
"""
"""In addition to tests.support.services.people: phases, and Carla, who can only view."""

MOMENTS = ("created_at", "last_sync_at")
"""The same, but for how the time zone of each session writes them."""


async def furnish(database: Database) -> None:
    async with await database.connect() as conn:
        await conn.execute(_BOARD)


class Client:
    """One page of a user."""

    def __init__(self, boards: "Boards", name: str, user: str, options: dict[str, Any]) -> None:
        self.name = name
        self.user = user
        self._boards = boards
        self._options = options

    async def open(self) -> None:
        await self._ask("open", {"user": self.user, "board": BOARD, **self._options})

    async def close(self) -> None:
        await self._ask("close")

    async def call(self, method: str, *args: Any) -> Any:
        return await self._ask("call", method, *args)

    async def lose(self, answers: int) -> None:
        """The next writes are done, and their answers are lost."""
        await self._ask("lose", answers)

    async def swallow(self, messages: int) -> None:
        """The next messages with events are lost on their way to this page."""
        await self._ask("swallow", messages)

    async def write(self, method: str, opportunity: str, *args: Any) -> Any:
        """Call a method that writes; what it gave, and the card as it was shown then (None: there is no such card)."""
        return await self._ask("write", method, opportunity, *args)

    async def edit(self, opportunity: str) -> bool:
        """Open an editor; false where there is no such card."""
        return bool(await self._ask("openEditor", opportunity))

    async def editor(self, method: str, *args: Any) -> Any:
        return await self._ask("editor", method, *args)

    async def draft(self, opportunity: str) -> Any:
        return await self._ask("draft", opportunity)

    async def state(self) -> dict[str, Any]:
        state: dict[str, Any] = await self._ask("state")
        return state

    async def card(self, opportunity: str) -> Any:
        return (await self.state())["opportunities"].get(opportunity)

    async def seen(self) -> dict[str, Any]:
        seen: dict[str, Any] = await self._ask("seen")
        return seen

    def outcomes(self, mutation: str) -> list[str]:
        return [
            line["result"]
            for line in self._boards.lines
            if line["kind"] == "outcome" and line["client"] == self.name and line["mutation"] == mutation
        ]

    async def until(self, condition: Callable[[dict[str, Any]], Any], what: str = "") -> Any:
        async def right() -> Any:
            return condition(await self.state())

        return await until(right, timeout=PATIENCE, what=what or f"what {self.name} shows")

    async def live(self) -> None:
        async def right() -> bool:
            return bool((await self._ask("status"))["state"] == "live")

        await until(right, timeout=PATIENCE)

    async def settled(self) -> dict[str, Any]:
        """Wait until nothing is pending; the state then."""
        await self.until(lambda state: state["pendingCount"] == 0, f"{self.name} to have nothing pending")
        return await self.state()

    async def _ask(self, action: str, *args: Any) -> Any:
        return await self._boards.ask(self.name, action, args)


class Boards(Program):
    def __init__(self) -> None:
        super().__init__(Path(__file__).parent)
        self._asked = 0
        self._read_so_far = 0
        self._answers: dict[int, dict[str, Any]] = {}

    @asynccontextmanager
    async def start(self, node: str, bundle: str) -> AsyncIterator["Boards"]:
        async with self.run(node, "board.mjs", bundle, json.dumps({"secret": SECRET, "timing": QUICK})):
            yield self

    async def client(self, name: str, options: dict[str, Any], user: str | None = None) -> Client:
        client = Client(self, name, user or name, options)
        await client.open()
        await client.live()
        return client

    async def ask(self, client: str, action: str, args: tuple[Any, ...]) -> Any:
        self._asked += 1
        number = self._asked
        await self.tell(n=number, client=client, do=action, args=list(args))
        async with asyncio.timeout(PATIENCE):
            while number not in self._answers:
                self._sort()
                await asyncio.sleep(0.002)
        answer = self._answers.pop(number)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def _sort(self) -> None:
        for line in self.lines[self._read_so_far :]:
            if line["kind"] == "answer":
                self._answers[line["n"]] = line
        self._read_so_far = len(self.lines)


async def table(database: Database) -> dict[str, dict[str, Any]]:
    rows = await database.execute("SELECT id, to_jsonb(o) AS card FROM opportunities AS o WHERE board_id = 'b1'")
    return {row["id"]: comparable(row["card"]) for row in rows}


def comparable(card: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in card.items() if name not in MOMENTS}


def cards(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {id_: comparable(card) for id_, card in state["opportunities"].items()}
