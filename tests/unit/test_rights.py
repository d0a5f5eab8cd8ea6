"""The boards a user could see at each position of the log are derived from those they can see at its end."""

from hypothesis import given
from hypothesis import strategies as st

from feed.delivery.memberships import Memberships
from feed.delivery.rights import Rights, boards_before
from feed.wire.event import Grant

BOARDS = ("b0", "b1", "b2")
STEP = st.tuples(
    st.sampled_from(["ana", "bruno"]), st.sampled_from(BOARDS), st.sampled_from(["viewer", "editor", None])
)


def _history(steps: list[tuple[str, str, str | None]]) -> tuple[list[Grant], list[frozenset[str]]]:
    """The grants of these steps, and the boards that ana sees before each and at the end."""
    memberships, seen, changes = Memberships(), [], []
    for seq, (user, board, role) in enumerate(steps):
        had = board in memberships.boards(user)
        if role is None and not had:
            continue
        seen.append(memberships.boards("ana"))
        changes.append(Grant(user, board, role, seq, new=role is not None and not had))
        memberships.apply(changes[-1])
    return changes, [*seen, memberships.boards("ana")]


@given(st.lists(STEP, max_size=20), st.integers(0, 20))
def test_boards_before_undoes_the_changes(steps: list[tuple[str, str, str | None]], at: int) -> None:
    changes, seen = _history(steps)
    at = min(at, len(changes))
    assert boards_before("ana", seen[-1], changes[at:]) == seen[at]


@given(st.lists(STEP, max_size=20))
def test_a_replay_grants_each_board_once_and_ends_with_the_visible_boards(
    steps: list[tuple[str, str, str | None]],
) -> None:
    changes, seen = _history(steps)
    rights = Rights("ana", seen[0], changes)
    shown = set(rights.boards)
    granted: list[str | None] = []
    for place, change in enumerate(changes):
        if not rights.concerns(change):
            continue
        for sent in rights.apply(change, seen[-1]):
            if sent.role is None:
                shown.remove(str(sent.board))
            else:
                granted.append(sent.board)
                shown.add(str(sent.board))
        assert rights.boards == shown
        assert shown & seen[-1] <= seen[place + 1]
    assert shown == seen[-1]
    assert len(granted) == len(set(granted))


def test_no_board_is_visible_before_a_truncate() -> None:
    changes = [Grant(None, None, None, 1), Grant("ana", "b1", "viewer", 2, new=True)]
    assert boards_before("ana", frozenset({"b1"}), changes) == frozenset()
    rights = Rights("ana", frozenset({"b0"}), changes)
    assert rights.apply(changes[0], frozenset({"b1"})) == [Grant("ana", "b0", None, 1)]
    assert rights.apply(changes[1], frozenset({"b1"})) == [changes[1]]
