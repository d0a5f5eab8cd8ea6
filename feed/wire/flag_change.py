"""A change of a rule in feed.flags, as recorded in the log."""

from typing import Any, NamedTuple

import orjson

from db.changelog.changes import Change

RELATION = "feed.flags"
Key = tuple[str, str, str]
"""Flag, scope, user."""


class FlagChange(NamedTuple):
    """The new values of the changed columns of a rule; None if the rule was deleted. Without a key, all rules were deleted."""

    key: Key | None
    columns: dict[str, Any] | None


def flag_change(change: Change) -> FlagChange | None:
    """Return the effect of a change on the flags; None if it has none."""
    if change.relation != RELATION:
        return None
    if change.key is None:
        return FlagChange(None, None) if change.op == "truncate" else None
    flag, scope, user = orjson.loads(change.key)
    return FlagChange((flag, scope, user), None if change.body is None else orjson.loads(change.body))
