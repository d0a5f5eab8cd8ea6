"""Checks that every client got every event once; otherwise the run has no figures.

Invariant: `complete` raises if an event was lost, arrived twice, arrived before its write or more than LATE after it, or was
never written.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from tests.support.until import until

LATE = 10.0
"""Seconds after which a live event counts as lost."""
_PATIENCE = 20.0


class Got(Protocol):
    """A client: its events as (time of arrival in ns, marks of the writes), and whether its connection was lost."""

    got: list[tuple[int, tuple[int, ...]]]
    lost: bool


async def arrived(clients: Sequence[Got], total: int, patience: float = _PATIENCE) -> None:
    """Wait until each client has received this many events."""

    def counts() -> list[int]:
        return [sum(len(marks) for _, marks in client.got) for client in clients]

    try:
        await until(lambda: min(counts()) >= total, timeout=patience, what="the last event at every client")
    except AssertionError as error:
        lost = sum(client.lost for client in clients)
        raise RuntimeError(
            f"of {total} events clients got {min(counts())} to {max(counts())}; {lost} were closed"
        ) from error


def complete(clients: Sequence[Got], written: Mapping[int, int], late: float = LATE) -> None:
    """Compare the events with the writes: the mark of each, and its time in ns of the clients' clock."""
    lost = twice = foreign = strays = 0
    for client in clients:
        count = Counter(mark for _, marks in client.got for mark in marks)
        lost += len(written.keys() - count.keys())
        twice += sum(n - 1 for n in count.values())
        foreign += len(count.keys() - written.keys())
        strays += sum(
            not 0 <= at - written[mark] <= late * 1e9 for at, marks in client.got for mark in marks if mark in written
        )
    if lost or twice or foreign or strays:
        raise RuntimeError(
            f"not every event once at {len(clients)} clients: {lost} were lost, {twice} came twice, "
            f"{strays} came too early or too late, {foreign} were never written"
        )
