"""Verdicts `snapshot` and `old-snapshot`: a snapshot differs from the tables at its cursor, or is older than its stream."""

from collections.abc import Iterable

from tests.chaos.checker.client_history import ClientHistory, wall_time
from tests.chaos.checker.content import difference
from tests.chaos.checker.states import TableCheck, Tables, keys_of
from tests.chaos.checker.truth import Truth
from tests.chaos.clients.cursor import parse
from tests.chaos.model import Record, Verdict


def snapshots(histories: Iterable[ClientHistory], truth: Truth) -> Iterable[TableCheck]:
    unlogged = keys_of(truth.uncaptured)
    checked: set[tuple[str, int]] = set()
    for history in histories:
        for record in history.records:
            key = str(record.cursor), id(record.body["body"]) if record.kind == "snapshot" else 0
            if record.kind == "snapshot" and key not in checked:
                checked.add(key)
                at = wall_time(record.at)
                yield TableCheck(parse(record.cursor or ""), at, _Judge(record, unlogged), at - PATIENCE)


PATIENCE = 10.0
"""Seconds that a client waits for a response."""


class _Judge:
    def __init__(self, record: Record, unlogged: set[str]) -> None:
        self._record = record
        self._unlogged = unlogged

    def __call__(self, tables: Tables) -> Verdict | None:
        record = self._record
        board, body = record.body["board"], record.body["body"]
        text = _rows(tables.cards[board], {row["id"]: row for row in body["opportunities"]}, self._unlogged)
        members = {member["userId"]: member["role"] for member in body["members"]}
        if text is None and not self._known(board):
            text = None
        elif text is None and members != tables.members[board]:
            text = f"its members are {members} and not {tables.members[board]}"
        elif text is None and body["role"] != tables.members[board].get(record.user):
            text = f"the role is {body['role']} and not {tables.members[board].get(record.user)}"
        if text is None:
            return None
        how = "unchanged, " if record.body["unchanged"] else ""
        return Verdict("snapshot", record.client, f"{board} of {record.endpoint} ({how}cursor {record.cursor}): {text}")

    def _known(self, board: str) -> bool:
        """Whether all membership changes of the board are in the log."""
        return not any(key.startswith(f'["{board}", ') for key in self._unlogged)


def _rows(wanted: dict[str, dict[str, object]], sent: dict[str, dict[str, object]], unlogged: set[str]) -> str | None:
    for key in sorted((wanted.keys() | sent.keys()) - unlogged):
        if key not in sent:
            return f"{key} is missing"
        if key not in wanted:
            return f"{key} is not on the board"
        if sent[key] != wanted[key]:
            return f"{key}: {difference(wanted[key], sent[key])}"
    return None


def old_snapshots(histories: Iterable[ClientHistory]) -> Iterable[Verdict]:
    """A snapshot may be newer than its stream, but not older: what it lacks would never be sent again."""
    for history in histories:
        for record in history.records:
            if record.kind != "snapshot" or record.body["must_cover"] is None:
                continue
            must_cover, taken = parse(record.body["must_cover"]), parse(record.cursor or "")
            if must_cover.feed == taken.feed and not taken.covers(must_cover):
                text = f"{record.body['board']} at {taken.text}, requested at {must_cover.text}"
                yield Verdict("old-snapshot", history.client, text)
