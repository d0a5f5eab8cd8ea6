"""Runs boardcast and its peers under the same two loads, with the same clients and checks.

A burst is that of scenarios/burst.py: many writers write single rows as fast as they can. It measures the CPU time (user and
kernel) of the process that serves the clients, from the first write to the last delivery, without PostgreSQL, the writers and other
processes of a peer. A steady load follows a schedule, and each write is timed from when it was due.
"""

from dataclasses import dataclass, field

from tests.bench.checker import arrived, complete
from tests.bench.cores import apart
from tests.bench.peer import Serving
from tests.bench.reader import Reader, connect_as

BURST_WRITERS = 16
STEADY_WRITERS = 4
_PATIENCE = 40.0
_WARM = 1.0
"""Seconds at the start of a steady load that are not counted."""


@dataclass(frozen=True)
class Run:
    """The result of one load. `waits`: ms from when a write was due until a client had it. `beside`: CPU of a helper process."""

    deliveries: int
    cpu: float
    beside: float
    waits: list[float] = field(repr=False)
    fault: str = ""


async def burst(serving: Serving, clients: int, writes: int) -> Run:
    return await _load(serving, clients, writes, BURST_WRITERS)


async def steady(serving: Serving, clients: int, rate: int, seconds: int) -> Run:
    return await _load(serving, clients, int(rate * (_WARM + seconds)), STEADY_WRITERS, rate, _WARM)


async def _load(serving: Serving, clients: int, writes: int, writers: int, rate: int = 0, warm: float = 0) -> Run:
    """Run a load. A fault of boardcast raises, that of a peer is recorded."""
    readers = await connect_as(serving.port, serving.dialects[:clients])
    try:
        with apart(serving.process.pid):
            cpu, beside = serving.cpu()
            written = await serving.write(writes, rate, writers)
            fault = await _fault(serving, readers, {one.mark: one.due for one in written})
            cpu, beside = (now - before for now, before in zip(serving.cpu(), (cpu, beside), strict=True))
    finally:
        for reader in readers:
            reader.close()
    begin = min(one.due for one in written) + int(warm * 1e9)
    due = {one.mark: one.due for one in written if one.due >= begin}
    waits = [(at - due[mark]) / 1e6 for reader in readers for at, marks in reader.got for mark in marks if mark in due]
    return Run(sum(len(marks) for reader in readers for _, marks in reader.got), cpu, beside, waits, fault)


async def _fault(serving: Serving, readers: list[Reader], written: dict[int, int]) -> str:
    """Return what went wrong, or nothing if every client got every event once."""
    try:
        await arrived(readers, len(written), _PATIENCE)
        complete(readers, written, late=2 * _PATIENCE)
    except RuntimeError as error:
        if serving.ours:
            raise
        return str(error)
    return ""
