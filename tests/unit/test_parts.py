"""Small parts of the feed: backoff, replay buffer, batches, memberships, close codes, messages."""

import json
from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.changelog.positions import Seen
from feed.delivery.memberships import Memberships
from feed.delivery.replay_buffer import ReplayBuffer
from feed.system.backoff import backoff
from feed.wire.batch import Batch
from feed.wire.close_codes import ALL
from feed.wire.cursor import Cursor
from feed.wire.encoding import SSE, WEBSOCKET
from feed.wire.event import Event, Grant
from feed.wire.protocol import TYPES, BadMessageError, parse
from tests.support.changes import change


def _event(seq: int, board: str | None = "b1", size: int = 10, op: str = "update") -> Event:
    return Event("x", change(seq=seq, board=board, op=op), b"x" * size)


def _cursor(n: int) -> Cursor:
    return Cursor("f", Seen(n), n, "0" * 8)


def test_backoff_doubles_up_to_its_limit_with_full_jitter() -> None:
    runs = [list(islice(backoff(0.1, 1.0), 6)) for _ in range(200)]
    for limit, waits in zip([0.1, 0.2, 0.4, 0.8, 1.0, 1.0], zip(*runs, strict=True), strict=True):
        assert all(0 <= seconds <= limit for seconds in waits)
        assert max(waits) > limit * 0.8
        assert min(waits) < limit * 0.2


def test_the_replay_buffer_counts_the_events_since_any_offset_that_it_holds() -> None:
    buffer = ReplayBuffer(budget=50)
    for n in range(1, 101):
        buffer.append(Batch([_event(n, size=10) for _ in range(n % 3)], _cursor(n)))
        held = range(buffer.end + 1)
        for offset in filter(buffer.holds, held):
            assert buffer.events_since(offset) == sum(len(batch.events) for batch in buffer.since(offset))
        assert len(buffer._events_before) == len(buffer._batches)
    buffer.clear()
    buffer.append(Batch([_event(101)], _cursor(101)))
    assert buffer.events_since(buffer.end - 1) == 1


def test_the_replay_buffer_replays_from_any_cursor_it_holds() -> None:
    buffer = ReplayBuffer(budget=100)
    buffer.record(_cursor(0))
    batches = [Batch([_event(n)], _cursor(n)) for n in range(1, 15)]
    for n, batch in enumerate(batches, 1):
        buffer.append(batch)
        buffer.record(_cursor(n))
    assert buffer.end == 14
    assert buffer.offset_of(_cursor(0)) is None  # it holds ten batches
    assert buffer.offset_of(_cursor(3)) is None
    assert buffer.offset_of(_cursor(4)) == 4
    assert list(buffer.since(4)) == batches[4:]
    assert list(buffer.since(14)) == []
    assert buffer.offset_of(_cursor(99)) is None


def test_a_cleared_replay_buffer_holds_no_earlier_cursor() -> None:
    buffer = ReplayBuffer(budget=100)
    buffer.append(Batch([_event(1)], _cursor(1)))
    buffer.record(_cursor(1))
    end = buffer.end
    buffer.clear()
    assert buffer.offset_of(_cursor(1)) is None
    assert not buffer.holds(end)
    assert list(buffer.since(buffer.end)) == []


def test_a_batch_larger_than_the_replay_buffer_is_not_held() -> None:
    buffer = ReplayBuffer(budget=100)
    buffer.record(_cursor(0))
    buffer.append(Batch([_event(1, size=101)], _cursor(1)))
    buffer.record(_cursor(1))
    assert buffer.offset_of(_cursor(0)) is None
    assert buffer.offset_of(_cursor(1)) == buffer.end


def test_the_replay_buffer_remembers_a_bounded_number_of_cursors() -> None:
    buffer = ReplayBuffer(budget=100)
    for n in range(5000):
        buffer.record(_cursor(n))
    assert buffer.offset_of(_cursor(4999)) == 0
    assert buffer.offset_of(_cursor(0)) is None


def test_a_batch_shows_each_user_their_boards_and_is_encoded_once() -> None:
    batch = Batch([_event(1, "b1"), _event(2, "b2"), _event(3, None), _event(4, None, op="truncate")], _cursor(4))
    one, both = frozenset({"b1"}), frozenset({"b1", "b2"})
    assert [e.seq for e in batch.visible_to(one)] == [1, 4]
    assert [e.seq for e in batch.visible_to(both)] == [1, 2, 4]
    assert [e.seq for e in batch.visible_to(frozenset())] == [4]
    assert batch.encoded(one, WEBSOCKET) is batch.encoded(frozenset({"b1"}), WEBSOCKET)
    assert batch.encoded(one, WEBSOCKET) != batch.encoded(one, SSE)
    assert Batch([_event(1, "b1")], None).encoded(frozenset({"b2"}), SSE) == b""


def test_grants_change_the_memberships() -> None:
    memberships = Memberships([("ana", "b1", "editor"), ("ana", "b2", "viewer"), ("bruno", "b1", "admin")])
    assert memberships.boards("ana") == {"b1", "b2"}
    memberships.apply(Grant("ana", "b2", None, 1))
    memberships.apply(Grant("carla", "b1", "viewer", 2, new=True))
    memberships.apply(Grant("nobody", "b1", None, 3))
    assert [memberships.boards(user) for user in ("ana", "carla", "nobody")] == [{"b1"}, {"b1"}, frozenset()]
    held = memberships.boards("ana")
    memberships.apply(Grant(None, None, None, 4))
    assert memberships.boards("ana") == memberships.boards("bruno") == frozenset()
    assert held == {"b1"}  # a returned set does not change later


def test_close_codes_say_whether_to_reconnect() -> None:
    assert len({reason.code for reason in ALL}) == len({reason.name for reason in ALL}) == len(ALL)
    for reason in ALL:
        assert 1000 <= reason.code < 1016 or 4000 <= reason.code < 5000
        assert 400 <= reason.status < 600
        assert len(reason.name.encode()) <= 123
        if reason.code >= 4000:
            assert reason.code % 100 == reason.status % 100
        if not reason.reconnect:
            assert reason.status < 500


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.one_of(st.text(), st.binary()))
def test_arbitrary_data_is_a_bad_message(data: str | bytes) -> None:
    with pytest.raises(BadMessageError):
        parse(data)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from([*TYPES, "other"])},
        optional=dict.fromkeys(("token", "userId", "cursor", "boards", "batch", "opportunityId", "baseVersion"), _json),
    )
)
def test_any_object_is_a_message_or_a_bad_message(value: dict[str, object]) -> None:
    with suppress(BadMessageError):
        assert parse(json.dumps(value)).type == value["type"]
