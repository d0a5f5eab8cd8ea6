"""The tape: the bytes that all clients of one board receive, kept once. Each client (Follower) is compared with it byte for byte.

Invariant: a client's place on the tape is what it has received: everything before it, in order, nothing twice. Heartbeats are sent
to each client separately, between frames. A client that receives anything else has a `fault`. So a delivery costs the reader only
a comparison of bytes, and a hundred clients at a million deliveries a second measure the feed and not themselves.
"""

import asyncio
import re
import time
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

from tests.bench.checker import LATE
from tests.bench.stage import Stage
from tests.bench.wire import PING, PONG, frames, hello, upgrade
from tests.support.until import until

_MARK = re.compile(rb'"company": "(\d+)"')
_HEARTBEAT = b'{"type":"heartbeat"'
_LIVE = b'{"type":"presence_state"'
_PATIENCE = 60.0
_AT_ONCE = 50


class Tape:
    """`marks` are those of the events, in order; the frame of the nth event ends at `places[n]`."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.places = array("q")
        self.marks = array("q")
        self._ends = array("q", [0])

    def append(self, frame: bytes) -> None:
        self.data += frame
        self._ends.append(len(self.data))
        for found in _MARK.finditer(frame):
            self.places.append(len(self.data))
            self.marks.append(int(found[1]))

    def between(self, place: int) -> bool:
        """Return whether a frame ends here."""
        return self._ends[bisect_left(self._ends, place)] == place

    def agrees(self, place: int, data: bytes) -> int:
        """Return how many bytes, in complete frames, equal the tape from this place on."""
        same = place
        for end in self._ends[bisect_right(self._ends, place) :]:
            if end - place > len(data) or not self.data.startswith(data[same - place : end - place], same):
                break
            same = end
        return same - place

    def events_before(self, place: int, since: int = 0) -> int:
        """Return the number of events before a place."""
        return bisect_right(self.places, place, since)


class Follower(asyncio.Protocol):
    """One client, from the start of the tape: `times` of arrival (ns) and the `places` reached at these times."""

    def __init__(self, port: int, hello: bytes, tape: Tape) -> None:
        self._port = port
        self._hello = hello
        self._tape = tape
        self._buffer = b""
        self._upgraded = False
        self._following = False
        self._closed = False
        self._transport: asyncio.Transport | None = None
        self.place = 0
        self.times = array("q")
        self.places = array("q")
        self.live = asyncio.get_running_loop().create_future()
        self.fault: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, but not by its class
        self._transport.write(upgrade(self._port))

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        tape, place = self._tape, self.place
        if not self._buffer and self._following and tape.data.startswith(data, place):
            self.place = place + len(data)
        else:
            self._buffer += data
            self._parse()
        if self.place != place:
            self.times.append(now)
            self.places.append(self.place)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._closed:
            self.fault = self.fault or f"its connection ended: {error}"
        if not self.live.done():
            self.live.set_exception(error or ConnectionError("closed before it was live"))

    def close(self) -> None:
        self._closed = True
        if self._transport is not None:
            self._transport.close()

    def _send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _parse(self) -> None:
        if not self._upgraded:
            _, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self._upgraded, self._buffer = True, rest
            self._send(self._hello)
        while self._buffer and self.fault is None and (self._advance() or self._read_own_frame()):
            pass

    def _advance(self) -> bool:
        """Advance along the tape; return whether any data matched."""
        if not self._following:
            return False
        tape, buffered = self._tape, self._buffer
        limit = min(len(buffered), len(tape.data) - self.place)
        same = limit if tape.data.startswith(buffered[:limit], self.place) else tape.agrees(self.place, buffered)
        self.place += same
        self._buffer = buffered[same:]
        return same > 0

    def _read_own_frame(self) -> bool:
        """Handle a frame that is not on the tape (yet); return whether it was complete."""
        found = next(frames(self._buffer), None)
        if found is None:
            return False
        opcode, start, end = found
        frame, payload = self._buffer[:end], self._buffer[start:end]
        if opcode == PING:
            self._send(PONG)
        elif not self._following:
            if payload.startswith(_LIVE):
                self._following = True
                self.live.set_result(None)
        elif not self._tape.between(self.place) or (self.place < len(self._tape.data)) > payload.startswith(_HEARTBEAT):
            self.fault = f"it received something else than the others: {payload[:200]!r}"
        elif not payload.startswith(_HEARTBEAT):
            self._tape.append(frame)
            self.place += end
        self._buffer = self._buffer[end:]
        return True


@asynccontextmanager
async def following(on: Stage, count: int, **options: object) -> AsyncIterator[tuple[Tape, list[Follower]]]:
    """Connect this many live clients before the first event. If there are more clients than users, users have several."""
    tape, followers = Tape(), list[Follower]()
    try:
        for first in range(0, count, _AT_ONCE):
            people = [on.tokens[n % len(on.tokens)] for n in range(first, min(first + _AT_ONCE, count))]
            followers += await asyncio.gather(*(_follow(on.port, *person, tape, options) for person in people))
        yield tape, followers
    finally:
        for follower in followers:
            follower.close()


async def _follow(port: int, user: str, token: str, tape: Tape, options: Mapping[str, object]) -> Follower:
    loop = asyncio.get_running_loop()
    greeting = hello(user, token, **options)
    _, follower = await loop.create_connection(lambda: Follower(port, greeting, tape), "127.0.0.1", port)
    async with asyncio.timeout(_PATIENCE):
        await follower.live
    return follower


async def followed(tape: Tape, followers: Sequence[Follower], total: int, patience: float = _PATIENCE) -> None:
    """Wait until each client has received this many events. Raises RuntimeError if a client has a fault."""

    def all_received() -> bool:
        if fault := next((follower.fault for follower in followers if follower.fault), None):
            raise RuntimeError(f"not every event once: {fault}")
        return len(tape.marks) >= total and min(follower.place for follower in followers) >= tape.places[total - 1]

    try:
        await until(all_received, timeout=patience, what="the last event at every client")
    except AssertionError as error:
        counts = [tape.events_before(follower.place) for follower in followers]
        raise RuntimeError(f"of {total} events clients got {min(counts)} to {max(counts)}") from error


def complete(tape: Tape, followers: Sequence[Follower], written: Mapping[int, int], late: float = LATE) -> None:
    """Raise RuntimeError unless each client received exactly what was written (mark and time), each event once.

    Events must not arrive before their write, or more than `late` seconds after it.
    """
    counted = Counter(tape.marks)
    lost = len(written.keys() - counted.keys())
    foreign = len(counted.keys() - written.keys())
    twice = sum(count - 1 for count in counted.values())
    short = sum(follower.place != len(tape.data) or follower.fault is not None for follower in followers)
    strays = 0 if foreign else sum(_strays(tape, follower, written, late) for follower in followers)
    if lost or foreign or twice or short or strays:
        raise RuntimeError(
            f"not every event once: of {len(written)} events {lost} were lost and {twice} came twice, {foreign} were never "
            f"written; {short} of {len(followers)} clients did not get all of them, {strays} reads came too early or too late"
        )


def _strays(tape: Tape, follower: Follower, written: Mapping[int, int], late: float) -> int:
    """Count the reads whose first event, the one that waited longest, arrived too early or too late."""
    first = count = 0
    for at, place in zip(follower.times, follower.places, strict=True):
        last = tape.events_before(place, first)
        count += last > first and not 0 <= at - written[tape.marks[first]] <= late * 1e9
        first = last
    return count


def waits(tape: Tape, followers: Sequence[Follower], due: Mapping[int, int]) -> Counter[float]:
    """Count deliveries by latency in ms (rounded to 0.1) since their events were due, for the events in `due`."""
    times = array("q", (due.get(mark, -1) for mark in tape.marks))
    latencies: Counter[float] = Counter()
    for follower in followers:
        first = 0
        for at, place in zip(follower.times, follower.places, strict=True):
            last = tape.events_before(place, first)
            for time_due, count in Counter(times[first:last]).items():
                if time_due >= 0:
                    latencies[round((at - time_due) / 1e6, 1)] += count
            first = last
    return latencies


def quantile(counted: Counter[float], part: float) -> float:
    """Return the value that this fraction of all does not exceed."""
    remaining = part * counted.total()
    for value in sorted(counted):
        remaining -= counted[value]
        if remaining <= 0:
            return value
    raise RuntimeError("nothing was measured")
