"""A change of a rule in feed.flags, as the log has it."""

from typing import Any, NamedTuple

import orjson

from db.changelog import Change

RELATION = "feed.flags"
Key = tuple[str, str, str]
"""flag, scope, user."""


class FlagChange(NamedTuple):
    """What is known now of a rule's columns, None where the rule is gone. Without a key: all rules are gone."""

    key: Key | None
    columns: dict[str, Any] | None


def flag_change(change: Change) -> FlagChange | None:
    """What a change of the log does to the flags; None: nothing."""
    if change.relation != RELATION:
        return None
    if change.key is None:
        return FlagChange(None, None) if change.op == "truncate" else None
    flag, scope, user = orjson.loads(change.key)
    return FlagChange((flag, scope, user), None if change.body is None else orjson.loads(change.body))
