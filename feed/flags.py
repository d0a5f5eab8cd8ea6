"""Which ways of getting what is new each user is offered, as of one place in the log.

Invariant: this is the state of feed.flags at the hub's cursor, exactly, as feed/members.py is that of board_members: read in the
cursor's own snapshot, then moved by the log's own events. db/sql/functions/realtime.sql says the same.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from db.changelog import Change
from db.flags import REALTIME, Rule

RELATION = "feed.flags"
BEST = REALTIME[0]
OFF = REALTIME[-1]
Key = tuple[str, str, str]
"""flag, scope, user."""


class Ruling(NamedTuple):
    """A change of a rule: what is known of its columns now, None where it is gone. Without a key: all are."""

    key: Key | None
    columns: dict[str, Any] | None


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

    def apply(self, ruling: Ruling) -> bool:
        """Take in a change of feed.flags; whether writes are logged again that were not."""
        before = self.captures
        if ruling.key is None:
            self._rules.clear()
        elif ruling.columns is None:
            self._rules.pop(ruling.key, None)
        else:
            self._rules[ruling.key] = self._rules.get(ruling.key, {}) | ruling.columns
        return self.captures and not before


def place(user: str) -> int:
    """Where a user stands in every share, 0 to 99: the same for ever, so that a share that is raised takes nobody out."""
    return int.from_bytes(hashlib.sha256(user.encode()).digest()[:4]) % 100


def offers(realtime: str, way: str) -> bool:
    """Whether one who is offered this may take a way."""
    return REALTIME.index(way) >= REALTIME.index(realtime)


def ruling(change: Change) -> Ruling | None:
    """What a change of the log says of the flags; None: nothing."""
    if change.relation != RELATION:
        return None
    if change.key is None:
        return Ruling(None, None) if change.op == "truncate" else None
    flag, scope, user = orjson.loads(change.key)
    return Ruling((flag, scope, user), None if change.body is None else orjson.loads(change.body))
