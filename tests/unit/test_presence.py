"""Presence leases are merged by user: one entry for each, whatever their number of tabs."""

from datetime import UTC, datetime, timedelta

from db.presence import Place, Presence
from feed.presence.entries import MAX_BOARD_VIEWERS, merge_tabs

_NOW = datetime(2027, 1, 1, tzinfo=UTC)


def lease(number: int, opportunity: str | None = None, action: str = "viewing") -> Presence:
    return Presence("b1", opportunity, f"u{number}", "", action, _NOW + timedelta(seconds=number), None)


def test_the_viewers_of_a_board_are_limited_to_the_first() -> None:
    seen = merge_tabs([*map(lease, range(MAX_BOARD_VIEWERS + 10)), lease(3)])
    assert list(seen[Place(board_id="b1")]) == [f"u{number}" for number in range(MAX_BOARD_VIEWERS)]


def test_all_users_with_a_card_open_are_shown() -> None:
    seen = merge_tabs([*(lease(number, "o1") for number in range(MAX_BOARD_VIEWERS + 10)), lease(3, "o1", "editing")])
    assert len(seen[Place("o1")]) == MAX_BOARD_VIEWERS + 10
    assert seen[Place("o1")]["u3"].action == "editing"
