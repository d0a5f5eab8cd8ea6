"""Nobody got anywhere, though something was written and the database could be reached."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from tests.chaos.checker.stretches import Life
from tests.chaos.checker.truth import Truth
from tests.chaos.model import Fault, Verdict

LONGEST = 10.0


def stuck(lives: Sequence[Life], truth: Truth, faults: Sequence[Fault], wall: float) -> Iterable[Verdict]:
    """`wall` is what leads from the times of the journal to those of the database."""
    progress = sorted({at for life in lives for stretch in life.stretches for at, _ in stretch.cursors})
    if not progress:
        if truth.changes:
            yield Verdict("stuck", "everybody", "no client ever got a cursor")
        return
    writes = sorted(change.at for change in truth.changes)
    for before, after in pairwise(progress):
        if after - before <= LONGEST:
            continue
        waited = [at for at in writes if before < at < after - LONGEST]
        disturbed = any(
            fault.began + wall < after and (fault.ended is None or fault.ended + wall + LONGEST > before)
            for fault in faults
        )
        if waited and not disturbed:
            yield Verdict(
                "stuck", "everybody", f"nothing came for {after - before:.1f} s, though {len(waited)} rows were written"
            )
