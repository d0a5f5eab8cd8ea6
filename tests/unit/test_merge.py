"""Three-way merges keep what only one side changed and leave what both changed to the user."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cards.conflicts import conflicting_fields, merge_fields
from api.cards.text_merge import MAX_LINES, merge_text

BASE = {"title": "a", "value": 10.0, "notes": "one\ntwo\nthree", "position": "a0", "phase": "new"}


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC"),
        ("a\nb\nc", "a\nb\nc\nd", "z\na\nb\nc", "z\na\nb\nc\nd"),
        ("a\nb\nc", "a\nc", "a\nb\nc\nd", "a\nc\nd"),
        ("a\nb", "a\nx\nb", "a\nx\nb", "a\nx\nb"),
        ("a\nb\n", "a\nb\n", "", ""),
        ("", "new", "", "new"),
        ("", "mine", "theirs", None),
        ("a\nb", "a\nb\nmine", "a\nb\ntheirs", None),
        ("a\nb\nc", "a\nX\nc", "a\nY\nc", None),
        ("a\nb\nc", "A\nb\nc", "a\nB\nc", None),
        ("a\nb\nc", "a\nc", "a\nB\nc", None),
        ("maçã 🍎\nb", "maçã 🍏\nb", "maçã 🍎\nb\nc", "maçã 🍏\nb\nc"),
    ],
)
def test_line_changes_merge_unless_they_are_adjacent(base: str, ours: str, theirs: str, merged: str | None) -> None:
    assert merge_text(base, ours, theirs) == merged
    assert merge_text(base, theirs, ours) == merged


def test_a_text_of_too_many_lines_is_not_merged() -> None:
    long = "\n" * (MAX_LINES - 1)
    assert merge_text(long, long + "a", long) == long + "a"
    assert merge_text(long, long + "\na", long) is None


TEXT = st.lists(st.sampled_from("abcde"), max_size=12).map("\n".join)


@given(base=TEXT, other=TEXT)
def test_a_change_of_one_side_is_the_result(base: str, other: str) -> None:
    assert merge_text(base, other, base) == other
    assert merge_text(base, base, other) == other
    assert merge_text(base, other, other) == other


@given(st.lists(st.text("xyz", max_size=2), min_size=3, max_size=20), st.data())
def test_changes_of_different_lines_are_both_kept(parts: list[str], data: st.DataObject) -> None:
    base = [f"{n} {part}" for n, part in enumerate(parts)]
    first = data.draw(st.integers(0, len(base) - 3))
    second = data.draw(st.integers(first + 2, len(base) - 1))
    ours, theirs, both = list(base), list(base), list(base)
    ours[first] = both[first] = "ours"
    theirs[second] = both[second] = "theirs"
    assert merge_text("\n".join(base), "\n".join(ours), "\n".join(theirs)) == "\n".join(both)


@given(TEXT, TEXT, TEXT)
def test_merging_is_symmetric(base: str, ours: str, theirs: str) -> None:
    assert merge_text(base, ours, theirs) == merge_text(base, theirs, ours)


@pytest.mark.parametrize(
    ("wanted", "theirs", "fields", "conflicts"),
    [
        ({"title": "b"}, {"value": 20.0}, {"title": "b"}, []),
        ({"title": "b"}, {"title": "c"}, {}, ["title"]),
        ({"title": "b"}, {"title": "b"}, {"title": "b"}, []),
        ({"title": "a"}, {"title": "c"}, {}, []),
        ({"phase": "won", "position": "a5"}, {"title": "c", "position": "a7"}, {"phase": "won", "position": "a5"}, []),
        ({"phase": "won"}, {"phase": "lost"}, {}, ["phase"]),
        ({"notes": "one\ntwo\nTHREE"}, {"notes": "ONE\ntwo\nthree"}, {"notes": "ONE\ntwo\nTHREE"}, []),
        ({"notes": "mine", "value": 1.0}, {"notes": "theirs"}, {"value": 1.0}, ["notes"]),
        ({"notes": None}, {"notes": "one\ntwo\nthree\nfour"}, {}, ["notes"]),
    ],
)
def test_a_merge_takes_the_fields_that_one_side_changed(
    wanted: dict[str, Any], theirs: dict[str, Any], fields: dict[str, Any], conflicts: list[str]
) -> None:
    assert merge_fields(wanted, BASE | theirs, BASE) == (fields, conflicts)


def test_without_a_base_every_difference_but_the_position_conflicts() -> None:
    wanted = {"title": "b", "value": 10.0, "notes": "one\ntwo\nthree\nfour", "position": "a9"}
    assert merge_fields(wanted, BASE, None) == ({"value": 10.0, "position": "a9"}, ["title", "notes"])
    assert conflicting_fields(wanted, BASE, None) == ["title", "notes"]
