"""Verdict `membership`: `board_granted` or `board_revoked` is missing, or was sent without a change."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.client_history import MEMBERSHIP, Window
from tests.chaos.checker.examine import LATENESS, Examined, Examiner
from tests.chaos.checker.members import board_of
from tests.chaos.checker.truth import RELOADS
from tests.chaos.model import Verdict


def missing_grants(examined: Sequence[Examined], examiner: Examiner) -> Iterable[Verdict]:
    known: dict[int, _ClientBoards] = {}
    for each in examined:
        before = known.get(id(each.segment))
        if before is None or before.window.until != each.window.since:
            before = _ClientBoards(each.window, set(each.before))  # a page may have changed something in between
        known[id(each.segment)] = before
        yield from before.move(each, examiner)


class _ClientBoards:
    """The boards that the client believes its user sees. Changes that cancel out within a window need no message."""

    def __init__(self, window: Window, boards: set[str]) -> None:
        self.window = window
        self._boards = boards

    def move(self, each: Examined, examiner: Examiner) -> Iterable[Verdict]:
        window = each.window
        later = {board_of(change) for change in examiner.members.of(window.user, window.until) if change.at <= each.at}
        reloaded = any(change.relation == "board_members" and change.op in RELOADS for change in each.expected)
        if reloaded or window.wanted != self.window.wanted:
            self._boards = set(
                each.after
            )  # the client got the list of boards from the API, `subscribed` or `auth_success`
        for record in window.messages:
            if record.kind == "board_granted":
                self._boards.add(record.body["boardId"])
            elif record.kind == "board_revoked":
                self._boards.discard(record.body["boardId"])
        for board in sorted(self._boards ^ each.after):
            if board in later | each.unknown:
                continue
            if board not in window.changing and (window.wanted is None or board in window.wanted):
                kind = "board_granted" if board in each.after else "board_revoked"
                yield Verdict("membership", each.where, f"no {kind} of {board} before {window.until.text}")
            self._boards ^= {board}
        self.window = window


def unfounded_grants(examined: Sequence[Examined], examiner: Examiner) -> Iterable[Verdict]:
    """Messages about boards whose membership did not change after the client's cursor."""
    for each in examined:
        window = each.window
        changed = {
            board_of(change)
            for change in examiner.members.of(window.user, window.since)
            if change.at <= window.at + LATENESS
        }
        for record in window.messages:
            if record.kind in MEMBERSHIP and not {record.body["boardId"], None} & (changed | each.unknown):
                text = f"{record.kind} of {record.body['boardId']} after {window.since.text}: nothing changed"
                yield Verdict("membership", each.where, text)
