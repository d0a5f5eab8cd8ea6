"""The client of feed/client as a test sees it: what it was told, in order, and what it shows."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.program import Program
from tests.support.services import SECRET, Services
from tests.support.until import until

PATIENCE = 20.0
QUICK = {"climb": 400, "climbMost": 2000, "round": 100, "roundMost": 1000, "poll": 100, "probe": 1500}
"""Ordinary times, but for the waits that a test would only sit through."""


class Follower(Program):
    def __init__(self) -> None:
        super().__init__(Path(__file__).parent)

    @asynccontextmanager
    async def start(self, node: str, bundle: str, options: dict[str, Any], **given: Any) -> AsyncIterator["Follower"]:
        timing = QUICK | options.pop("timing", {})
        told = {"options": options | {"timing": timing}, "secret": SECRET} | given
        async with self.run(node, "feed.mjs", bundle, json.dumps(told)):
            yield self

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [message for line in self._of("delivery") for message in line["messages"]]

    @property
    def statuses(self) -> list[dict[str, Any]]:
        return [line["status"] for line in self._of("status")]

    @property
    def transports(self) -> list[str]:
        """The ways that were live, in order."""
        ways: list[str] = []
        for status in self.statuses:
            if status["state"] == "live" and (not ways or ways[-1] != status["transport"]):
                ways.append(status["transport"])
        return ways

    @property
    def told(self) -> list[int]:
        """The versions of card o1, in the order in which they came."""
        versions = []
        for message in self.messages:
            if message.get("opportunityId") == "o1" and "version" in message:
                versions.append(message["version"])
            if message["type"] == "state":
                versions += [card["version_number"] for card in message["opportunities"] if card["id"] == "o1"]
        return versions

    @property
    def presence(self) -> dict[str, Any]:
        """Who is where, as it was told last; by card."""
        lines = self._of("presence")
        return dict(lines[-1]["presence"]) if lines else {}

    @property
    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.messages if "seq" in message]

    def gaps(self) -> list[tuple[int, int]]:
        """Where an event of o1 was not the next after what was known; a state may be of any later version."""
        known, gaps = 1, []
        polled = False
        for message in self.messages:
            if message["type"] == "state":
                polled = True
                known = max(
                    [known, *(card["version_number"] for card in message["opportunities"] if card["id"] == "o1")]
                )
            elif message.get("opportunityId") == "o1" and "version" in message:
                # A stream that takes over from polling tells again what the last states were made of.
                if message["version"] != known + 1 and not (polled and message["version"] <= known):
                    gaps.append((known, message["version"]))
                known = max(known, message["version"])
        return gaps

    def count(self, kind: str) -> int:
        return len(self._of(kind))

    async def shows(self, state: str, transport: str | None = None) -> None:
        def right() -> bool:
            now = self.statuses[-1] if self.statuses else {}
            return now.get("state") == state and now.get("transport") == transport

        try:
            await until(right, timeout=PATIENCE)
        except AssertionError:
            raise AssertionError(f"not {state} by {transport} but {self.statuses[-3:]}") from None

    async def knows(self, version: int) -> None:
        """Wait until it has been told of a version of o1."""
        await until(lambda: max(self.told, default=1) >= version, timeout=PATIENCE, what=f"version {version}")

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["kind"] == kind]


async def snapshot(services: Services) -> str:
    """The cursor of all that there is now."""
    async with services.asking() as api:
        answer = await api.get("/api/sync/opportunities")
        cursor: str = answer.raise_for_status().json()["lastSync"]
        return cursor
