"""The client of web/client in a Node process: what it delivered, in order, and its status."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.program import Program
from tests.support.services import SECRET, Services
from tests.support.until import until

TIMEOUT = 20.0
SHORT_TIMING = {"upgrade": 400, "upgradeMax": 2000, "retry": 100, "retryMax": 1000, "poll": 100, "connect": 1500}
"""The default timing with shorter pauses, so that tests need not wait for them."""


class Follower(Program):
    def __init__(self) -> None:
        super().__init__(Path(__file__).parent)

    @asynccontextmanager
    async def start(self, node: str, bundle: str, options: dict[str, Any], **extra: Any) -> AsyncIterator["Follower"]:
        timing = SHORT_TIMING | options.pop("timing", {})
        arguments = {"options": options | {"timing": timing}, "secret": SECRET} | extra
        async with self.run(node, "feed.mjs", bundle, json.dumps(arguments)):
            yield self

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [message for line in self._of("delivery") for message in line["messages"]]

    @property
    def statuses(self) -> list[dict[str, Any]]:
        return [line["status"] for line in self._of("status")]

    @property
    def transports(self) -> list[str]:
        """The transports that were live, in order."""
        transports: list[str] = []
        for status in self.statuses:
            if status["state"] == "live" and (not transports or transports[-1] != status["transport"]):
                transports.append(status["transport"])
        return transports

    @property
    def delivered(self) -> list[int]:
        """The versions of card o1, in the order of their arrival."""
        versions = []
        for message in self.messages:
            if message.get("opportunityId") == "o1" and "version" in message:
                versions.append(message["version"])
            if message["type"] == "state":
                versions += [card["version_number"] for card in message["opportunities"] if card["id"] == "o1"]
        return versions

    @property
    def presence(self) -> dict[str, Any]:
        """The latest presence, by card."""
        lines = self._of("presence")
        return dict(lines[-1]["presence"]) if lines else {}

    @property
    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.messages if "seq" in message]

    def gaps(self) -> list[tuple[int, int]]:
        """Events of o1 that do not follow the version before. A state may have any later version."""
        known, gaps = 1, []
        polled = False
        for message in self.messages:
            if message["type"] == "state":
                polled = True
                known = max(
                    [known, *(card["version_number"] for card in message["opportunities"] if card["id"] == "o1")]
                )
            elif message.get("opportunityId") == "o1" and "version" in message:
                # A stream that replaces polling repeats what the last states contained.
                if message["version"] != known + message.get("collapsed", 1) and not (
                    polled and message["version"] <= known
                ):
                    gaps.append((known, message["version"]))
                known = max(known, message["version"])
        return gaps

    def count(self, kind: str) -> int:
        return len(self._of(kind))

    async def wait_for_status(self, state: str, transport: str | None = None) -> None:
        def matches() -> bool:
            now = self.statuses[-1] if self.statuses else {}
            return now.get("state") == state and now.get("transport") == transport

        try:
            await until(matches, timeout=TIMEOUT)
        except AssertionError:
            raise AssertionError(f"not {state} over {transport} but {self.statuses[-3:]}") from None

    async def wait_for_version(self, version: int) -> None:
        """Wait until a version of o1 was delivered."""
        await until(lambda: max(self.delivered, default=1) >= version, timeout=TIMEOUT, what=f"version {version}")

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["kind"] == kind]


async def snapshot(services: Services) -> str:
    """The cursor of the current snapshot."""
    async with services.api_client() as api:
        answer = await api.get("/api/sync/opportunities")
        cursor: str = answer.raise_for_status().json()["lastSync"]
        return cursor
