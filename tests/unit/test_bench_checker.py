"""The benchmark's checkers: what they are shown to miss, they would miss in a run."""

import time

import pytest

from feed.wire.encoding import frame
from tests.bench import tape
from tests.bench.checker import LATE, arrived, complete
from tests.bench.dialect import NAIVE, PG_SSE, Dialect
from tests.bench.reader import Reader, Readings
from tests.bench.tape import Follower, Tape

HEAD = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
MARKS = range(20)
CLIENTS = 3


def event(mark: int) -> bytes:
    return b'{"type":"opportunity_updated","opportunityId":"o%d","changes":{"company": "%d"}}' % (mark, mark)


def on_the_wire(dialect: Dialect, marks: list[int]) -> bytes:
    if dialect.stream:
        return b"".join(b"%x\r\nid: %d\ndata: %b\n\n\r\n" % (200, mark, event(mark)) for mark in marks)
    return b"".join(frame(event(mark)) for mark in marks)


def told(dialect: Dialect, marks: list[int], piece: int) -> Reader:
    """A client that these events come to, in pieces of so many bytes."""
    reader = Reader(1, dialect, Readings(dialect))
    data = HEAD + on_the_wire(dialect, marks)
    for start in range(0, len(data), piece):
        reader.read(time.monotonic_ns(), data[start : start + piece])
    return reader


def written(seconds_ago: float = 1.0) -> dict[int, int]:
    return dict.fromkeys(MARKS, time.monotonic_ns() - int(seconds_ago * 1e9))


@pytest.mark.parametrize("dialect", [NAIVE, PG_SSE])
@pytest.mark.parametrize("piece", [1, 7, 64, 100_000])
async def test_what_came_once_is_complete_however_it_was_cut(dialect: Dialect, piece: int) -> None:
    clients = [told(dialect, list(MARKS), piece) for _ in range(CLIENTS)]
    await arrived(clients, len(MARKS), patience=0)
    complete(clients, dict.fromkeys(MARKS, 0) | {mark: at - 1 for at, marks in clients[0].got for mark in marks})


@pytest.mark.parametrize(
    ("marks", "told_of"),
    [
        ([mark for mark in MARKS if mark != 7], "1 were lost, 0 came twice"),
        ([*MARKS, 7], "0 were lost, 1 came twice"),
        ([*MARKS, 99], "1 were never written"),
        ([99 if mark == 7 else mark for mark in MARKS], "1 were lost"),
        ([8 if mark == 7 else mark for mark in MARKS], "1 were lost, 1 came twice"),
    ],
)
@pytest.mark.parametrize("dialect", [NAIVE, PG_SSE])
async def test_a_seeded_fault_at_one_client_is_found(dialect: Dialect, marks: list[int], told_of: str) -> None:
    before = written()
    clients = [*(told(dialect, list(MARKS), 64) for _ in range(CLIENTS)), told(dialect, marks, 64)]
    with pytest.raises(RuntimeError, match=told_of):
        complete(clients, before)


async def test_an_event_that_comes_too_late_or_before_it_was_written_is_found() -> None:
    clients = [told(NAIVE, list(MARKS), 64) for _ in range(CLIENTS)]
    complete(clients, written())
    for at in (written(LATE + 1), written(-60)):
        with pytest.raises(RuntimeError, match=f"{CLIENTS} came too early or too late"):
            complete(clients, written() | {7: at[7]})


async def test_a_client_that_waits_in_vain_ends_the_run() -> None:
    clients = [told(NAIVE, list(MARKS), 64), told(NAIVE, list(MARKS)[:-1], 64)]
    with pytest.raises(RuntimeError, match="of 20 events clients got 19 to 20; 0 were closed"):
        await arrived(clients, len(MARKS), patience=0.05)


def following(marks: list[list[int]]) -> tuple[Tape, list[Follower]]:
    """Clients on one tape, each told of these events."""
    shared = Tape()
    followers = [Follower(1, b"", shared) for _ in marks]
    for follower, its in zip(followers, marks, strict=True):
        follower.data_received(HEAD + frame(b'{"type":"presence_state"}'))
        for mark in its:
            follower.data_received(frame(event(mark)))
    return shared, followers


async def hold(shared: Tape, followers: list[Follower]) -> None:
    await tape.followed(shared, followers, len(MARKS), patience=0.05)
    tape.complete(shared, followers, written())


async def test_a_tape_that_all_follow_is_complete() -> None:
    await hold(*following([list(MARKS)] * CLIENTS))


@pytest.mark.parametrize(
    "last",
    [
        [mark for mark in MARKS if mark != 7],
        [*MARKS, 7],
        [mark for mark in MARKS for _ in range(1 + (mark == 7))],
        list(MARKS)[:-1],
    ],
    ids=["lost", "told again", "twice", "cut off"],
)
async def test_a_client_that_is_told_something_else_than_the_tape_is_found(last: list[int]) -> None:
    shared, followers = following([list(MARKS)] * CLIENTS + [last])
    with pytest.raises(RuntimeError, match=r"not every event once|of 20 events clients got 19"):
        await hold(shared, followers)


@pytest.mark.parametrize(
    ("marks", "told_of"),
    [
        ([mark for mark in MARKS if mark != 7], "1 were lost and 0 came twice"),
        ([*MARKS, 7], "0 were lost and 1 came twice"),
        ([*MARKS, 99], "1 were never written"),
    ],
)
async def test_a_tape_that_is_wrong_for_all_is_found(marks: list[int], told_of: str) -> None:
    shared, followers = following([marks] * CLIENTS)
    with pytest.raises(RuntimeError, match=told_of):
        tape.complete(shared, followers, written())


async def test_a_tape_that_came_too_late_or_too_early_is_found() -> None:
    shared, followers = following([list(MARKS)] * CLIENTS)
    for at in (written(LATE + 1), written(-60)):
        with pytest.raises(RuntimeError, match=f"{CLIENTS} reads came too early or too late"):
            tape.complete(shared, followers, written() | {7: at[7]})
