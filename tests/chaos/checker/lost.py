"""A change that a client was to be sent, and was not: neither before the cursor that covers it nor, too late, after it."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import Examined
from tests.chaos.checker.truth import Change
from tests.chaos.model import Verdict


def lost(examined: Sequence[Examined]) -> Iterable[Verdict]:
    for each, change in missing(examined):
        if not came_late(examined, each, change):
            yield Verdict("lost", each.where, f"{describe(change)} was not sent before {each.window.until.text}")


def missing(examined: Iterable[Examined]) -> Iterable[tuple[Examined, Change]]:
    """What the cursor at the end of a window claims, and the window does not have."""
    for each in examined:
        told = {id(change) for change in each.told()}
        for change in each.required:
            if id(change) not in told:
                yield each, change


def came_late(examined: Iterable[Examined], where: Examined, change: Change) -> bool:
    """Whether it was sent at another time on the same stretch: then it is not lost, but its transaction was torn."""
    return any(match.change is change for each in examined if each.stretch is where.stretch for match in each.matches)


def describe(change: Change) -> str:
    what = f"{change.op} of {change.relation} {change.key}" + ("" if change.board is None else f" on {change.board}")
    return f"{what}, version {change.version}, seq {change.seq}, transaction {change.xid}"
