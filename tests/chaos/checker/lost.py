"""A change that a client was to be sent, and was not: neither before the cursor that covers it nor, too late, after it."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import Examined
from tests.chaos.checker.truth import Change
from tests.chaos.model import Verdict


def lost(examined: Sequence[Examined]) -> Iterable[Verdict]:
    late = came(examined)
    for each, change in missing(examined):
        if (id(each.stretch), id(change)) not in late:
            yield Verdict("lost", each.where, f"{describe(change)} was not sent before {each.window.until.text}")


def missing(examined: Iterable[Examined]) -> Iterable[tuple[Examined, Change]]:
    """What the cursor at the end of a window claims, and the window does not have."""
    for each in examined:
        told = each.told()
        for change in each.required:
            if id(change) not in told:
                yield each, change


def came(examined: Iterable[Examined]) -> set[tuple[int, int]]:
    """Which change came on which stretch, at whatever time: late, it is not lost, but its transaction was torn."""
    return {
        (id(each.stretch), id(match.change)) for each in examined for match in each.matches if match.change is not None
    }


def describe(change: Change) -> str:
    what = f"{change.op} of {change.relation} {change.key}" + ("" if change.board is None else f" on {change.board}")
    return f"{what}, version {change.version}, seq {change.seq}, transaction {change.xid}"
