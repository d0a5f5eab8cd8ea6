"""Records the journal of one client.

Besides the types of messages, these kinds are recorded: `connect` (body: boards; cursor: the one to resume from), `cut` (reason,
code, held), `refused` (status, problem), `subscribing` and `unsubscribing` (boards), `page` (since, limit, answer), `snapshot`
(board, body, unchanged, must_cover: the required cursor), `compare` (board, exact, expected, held), and at the end `final`
(boards, pending, settled).
"""

import time
from typing import Any

from tests.chaos.model import Journal, Record


class ClientJournal:
    def __init__(self, journal: Journal, client: str, user: str) -> None:
        self._journal = journal
        self._client = client
        self._user = user
        self.connection = 0
        self.endpoint = ""
        self.transport = ""

    def begin(self, endpoint: str, transport: str) -> None:
        """Start a new connection."""
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
