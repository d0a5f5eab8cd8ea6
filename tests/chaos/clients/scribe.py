"""Writes the journal of one client.

Beside the messages' own types, these kinds are recorded: `connect` (body: boards; cursor: what it came back with), `cut` (reason,
code, held), `refused` (status, problem), `subscribing` and `unsubscribing` (boards), `page` (since, limit, answer), `snapshot`
(board, body, unchanged, stood: the cursor that it must cover), `compare` (board, exact, expected, held), and at the end `final`
(boards, pending, settled).
"""

import time
from typing import Any

from tests.chaos.model import Journal, Record


class Scribe:
    def __init__(self, journal: Journal, client: str, user: str) -> None:
        self._journal = journal
        self._client = client
        self._user = user
        self.connection = 0
        self.endpoint = ""
        self.transport = ""

    def begin(self, endpoint: str, transport: str) -> None:
        """A new connection."""
        self.connection += 1
        self.endpoint = endpoint
        self.transport = transport

    def note(self, kind: str, body: dict[str, Any], cursor: str | None = None, *, applied: bool = False) -> None:
        self._journal.records.append(
            Record(
                time.monotonic(),
                self._client,
                self._user,
                self.connection,
                self.endpoint,
                self.transport,
                kind,
                body,
                cursor,
                applied,
            )
        )
