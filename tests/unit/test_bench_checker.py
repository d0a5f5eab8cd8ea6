"""The benchmark's checkers find seeded faults: lost, repeated, unknown, early and late events."""

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


def encoded(dialect: Dialect, marks: list[int]) -> bytes:
    if dialect.stream:
        return b"".join(b"%x\r\nid: %d\ndata: %b\n\n\r\n" % (200, mark, event(mark)) for mark in marks)
    return b"".join(frame(event(mark)) for mark in marks)


def reader_of(dialect: Dialect, marks: list[int], piece: int) -> Reader:
    """A client that receives these events, `piece` bytes at a time."""
    reader = Reader(1, dialect, Readings(dialect))
    data = HEAD + encoded(dialect, marks)
    for start in range(0, len(data), piece):
        reader.read(time.monotonic_ns(), data[start : start + piece])
    return reader


def written(seconds_ago: float = 1.0) -> dict[int, int]:
    return dict.fromkeys(MARKS, time.monotonic_ns() - int(seconds_ago * 1e9))


@pytest.mark.parametrize("dialect", [NAIVE, PG_SSE])
@pytest.mark.parametrize("piece", [1, 7, 64, 100_000])
async def test_complete_delivery_passes_for_any_fragmentation(dialect: Dialect, piece: int) -> None:
    clients = [reader_of(dialect, list(MARKS), piece) for _ in range(CLIENTS)]
    await arrived(clients, len(MARKS), patience=0)
    complete(clients, dict.fromkeys(MARKS, 0) | {mark: at - 1 for at, marks in clients[0].got for mark in marks})


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ([mark for mark in MARKS if mark != 7], "1 were lost, 0 came twice"),
        ([*MARKS, 7], "0 were lost, 1 came twice"),
        ([*MARKS, 99], "1 were never written"),
        ([99 if mark == 7 else mark for mark in MARKS], "1 were lost"),
        ([8 if mark == 7 else mark for mark in MARKS], "1 were lost, 1 came twice"),
    ],
)
@pytest.mark.parametrize("dialect", [NAIVE, PG_SSE])
async def test_a_fault_at_one_client_is_found(dialect: Dialect, marks: list[int], message: str) -> None:
    before = written()
    clients = [*(reader_of(dialect, list(MARKS), 64) for _ in range(CLIENTS)), reader_of(dialect, marks, 64)]
    with pytest.raises(RuntimeError, match=message):
        complete(clients, before)


async def test_an_event_that_is_late_or_older_than_its_write_is_found() -> None:
    clients = [reader_of(NAIVE, list(MARKS), 64) for _ in range(CLIENTS)]
    complete(clients, written())
    for at in (written(LATE + 1), written(-60)):
        with pytest.raises(RuntimeError, match=f"{CLIENTS} came too early or too late"):
            complete(clients, written() | {7: at[7]})


async def test_a_missing_event_ends_the_run() -> None:
    clients = [reader_of(NAIVE, list(MARKS), 64), reader_of(NAIVE, list(MARKS)[:-1], 64)]
    with pytest.raises(RuntimeError, match="of 20 events clients got 19 to 20; 0 were closed"):
        await arrived(clients, len(MARKS), patience=0.05)


def followers_of(marks: list[list[int]]) -> tuple[Tape, list[Follower]]:
    """Clients that share one tape; each receives its list of events."""
    shared = Tape()
    followers = [Follower(1, b"", shared) for _ in marks]
    for follower, own_marks in zip(followers, marks, strict=True):
        follower.data_received(HEAD + frame(b'{"type":"presence_state"}'))
        for mark in own_marks:
            follower.data_received(frame(event(mark)))
    return shared, followers


async def check(shared: Tape, followers: list[Follower]) -> None:
    await tape.followed(shared, followers, len(MARKS), patience=0.05)
    tape.complete(shared, followers, written())


async def test_a_tape_that_all_clients_match_passes() -> None:
    await check(*followers_of([list(MARKS)] * CLIENTS))


@pytest.mark.parametrize(
    "last",
    [
        [mark for mark in MARKS if mark != 7],
        [*MARKS, 7],
        [mark for mark in MARKS for _ in range(1 + (mark == 7))],
        list(MARKS)[:-1],
    ],
    ids=["lost", "repeated at the end", "twice", "cut off"],
)
async def test_a_client_that_differs_from_the_tape_is_found(last: list[int]) -> None:
    shared, followers = followers_of([list(MARKS)] * CLIENTS + [last])
    with pytest.raises(RuntimeError, match=r"not every event once|of 20 events clients got 19"):
        await check(shared, followers)


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ([mark for mark in MARKS if mark != 7], "1 were lost and 0 came twice"),
        ([*MARKS, 7], "0 were lost and 1 came twice"),
        ([*MARKS, 99], "1 were never written"),
    ],
)
async def test_a_tape_that_is_wrong_for_all_clients_is_found(marks: list[int], message: str) -> None:
    shared, followers = followers_of([marks] * CLIENTS)
    with pytest.raises(RuntimeError, match=message):
        tape.complete(shared, followers, written())


async def test_a_tape_that_is_too_late_or_too_early_is_found() -> None:
    shared, followers = followers_of([list(MARKS)] * CLIENTS)
    for at in (written(LATE + 1), written(-60)):
        with pytest.raises(RuntimeError, match=f"{CLIENTS} reads came too early or too late"):
            tape.complete(shared, followers, written() | {7: at[7]})
