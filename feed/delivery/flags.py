"""The transports that each user is offered, as of one place in the log.

Invariant: this is exactly the state of feed.flags at the hub's cursor. It is read in the cursor's own snapshot, then
moved by the log's own events, as feed/delivery/memberships.py does for board_members. db/sql/functions/realtime.sql
says the same.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from db.flags import REALTIME, Rule
from feed.wire.flag_change import FlagChange, Key

BEST = REALTIME[0]
OFF = REALTIME[-1]


class Flags:
    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._rules: dict[Key, dict[str, Any]] = {
            (rule.flag, rule.scope, rule.user): {"share": rule.share, "value": rule.value} for rule in rules
        }

    @property
    def captures(self) -> bool:
        """Whether what is written is in the log."""
        return ("capture", "everybody", "") not in self._rules

    def realtime(self, user: str | None) -> str:
        """The best way that a user is offered; None: somebody of whom nothing is known."""
        if not self.captures:
            return OFF  # nothing that could be told is known
        if user is not None:
            if (own := self._rules.get(("realtime", "user", user))) is not None:
                return str(own["value"])
            share = self._rules.get(("realtime", "share", ""))
            if share is not None and place(user) < share["share"]:
                return str(share["value"])
        everybody = self._rules.get(("realtime", "everybody", ""))
        return BEST if everybody is None else str(everybody["value"])

    def apply(self, change: FlagChange) -> bool:
        """Take in a change of feed.flags; whether writes are logged again that were not."""
        before = self.captures
        if change.key is None:
            self._rules.clear()
        elif change.columns is None:
            self._rules.pop(change.key, None)
        else:
            self._rules[change.key] = self._rules.get(change.key, {}) | change.columns
        return self.captures and not before


def place(user: str) -> int:
    """Where a user stands in every share, 0 to 99: the same for ever, so that a share that is raised takes nobody out."""
    return int.from_bytes(hashlib.sha256(user.encode()).digest()[:4]) % 100


def offers(realtime: str, way: str) -> bool:
    """Whether one who is offered this may take a way."""
    return REALTIME.index(way) >= REALTIME.index(realtime)
