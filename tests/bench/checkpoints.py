"""The CPU time that checkpoints cost a feed: `python -m tests.bench.checkpoints`.

A real feed delivers 1,000 single-row writes a second to 100 clients, with and without checkpoints in turns. That result is too
noisy, so the work of checkpoints is also measured by itself (updating the hash, sending to the same number of clients) and given
as a fraction of the feed's CPU time.
"""

import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, islice

import uvloop
from rich.console import Console

from db.changelog.changes import Change
from db.changelog.positions import Seen
from feed.delivery.connections import Connections
from feed.delivery.subscription import Subscription
from feed.integrity.board_hash import BoardHash
from feed.telemetry.metrics import Metrics
from feed.wire.close_codes import CloseReason
from feed.wire.cursor import Cursor
from feed.wire.encoding import WEBSOCKET
from feed.wire.event import message
from feed.wire.principal import Principal
from tests.bench import load
from tests.bench.cores import apart
from tests.bench.stage import Stage, stage
from tests.bench.tape import complete, followed, following

CLIENTS, RATE, EVERY = 100, 1000, 10.0
"""Clients of one board, its changes per second, and seconds between checkpoints."""
ROUNDS = 2


class Sink:
    def write(self, data: bytes) -> None:
        pass

    def pending(self) -> int:
        return 0

    async def drained(self) -> None:
        pass

    def close(self, reason: CloseReason, last: bytes) -> None:
        pass

    def abort(self) -> None:
        pass


def changes() -> Iterator[Change]:
    at = datetime(2026, 11, 24, 9, 30, 0, 123456, tzinfo=UTC)
    body = (
        '{"title": "A deal", "phase": "won", "last_sync_at": "2026-11-24T09:30:00.123456+00:00", "version_number": 7}'
    )
    for seq in count(1):
        key = f"0189f4e2-7c1d-7f3a-9b44-6a1f0c2d{seq % 500:04x}"
        version = seq // 500 + 2
        yield Change(
            seq,
            seq,
            at,
            "opportunities",
            "update",
            key,
            "b1",
            version,
            "ana",
            None,
            None,
            body,
            "new",
            "won",
            None,
            None,
            1,
            True,
        )


def send_checkpoint(connections: Connections, board_hash: BoardHash) -> None:
    counted, hashed = board_hash.held
    body = message("checkpoint", boardId="b1", count=counted, hash=hashed, cursor="feed.1.1..1.00000000")
    connections.send_to_boards("checkpoint", dict.fromkeys(connections.watched({"b1"}), body), "feed.1.1..1.00000000")


def measure_alone(rounds: int = 20) -> tuple[float, float]:
    """Return the CPU seconds to apply a change to the hash, and to send a checkpoint."""
    connections, source, board_hash = connected_clients(), changes(), BoardHash()
    applying: list[float] = []
    sending: list[float] = []
    for _ in range(rounds):
        batch = list(islice(source, RATE))
        began = time.process_time()
        for change in batch:
            board_hash.apply(change)
        applying.append((time.process_time() - began) / RATE)
        began = time.process_time()
        for _ in range(100):
            send_checkpoint(connections, board_hash)
        sending.append((time.process_time() - began) / 100)
    return statistics.median(applying), statistics.median(sending)


def connected_clients() -> Connections:
    connections = Connections(Metrics(), lambda _: None)
    start = Cursor("feed", Seen(1), 0, "00000000")
    for number in range(CLIENTS):
        principal = Principal(f"u{number}", "A user", time.time() + 3600)
        one = Subscription(principal, WEBSOCKET, Sink(), None, start, budget=2**20)
        one.set_visible(frozenset({"b1"}))
        connections.add(one)
        connections.go_live(one)
    return connections


async def measure_core(on: Stage, every: float) -> float:
    """Return the feed's share of a core."""
    seconds = on.lasting(6)
    async with on.feed(checkpoint_interval=str(every)) as feed, following(on, CLIENTS) as (tape, followers):
        with apart(feed.pid):
            cpu, begin = feed.cpu(), time.monotonic()
            written = await load.write(on.url, count=RATE * seconds, rate=RATE, writers=16, size=1)
            await followed(tape, followers, len(written))
            used = (feed.cpu() - cpu) / (time.monotonic() - begin)
    complete(tape, followers, {one.mark: one.due for one in written})
    return used


async def main(on: Stage) -> None:
    show = Console(highlight=False).print
    applying, sending = measure_alone()
    cores: dict[float, list[float]] = {every: [] for every in (0.0, EVERY)}
    for _ in range(ROUNDS):
        for every, found in cores.items():
            found.append(await measure_core(on, every))
    without, with_them = (statistics.median(found) for found in cores.values())
    show(f"the feed's share of a core: {without:.1%} without checkpoints, {with_them:.1%} with one each {EVERY:g} s")
    show(f"updating the hash: {applying * 1e6:.2f} us per change; sending to {CLIENTS} clients: {sending * 1e6:.0f} us")
    show(f"both: {(applying * RATE + sending / EVERY) / without:.2%} of the feed's CPU time without checkpoints")


if __name__ == "__main__":
    with stage() as on:
        uvloop.run(main(on))
