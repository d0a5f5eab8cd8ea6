"""Verdict `stuck`: no client made progress although rows were written and the database was reachable."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from tests.chaos.checker.client_history import ClientHistory
from tests.chaos.checker.truth import Truth
from tests.chaos.model import Fault, Verdict

LONGEST = 10.0


def stuck(
    histories: Sequence[ClientHistory], truth: Truth, faults: Sequence[Fault], clock_offset: float
) -> Iterable[Verdict]:
    """`clock_offset` converts times of the journal to times of the database."""
    progress = sorted({at for history in histories for segment in history.segments for at, _ in segment.cursors})
    if not progress:
        if truth.changes:
            yield Verdict("stuck", "all clients", "no client ever received a cursor")
        return
    writes = sorted(change.at for change in truth.changes)
    for before, after in pairwise(progress):
        if after - before <= LONGEST:
            continue
        waited = [at for at in writes if before < at < after - LONGEST]
        disturbed = any(
            fault.began + clock_offset < after
            and (fault.ended is None or fault.ended + clock_offset + LONGEST > before)
            for fault in faults
        )
        if waited and not disturbed:
            yield Verdict(
                "stuck",
                "all clients",
                f"nothing was received for {after - before:.1f} s, though {len(waited)} rows were written",
            )
