"""Drives the store of web/client: several clients in one Node process, each like a separate page."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.clients.follower import SHORT_TIMING, TIMEOUT
from tests.support.database import Database
from tests.support.program import Program
from tests.support.services import SECRET
from tests.support.until import until

BOARD = "b1"
PHASES = ("new", "talk", "won")
_BOARD = """
UPDATE feed.boards SET phases = '[{"id":"new","name":"New"},{"id":"talk","name":"Talk"},{"id":"won","name":"Won"}]'
WHERE id = 'b1';
INSERT INTO feed.board_members (board_id, user_id, role) VALUES ('b1', 'carla', 'viewer');
UPDATE opportunities SET position = 'a0', notes = E'one\\ntwo\\nthree\\nfour\\nfive' WHERE id = 'o1';
"""
"""In addition to tests.support.services.add_people: phases, and carla as a viewer."""

TIMESTAMPS = ("created_at", "last_sync_at")
"""Not compared: they are formatted in the time zone of each session."""


async def prepare_board(database: Database) -> None:
    async with await database.connect() as conn:
        await conn.execute(_BOARD)


class Client:
    """A user's page."""

    def __init__(self, boards: "Boards", name: str, user: str, options: dict[str, Any]) -> None:
        self.name = name
        self.user = user
        self._boards = boards
        self._options = options

    async def open(self) -> None:
        await self._request("open", {"user": self.user, "board": BOARD, **self._options})

    async def close(self) -> None:
        await self._request("close")

    async def call(self, method: str, *args: Any) -> Any:
        return await self._request("call", method, *args)

    async def lose_responses(self, count: int) -> None:
        """Lose the responses of the next writes, which take effect."""
        await self._request("loseResponses", count)

    async def drop_messages(self, count: int) -> None:
        """Drop the next messages with events before they reach this page."""
        await self._request("dropMessages", count)

    async def write(self, method: str, opportunity: str, *args: Any) -> Any:
        """Call a method that writes; return its result and the card as shown before, or None if there is no such card."""
        return await self._request("write", method, opportunity, *args)

    async def edit(self, opportunity: str) -> bool:
        """Open an editor; return whether the card exists."""
        return bool(await self._request("openEditor", opportunity))

    async def editor(self, method: str, *args: Any) -> Any:
        return await self._request("editor", method, *args)

    async def draft(self, opportunity: str) -> Any:
        return await self._request("draft", opportunity)

    async def state(self) -> dict[str, Any]:
        state: dict[str, Any] = await self._request("state")
        return state

    async def card(self, opportunity: str) -> Any:
        return (await self.state())["opportunities"].get(opportunity)

    async def observed(self) -> dict[str, Any]:
        observed: dict[str, Any] = await self._request("observed")
        return observed

    def outcomes(self, mutation: str) -> list[str]:
        return [
            line["result"]
            for line in self._boards.lines
            if line["kind"] == "outcome" and line["client"] == self.name and line["mutation"] == mutation
        ]

    async def until(self, condition: Callable[[dict[str, Any]], Any], what: str = "") -> Any:
        async def matches() -> Any:
            return condition(await self.state())

        return await until(matches, timeout=TIMEOUT, what=what or f"the state of {self.name}")

    async def live(self) -> None:
        async def matches() -> bool:
            return bool((await self._request("status"))["state"] == "live")

        await until(matches, timeout=TIMEOUT)

    async def settled(self) -> dict[str, Any]:
        """Wait until nothing is pending; return the state."""
        await self.until(lambda state: state["pendingCount"] == 0, f"{self.name} to have nothing pending")
        return await self.state()

    async def _request(self, action: str, *args: Any) -> Any:
        return await self._boards.request(self.name, action, args)


class Boards(Program):
    def __init__(self) -> None:
        super().__init__(Path(__file__).parent)
        self._last_request = 0
        self._lines_read = 0
        self._answers: dict[int, dict[str, Any]] = {}

    @asynccontextmanager
    async def start(self, node: str, bundle: str) -> AsyncIterator["Boards"]:
        async with self.run(node, "board.mjs", bundle, json.dumps({"secret": SECRET, "timing": SHORT_TIMING})):
            yield self

    async def client(self, name: str, options: dict[str, Any], user: str | None = None) -> Client:
        client = Client(self, name, user or name, options)
        await client.open()
        await client.live()
        return client

    async def request(self, client: str, action: str, args: tuple[Any, ...]) -> Any:
        self._last_request += 1
        number = self._last_request
        await self.send(n=number, client=client, do=action, args=list(args))
        async with asyncio.timeout(TIMEOUT):
            while number not in self._answers:
                self._collect_answers()
                await asyncio.sleep(0.002)
        answer = self._answers.pop(number)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def _collect_answers(self) -> None:
        for line in self.lines[self._lines_read :]:
            if line["kind"] == "answer":
                self._answers[line["n"]] = line
        self._lines_read = len(self.lines)


async def table(database: Database) -> dict[str, dict[str, Any]]:
    rows = await database.execute("SELECT id, to_jsonb(o) AS card FROM opportunities AS o WHERE board_id = 'b1'")
    return {row["id"]: comparable(row["card"]) for row in rows}


def comparable(card: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in card.items() if name not in TIMESTAMPS}


def cards(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {id_: comparable(card) for id_, card in state["opportunities"].items()}
