"""Cursors are parsed strictly, have one canonical form, and keep their meaning in a round trip."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.changelog.positions import Position, Proof, Seen
from feed.wire.cursor import MAX_LENGTH, Cursor, Fault, tag

AT = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
NUMBER = st.integers(0, 10**18)


@st.composite
def cursors(draw: st.DrawFn, most: int = 128) -> Cursor:
    xip = sorted(draw(st.sets(st.integers(1, 10**6), max_size=most)))
    xmax = draw(st.integers(xip[-1] + 1 if xip else 1, 10**18))
    feed = draw(st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=32))
    return Cursor(feed, Seen(xmax, tuple(xip)), draw(NUMBER), draw(st.from_regex(r"[0-9a-f]{8}", fullmatch=True)))


@given(cursors())
def test_a_cursor_survives_a_round_trip(cursor: Cursor) -> None:
    text = str(cursor)
    assert Cursor.parse(text) == cursor
    assert len(text) <= MAX_LENGTH
    assert text.isascii()
    assert not set(text) & set('\r\n /?&%#+",;')


@given(
    st.one_of(
        st.text(), st.from_regex(r"[0-9a-z]{1,4}(\.[0-9]{0,6}(-[0-9]{0,3})*){0,6}\.[0-9a-f]{0,9}", fullmatch=True)
    )
)
def test_any_text_is_a_canonical_cursor_or_a_value_error(text: str) -> None:
    _canonical_or_value_error(text)


def _canonical_or_value_error(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except ValueError:
        return
    assert str(cursor) == text


@given(cursors(), st.data())
def test_a_changed_character_raises_no_other_exception(cursor: Cursor, data: st.DataObject) -> None:
    text = str(cursor)
    place = data.draw(st.integers(0, len(text) - 1))
    _canonical_or_value_error(
        text[:place] + data.draw(st.sampled_from(["", "0", "-", ".", "x", "\n", "٣"])) + text[place + 1 :]
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "feed.790.794.0-2.1234.9f86d081\n",
        " feed.790.794.0-2.1234.9f86d081",
        "feed.0790.794.0-2.1234.9f86d081",  # not the canonical form of a number
        "feed.790.794.2-0.1234.9f86d081",  # xip out of order
        "feed.790.794.0-0.1234.9f86d081",  # a duplicate in xip
        "feed.790.794.0-9.1234.9f86d081",  # in progress above xmax
        "feed.790.794..1234.9f86d081",  # xmin differs from the start of xip
        "feed.790.794.1-2.1234.9f86d081",  # xmin is not in progress
        "FEED.790.794.0-2.1234.9f86d081",
        "feed.790.794.0-2.1234.9F86D081",
        "feed.790.794.0-2.-1.9f86d081",
        "feed.790.794.0-2.1234.9f86d0812",
        "feed.790.79４.0-2.1234.9f86d081",
        "f" * 5000,
        "feed." + "1" * 20 + ".794.0.1.9f86d081",
    ],
)
def test_almost_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        Cursor.parse(text)


def test_the_text_is_as_documented() -> None:
    cursor = Cursor("3f9a2b1c0d", Seen(794, (790, 792)), 1234, "9f86d081")
    assert str(cursor) == "3f9a2b1c0d.790.794.0-2.1234.9f86d081"


@given(cursors(most=300))
def test_the_text_is_bounded_and_covers_no_more_than_the_cursor(cursor: Cursor) -> None:
    text = str(cursor)
    assert len(text) <= MAX_LENGTH
    parsed = Cursor.parse(text)
    assert cursor.covers(parsed)
    for xid in (*cursor.seen.xip, cursor.seen.xmax - 1, cursor.seen.xmax):
        assert xid not in parsed.seen or xid in cursor.seen


def test_the_longest_possible_text_is_within_the_limit() -> None:
    start = 10**18
    xip = tuple(start + n * 10**15 for n in range(2000))
    cursor = Cursor("f" * 32, Seen(xip[-1] + 1, xip), 10**18, "9f86d081")
    assert len(str(cursor)) <= MAX_LENGTH
    Cursor.parse(str(cursor))


def test_a_thousand_concurrent_writers_fit() -> None:
    cursor = Cursor(
        "3f9a2b1c0d", Seen(5_000_003, tuple(range(5_000_000 - 3000, 5_000_000, 2))[:1000]), 1234, "9f86d081"
    )
    assert Cursor.parse(str(cursor)) == cursor


def _seen(cursor: Cursor) -> set[int]:
    return {xid for xid in range(1, 30) if xid in cursor.seen}


@st.composite
def _small(draw: st.DrawFn) -> Cursor:
    xmax = draw(st.integers(1, 12))
    xip = draw(st.sets(st.integers(1, 11))) & set(range(1, xmax))
    return Cursor("f", Seen(xmax, tuple(sorted(xip))), 0, "0" * 8)


@given(_small(), _small())
def test_covers_means_that_all_transactions_are_included(one: Cursor, other: Cursor) -> None:
    if one.covers(other):
        assert _seen(one) >= _seen(other)
    elif one.seen.xmax >= other.seen.xmax:
        assert not _seen(one) >= _seen(other)


def test_advanced_takes_the_snapshot_and_the_newest_row() -> None:
    cursor = Cursor("f", Seen(100, (95,)), 7, "0" * 8)
    assert cursor.advanced("95:110:95", None, None) is cursor  # no change: the same text on all instances
    ended = cursor.advanced("110:110:", None, None)
    assert (ended.seen, ended.anchor) == (Seen(100), 7)
    late = cursor.advanced("110:110:", 95, (5, 95, AT))
    assert (late.seen, late.anchor) == (Seen(100), 7)  # an older row does not move the anchor back
    newer = cursor.advanced("104:120:104,107,115", 110, (9, 110, AT))
    assert newer.seen == Seen(111, (104, 107))
    assert (newer.anchor, newer.tag) == (9, tag(9, 110, AT))


def test_the_cursor_of_an_empty_log_precedes_all_later_changes() -> None:
    assert Cursor.at("f", Position("90:120:90,100", None, None, None, None)).seen == Seen(90)
    assert Cursor.at("f", Position("120:120:", None, None, None, None)).seen == Seen(120)
    assert Cursor.at("f", Position("90:120:90,100", 99, 5, 98, AT)).seen == Seen(100, (90,))


def test_only_pruned_changes_that_were_not_seen_count_as_missed() -> None:
    cursor = Cursor("f", Seen(100, (90, 95)), 7, "0" * 8)
    assert not cursor.may_have_missed(89, Seen(120))
    assert cursor.may_have_missed(90, Seen(120))
    assert not cursor.may_have_missed(94, Seen(120, (90,)))
    assert cursor.may_have_missed(95, Seen(120, (90,)))
    assert not cursor.may_have_missed(99, Seen(120, (90, 95)))
    assert cursor.may_have_missed(100, Seen(120, (90, 95)))


def _proof(**others: object) -> Proof:
    good = {
        "feed_id": "f",
        "floor_seq": 0,
        "floor_xid": 0,
        "next_xid": 200,
        "last_seq": 9,
        "seq": 7,
        "xid": 99,
        "at": AT,
    }
    return Proof(**{**good, **others})  # type: ignore[arg-type]


def test_each_fault_is_reported() -> None:
    cursor = Cursor("f", Seen(100), 7, tag(7, 99, AT))
    assert cursor.fault(_proof()) is None
    assert cursor.fault(_proof(feed_id="g")) is Fault.FOREIGN
    assert cursor.fault(_proof(next_xid=99)) is Fault.FUTURE
    assert cursor.fault(_proof(last_seq=6)) is Fault.FUTURE
    assert cursor.fault(_proof(floor_xid=100)) is Fault.PRUNED
    gone: dict[str, object] = {"seq": None, "xid": None, "at": None}
    assert cursor.fault(_proof(floor_seq=7, **gone)) is Fault.PRUNED
    assert cursor.fault(_proof(floor_seq=6, **gone)) is Fault.DIVERGED
    assert cursor.fault(_proof(xid=98)) is Fault.DIVERGED
    assert cursor.fault(_proof(at=AT + timedelta(microseconds=1))) is Fault.DIVERGED
    assert Cursor("f", Seen(100), 0, "0" * 8).fault(_proof(**gone)) is None


def test_the_tag_does_not_depend_on_the_time_zone() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert tag(1, 2, AT) == tag(1, 2, elsewhere) != tag(1, 2, AT + timedelta(microseconds=1))
