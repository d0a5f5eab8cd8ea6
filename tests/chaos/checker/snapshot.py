"""A snapshot that is not the tables at its cursor, or is older than the stream that it is taken for."""

from collections.abc import Iterable

from tests.chaos.checker.content import difference
from tests.chaos.checker.states import Question, Tables, keys_of
from tests.chaos.checker.stretches import Life, wall
from tests.chaos.checker.truth import Truth
from tests.chaos.clients.cursor import parse
from tests.chaos.model import Record, Verdict


def snapshots(lives: Iterable[Life], truth: Truth) -> Iterable[Question]:
    unknown = keys_of(truth.uncaptured)
    asked: set[tuple[str, int]] = set()
    for life in lives:
        for record in life.records:
            place = str(record.cursor), id(record.body["body"]) if record.kind == "snapshot" else 0
            if record.kind == "snapshot" and place not in asked:
                asked.add(place)
                at = wall(record.at)
                yield Question(parse(record.cursor or ""), at, _Judge(record, unknown), at - PATIENCE)


PATIENCE = 10.0
"""Seconds that a client waits for an answer."""


class _Judge:
    def __init__(self, record: Record, unknown: set[str]) -> None:
        self._record = record
        self._unknown = unknown

    def __call__(self, tables: Tables) -> Verdict | None:
        record = self._record
        board, body = record.body["board"], record.body["body"]
        text = _rows(tables.cards[board], {row["id"]: row for row in body["opportunities"]}, self._unknown)
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
        """Whether all of its members came and went through the log."""
        return not any(key.startswith(f'["{board}", ') for key in self._unknown)


def _rows(wanted: dict[str, dict[str, object]], told: dict[str, dict[str, object]], unknown: set[str]) -> str | None:
    for key in sorted((wanted.keys() | told.keys()) - unknown):
        if key not in told:
            return f"{key} is missing"
        if key not in wanted:
            return f"{key} is not on the board"
        if told[key] != wanted[key]:
            return f"{key}: {difference(wanted[key], told[key])}"
    return None


def old_snapshots(lives: Iterable[Life]) -> Iterable[Verdict]:
    """The rules let a snapshot be newer than the stream. What an older one lacks is never sent again."""
    for life in lives:
        for record in life.records:
            if record.kind != "snapshot" or record.body["stood"] is None:
                continue
            stood, taken = parse(record.body["stood"]), parse(record.cursor or "")
            if stood.feed == taken.feed and not taken.covers(stood):
                text = f"{record.body['board']} at {taken.text}, requested at {stood.text}"
                yield Verdict("old-snapshot", life.client, text)
