"""Verdict `inversion`: two changes of one row in the wrong order."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import Examined
from tests.chaos.checker.lost import describe
from tests.chaos.checker.truth import Change
from tests.chaos.model import Verdict


def inversion(examined: Sequence[Examined]) -> Iterable[Verdict]:
    """Check each row of each segment; repeated changes are the business of `duplicate`."""
    newest: dict[tuple[int, object], Change] = {}
    for each in examined:
        for match in each.matches:
            change = match.change
            if change is None or change.key is None or match.record.kind == "resync":
                continue
            row = id(each.segment), change.row
            before = newest.get(row)
            if before is not None and before.seq > change.seq and before.lost == change.lost:
                yield Verdict("inversion", each.where, f"{describe(change)} came after {describe(before)}")
            else:
                newest[row] = change
