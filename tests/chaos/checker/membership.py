"""A change of what a user sees that the client was not told of, or was told without one."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import LATENESS, Examined, Examiner
from tests.chaos.checker.members import board_of
from tests.chaos.checker.stretches import MEMBERSHIP, Window
from tests.chaos.checker.truth import ANEW
from tests.chaos.model import Verdict


def untold(examined: Sequence[Examined], examiner: Examiner) -> Iterable[Verdict]:
    known: dict[int, _Known] = {}
    for each in examined:
        before = known.get(id(each.stretch))
        if before is None or before.window.until != each.window.since:
            before = _Known(each.window, set(each.before))  # a page may have told something in between
        known[id(each.stretch)] = before
        yield from before.move(each, examiner)


class _Known:
    """The boards that a client thinks its user sees: what a change of them skipped over need not be said at all."""

    def __init__(self, window: Window, boards: set[str]) -> None:
        self.window = window
        self._boards = boards

    def move(self, each: Examined, examiner: Examiner) -> Iterable[Verdict]:
        window = each.window
        later = {board_of(change) for change in examiner.members.of(window.user, window.until) if change.at <= each.at}
        anew = any(change.relation == "board_members" and change.op in ANEW for change in each.expected)
        if anew or window.wanted != self.window.wanted:
            self._boards = set(
                each.after
            )  # the list of boards was asked for, or named by `subscribed` or `auth_success`
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


def told_for_nothing(examined: Sequence[Examined], examiner: Examiner) -> Iterable[Verdict]:
    """No change of this user on this board was news to the client."""
    for each in examined:
        window = each.window
        news = {
            board_of(change)
            for change in examiner.members.of(window.user, window.since)
            if change.at <= window.at + LATENESS
        }
        for record in window.messages:
            if record.kind in MEMBERSHIP and not {record.body["boardId"], None} & (news | each.unknown):
                text = f"{record.kind} of {record.body['boardId']} after {window.since.text}: nothing had changed"
                yield Verdict("membership", each.where, text)
