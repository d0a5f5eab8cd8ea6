"""An event of a board that the user could not see at that place of the log, or that the client did not ask for."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import Examined
from tests.chaos.checker.lost import describe
from tests.chaos.checker.members import user_of
from tests.chaos.checker.truth import ANEW
from tests.chaos.model import Verdict


def leak(examined: Sequence[Examined]) -> Iterable[Verdict]:
    revoked: dict[tuple[int, int], set[str]] = {}
    for each in examined:
        gone = revoked.setdefault((id(each.stretch), each.window.connection), set())
        granted: set[str] = set()
        yield from _after_revoked(each, gone, granted)
        yield from _not_visible(each, granted)


def _after_revoked(each: Examined, gone: set[str], granted: set[str]) -> Iterable[Verdict]:
    """`gone` and `granted` follow what the client was told: on this connection, and in this window."""
    gone -= each.window.subscribed
    for record in each.window.messages:
        board = record.body["boardId"]
        if record.kind == "board_granted":
            granted.add(board)
            gone.discard(board)
        elif record.kind == "board_revoked":
            granted.discard(board)
            gone.add(board)
        elif board in gone:
            text = f"an event of {board} after board_revoked: {record.kind} {record.body['seq']}"
            yield Verdict("leak", each.where, text)


def _not_visible(each: Examined, granted: set[str]) -> Iterable[Verdict]:
    window = each.window
    places = {id(change): place for place, change in enumerate(each.expected)}
    for match in each.matches:
        change = match.change
        if change is None or change.op in ANEW or change.board is None or id(change) not in places:
            continue
        if change.relation == "board_members" and user_of(change) == window.user:
            continue  # their own membership: it says no more than board_granted
        if each.unknown & {change.board, None}:
            continue
        if window.wanted is not None and change.board not in window.wanted | window.changing:
            yield Verdict("leak", each.where, f"{describe(change)}: this client follows {sorted(window.wanted)}")
        elif places[id(change)] not in each.visible and change.board not in granted:
            yield Verdict("leak", each.where, f"{describe(change)}: {window.user} could not see {change.board} there")
