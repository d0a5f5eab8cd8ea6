"""Verdict `leak`: an event of a board that the user could not see at that position, or that the client did not ask for."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import Examined
from tests.chaos.checker.lost import describe
from tests.chaos.checker.members import user_of
from tests.chaos.checker.truth import RELOADS
from tests.chaos.model import Verdict


def leak(examined: Sequence[Examined]) -> Iterable[Verdict]:
    revoked: dict[tuple[int, int], set[str]] = {}
    for each in examined:
        revoked_boards = revoked.setdefault((id(each.segment), each.window.connection), set())
        granted: set[str] = set()
        yield from _after_revoked(each, revoked_boards, granted)
        yield from _not_visible(each, granted)


def _after_revoked(each: Examined, revoked_boards: set[str], granted: set[str]) -> Iterable[Verdict]:
    """Updates `revoked_boards` (of the connection) and `granted` (of the window) from the messages."""
    revoked_boards -= each.window.subscribed
    for record in each.window.messages:
        board = record.body["boardId"]
        if record.kind == "board_granted":
            granted.add(board)
            revoked_boards.discard(board)
        elif record.kind == "board_revoked":
            granted.discard(board)
            revoked_boards.add(board)
        elif board in revoked_boards:
            text = f"an event of {board} after board_revoked: {record.kind} {record.body['seq']}"
            yield Verdict("leak", each.where, text)


def _not_visible(each: Examined, granted: set[str]) -> Iterable[Verdict]:
    window = each.window
    indexes = {id(change): index for index, change in enumerate(each.expected)}
    for match in each.matches:
        change = match.change
        if change is None or change.op in RELOADS or change.board is None or id(change) not in indexes:
            continue
        if change.relation == "board_members" and user_of(change) == window.user:
            continue  # their own membership: it reveals no more than board_granted
        if each.unknown & {change.board, None}:
            continue
        if window.wanted is not None and change.board not in window.wanted | window.changing:
            yield Verdict("leak", each.where, f"{describe(change)}: this client follows {sorted(window.wanted)}")
        elif indexes[id(change)] not in each.visible and change.board not in granted:
            yield Verdict("leak", each.where, f"{describe(change)}: {window.user} could not see {change.board} there")
