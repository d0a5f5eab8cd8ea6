"""A change of what a user sees that the client was not told of, or was told without one."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import LATENESS, Examined, Examiner
from tests.chaos.checker.members import board_of
from tests.chaos.checker.stretches import MEMBERSHIP
from tests.chaos.checker.truth import ANEW
from tests.chaos.model import Verdict


def untold(examined: Sequence[Examined], examiner: Examiner) -> Iterable[Verdict]:
    for each in examined:
        window = each.window
        told = {record.body["boardId"]: record.kind for record in window.messages if record.kind in MEMBERSHIP}
        later = {board_of(change) for change in examiner.members.of(window.user, window.until) if change.at <= each.at}
        if any(change.relation == "board_members" and change.op in ANEW for change in each.expected):
            continue  # a resync of that table says that the boards are to be listed again
        for board in each.before ^ each.after:
            if board in later | each.unknown | window.changing or (
                window.wanted is not None and board not in window.wanted
            ):
                continue
            kind = "board_granted" if board in each.after else "board_revoked"
            if told.get(board) != kind and board not in window.told:
                yield Verdict("membership", each.where, f"no {kind} of {board} before {window.until.text}")


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
