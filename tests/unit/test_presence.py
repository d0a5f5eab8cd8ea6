"""Who is where, out of the leases."""

from datetime import UTC, datetime, timedelta

from db.presence import Place, Presence
from feed.presence.tracker import MAX_BOARD_VIEWERS, merge_tabs

_NOW = datetime(2027, 1, 1, tzinfo=UTC)


def lease(number: int, opportunity: str | None = None, action: str = "viewing") -> Presence:
    return Presence("b1", opportunity, f"u{number}", "", action, _NOW + timedelta(seconds=number), None)


def test_of_those_who_look_at_a_board_the_first_ones_are_told() -> None:
    seen = merge_tabs([*map(lease, range(MAX_BOARD_VIEWERS + 10)), lease(3)])
    assert list(seen[Place(board_id="b1")]) == [f"u{number}" for number in range(MAX_BOARD_VIEWERS)]


def test_of_those_who_have_a_card_open_nobody_is_excluded() -> None:
    seen = merge_tabs([*(lease(number, "o1") for number in range(MAX_BOARD_VIEWERS + 10)), lease(3, "o1", "editing")])
    assert len(seen[Place("o1")]) == MAX_BOARD_VIEWERS + 10
    assert seen[Place("o1")]["u3"].action == "editing"
