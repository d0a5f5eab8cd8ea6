"""The transports that each user may use, at one position in the log.

Invariant: the rules here equal feed.flags at the head. The rows are read in the snapshot of the head, then updated by
the events of the log, as feed/delivery/memberships.py does for board_members. db/sql/functions/realtime.sql computes
the same.
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
            (rule.flag, rule.scope, rule.user): {"percentage": rule.percentage, "value": rule.value} for rule in rules
        }

    @property
    def capture_enabled(self) -> bool:
        """Whether writes are captured in the log."""
        return ("capture", "everybody", "") not in self._rules

    def best_transport(self, user: str | None) -> str:
        """Return the best transport that a user may use; None stands for an unknown user."""
        if not self.capture_enabled:
            return OFF  # nothing is captured, so there is nothing to deliver
        if user is not None:
            if (own_rule := self._rules.get(("realtime", "user", user))) is not None:
                return str(own_rule["value"])
            rollout = self._rules.get(("realtime", "percentage", ""))
            if rollout is not None and rollout_bucket(user) < rollout["percentage"]:
                return str(rollout["value"])
        everybody = self._rules.get(("realtime", "everybody", ""))
        return BEST if everybody is None else str(everybody["value"])

    def apply(self, change: FlagChange) -> bool:
        """Apply a change of feed.flags. Return whether it turned capture back on."""
        before = self.capture_enabled
        if change.key is None:
            self._rules.clear()
        elif change.columns is None:
            self._rules.pop(change.key, None)
        else:
            self._rules[change.key] = self._rules.get(change.key, {}) | change.columns
        return self.capture_enabled and not before


def rollout_bucket(user: str) -> int:
    """Return the rollout bucket of a user, 0 to 99. It never changes, so raising a percentage excludes nobody."""
    return int.from_bytes(hashlib.sha256(user.encode()).digest()[:4]) % 100


def allows(best: str, transport: str) -> bool:
    """Return whether a user whose best allowed transport is `best` may use `transport`."""
    return REALTIME.index(transport) >= REALTIME.index(best)
