"""Verdict `torn`: a client applied only a part of a transaction at a cursor."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import Examined
from tests.chaos.checker.lost import delivered_pairs, describe, missing
from tests.chaos.model import Verdict


def torn(examined: Sequence[Examined]) -> Iterable[Verdict]:
    late = delivered_pairs(examined)
    for each, change in missing(examined):
        if (id(each.segment), id(change)) in late:
            yield Verdict(
                "torn",
                each.where,
                f"{describe(change)} was not sent with the cursor {each.window.until.text} that covers it",
            )
    for each in examined:
        for match in each.matches:
            if match.change is not None and not each.window.until.covers_xid(match.change.xid):
                text = f"{describe(match.change)} was applied at {each.window.until.text}, which does not cover it"
                yield Verdict("torn", each.where, text)
