"""Verdict `lost`: a change that had to be sent was sent neither before the cursor that covers it nor later."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import Examined
from tests.chaos.checker.truth import Change
from tests.chaos.model import Verdict


def lost(examined: Sequence[Examined]) -> Iterable[Verdict]:
    late = delivered_pairs(examined)
    for each, change in missing(examined):
        if (id(each.segment), id(change)) not in late:
            yield Verdict("lost", each.where, f"{describe(change)} was not sent before {each.window.until.text}")


def missing(examined: Iterable[Examined]) -> Iterable[tuple[Examined, Change]]:
    """Changes that the cursor at the end of a window covers, but that the window lacks."""
    for each in examined:
        delivered = each.delivered()
        for change in each.required:
            if id(change) not in delivered:
                yield each, change


def delivered_pairs(examined: Iterable[Examined]) -> set[tuple[int, int]]:
    """The pairs of segment and delivered change. A late change is not lost, but its transaction was torn."""
    return {
        (id(each.segment), id(match.change)) for each in examined for match in each.matches if match.change is not None
    }


def describe(change: Change) -> str:
    what = f"{change.op} of {change.relation} {change.key}" + ("" if change.board is None else f" on {change.board}")
    return f"{what}, version {change.version}, seq {change.seq}, transaction {change.xid}"
