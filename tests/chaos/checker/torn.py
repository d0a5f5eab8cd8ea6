"""A transaction of which a client applied a part: its cursor came before all of it, or some of it came before its cursor."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import Examined
from tests.chaos.checker.lost import came, describe, missing
from tests.chaos.model import Verdict


def torn(examined: Sequence[Examined]) -> Iterable[Verdict]:
    late = came(examined)
    for each, change in missing(examined):
        if (id(each.stretch), id(change)) in late:
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
