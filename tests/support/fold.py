"""The state that a client has after it has applied the whole log."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.database import Database


async def delivered_log(database: Database, relation: str) -> list[dict[str, Any]]:
    """The log of a table, in the order in which the feed delivers it."""
    return await database.execute(
        "SELECT l.key, l.op, t.old, t.new FROM feed.log AS l JOIN feed.trigger_log AS t USING (seq) WHERE l.relation = %s"
        " ORDER BY max(l.seq) OVER (PARTITION BY l.xid), l.seq",
        [relation],
    )


def fold(
    log: Iterable[Mapping[str, Any]], held: Mapping[str, dict[str, Any]] | None = None
) -> dict[str, dict[str, Any]]:
    """The rows by key, beginning with those held before.

    Raises AssertionError if a change does not start from the state in which the previous one left its row.
    """
    state: dict[str, dict[str, Any]] = dict(held or {})
    for row in log:
        if row["op"] == "truncate":
            state.clear()
            continue
        if row["op"] != "enter":  # the second half of a change whose first half left
            assert state.get(row["key"]) == row["old"], f"{row} does not follow {state.get(row['key'])}"
        if row["op"] == "delete":
            del state[row["key"]]
        elif row["op"] != "leave":
            state[row["key"]] = row["new"]
    return state
