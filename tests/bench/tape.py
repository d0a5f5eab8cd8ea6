"""The tape: what the clients of one board are written, kept once. A client of it (Follower) is compared with it byte for byte.

Invariant: a client's place on the tape is what it has been told: all of it, in the tape's order, nothing twice. Heartbeats are
each client's own, and stand between frames. Whoever is told anything else has a `fault`. So a delivery costs the reader the
comparison of its bytes, and a hundred clients at a million deliveries a second measure the feed and not themselves.
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
    """`marks` are those of the events told, in order; the frame of the nth ends at `places[n]`."""

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
        """Whether a frame ends here."""
        return self._ends[bisect_left(self._ends, place)] == place

    def agrees(self, place: int, data: bytes) -> int:
        """How many bytes, up to the end of a frame, are as on the tape from this place on."""
        same = place
        for end in self._ends[bisect_right(self._ends, place) :]:
            if end - place > len(data) or not self.data.startswith(data[same - place : end - place], same):
                break
            same = end
        return same - place

    def told(self, place: int, since: int = 0) -> int:
        """How many events lie before a place."""
        return bisect_right(self.places, place, since)


class Follower(asyncio.Protocol):
    """One client, from the tape's beginning. `times` of arrival (ns) and the `places` reached then are kept in step."""

    def __init__(self, port: int, hello: bytes, tape: Tape) -> None:
        self._port = port
        self._hello = hello
        self._tape = tape
        self._held = b""
        self._upgraded = False
        self._following = False
        self._left = False
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
        if not self._held and self._following and tape.data.startswith(data, place):
            self.place = place + len(data)
        else:
            self._held += data
            self._take()
        if self.place != place:
            self.times.append(now)
            self.places.append(self.place)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._left:
            self.fault = self.fault or f"its connection ended: {error}"
        if not self.live.done():
            self.live.set_exception(error or ConnectionError("closed before it was live"))

    def close(self) -> None:
        self._left = True
        if self._transport is not None:
            self._transport.close()

    def _say(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _take(self) -> None:
        if not self._upgraded:
            _, end, rest = self._held.partition(b"\r\n\r\n")
            if not end:
                return
            self._upgraded, self._held = True, rest
            self._say(self._hello)
        while self._held and self.fault is None and (self._go_on() or self._own()):
            pass

    def _go_on(self) -> bool:
        """Follow the tape; whether there was anything of it."""
        if not self._following:
            return False
        tape, held = self._tape, self._held
        most = min(len(held), len(tape.data) - self.place)
        same = most if tape.data.startswith(held[:most], self.place) else tape.agrees(self.place, held)
        self.place += same
        self._held = held[same:]
        return same > 0

    def _own(self) -> bool:
        """Take a frame that is not on the tape, or not yet; whether it was all there."""
        found = next(frames(self._held), None)
        if found is None:
            return False
        opcode, start, end = found
        frame, payload = self._held[:end], self._held[start:end]
        if opcode == PING:
            self._say(PONG)
        elif not self._following:
            if payload.startswith(_LIVE):
                self._following = True
                self.live.set_result(None)
        elif not self._tape.between(self.place) or (self.place < len(self._tape.data)) > payload.startswith(_HEARTBEAT):
            self.fault = f"it was told something else than the others: {payload[:200]!r}"
        elif not payload.startswith(_HEARTBEAT):
            self._tape.append(frame)
            self.place += end
        self._held = self._held[end:]
        return True


@asynccontextmanager
async def following(on: Stage, count: int, **options: object) -> AsyncIterator[tuple[Tape, list[Follower]]]:
    """So many clients, live before the first event. Where they are more than people, one has several tabs."""
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
    """Wait until each client has been told so many events. Raises RuntimeError where one was told something else."""

    def all_told() -> bool:
        if fault := next((follower.fault for follower in followers if follower.fault), None):
            raise RuntimeError(f"not every event once: {fault}")
        return len(tape.marks) >= total and min(follower.place for follower in followers) >= tape.places[total - 1]

    try:
        await until(all_told, timeout=patience, what="the last event at every client")
    except AssertionError as error:
        told = [tape.told(follower.place) for follower in followers]
        raise RuntimeError(f"of {total} events clients got {min(told)} to {max(told)}") from error


def complete(tape: Tape, followers: Sequence[Follower], written: Mapping[int, int], late: float = LATE) -> None:
    """Raise RuntimeError unless each client was told what was written (its mark, and when), each event once, and no other.

    Nor may it have come before it was written, or so many seconds later.
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
            f"written; {short} of {len(followers)} clients were not told all of it, {strays} reads came too early or too late"
        )


def _strays(tape: Tape, follower: Follower, written: Mapping[int, int], late: float) -> int:
    """How many reads brought a first event, the one that waited longest, at a time at which it cannot have come or should not."""
    first = count = 0
    for at, place in zip(follower.times, follower.places, strict=True):
        last = tape.told(place, first)
        count += last > first and not 0 <= at - written[tape.marks[first]] <= late * 1e9
        first = last
    return count


def waits(tape: Tape, followers: Sequence[Follower], due: Mapping[int, int]) -> Counter[float]:
    """How many deliveries took how long, in ms (to 0.1) since their events were due; without events that are not in `due`."""
    times = array("q", (due.get(mark, -1) for mark in tape.marks))
    took: Counter[float] = Counter()
    for follower in followers:
        first = 0
        for at, place in zip(follower.times, follower.places, strict=True):
            last = tape.told(place, first)
            for time_due, count in Counter(times[first:last]).items():
                if time_due >= 0:
                    took[round((at - time_due) / 1e6, 1)] += count
            first = last
    return took


def quantile(counted: Counter[float], part: float) -> float:
    """The value that this part of all does not exceed."""
    left = part * counted.total()
    for value in sorted(counted):
        left -= counted[value]
        if left <= 0:
            return value
    raise RuntimeError("nothing was measured")
