"""Continuity where there is none: a client that went on from a cursor which nobody can go on from."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from tests.chaos.checker.examine import LATENESS, Examined
from tests.chaos.checker.stretches import Life
from tests.chaos.checker.truth import Truth
from tests.chaos.clients.cursor import Cursor, parse
from tests.chaos.model import Record, Verdict

LONG = 1.0
_ASIDE = frozenset({"snapshot", "compare", "final", "connect"})
"""Records whose cursor has not come from the endpoint just now."""


def of_another_feed(lives: Iterable[Life]) -> Iterable[Verdict]:
    """A cursor that led to one of another feed without a reset."""
    for life in lives:
        for stretch in life.stretches:
            for (_, before), (_, after) in pairwise(stretch.cursors):
                if before.feed != after.feed:
                    text = f"{before.text} was resumed, and led to {after.text}, of another feed"
                    yield Verdict("false-continuity", life.client, text)


def of_an_old_feed(lives: Iterable[Life]) -> Iterable[Verdict]:
    """A cursor that was resumed by an endpoint which had given out cursors of a newer feed a while before.

    Polls and streams apart: an API may read the new primary before its feed follows the new log, and then resets its streams.
    """
    order: dict[str, int] = {}
    newest: dict[tuple[str, bool], tuple[int, float]] = {}
    for record in sorted((record for life in lives for record in life.records), key=lambda record: record.at):
        if record.cursor is None or record.kind in _ASIDE:
            continue
        place = order.setdefault(parse(record.cursor).feed, len(order))
        reader = record.endpoint, record.kind == "page"
        known, since = newest.get(reader, (-1, 0.0))
        if place > known:
            newest[reader] = place, record.at
        elif place < known and record.at > since + LONG and _resumed(record):
            yield Verdict(
                "false-continuity", record.client, f"{record.endpoint} resumed {record.cursor}, of an old feed"
            )


def _resumed(record: Record) -> bool:
    return record.kind == "page" or (record.kind == "auth_success" and record.body["resume"] == "resumed")


def of_a_lost_tail(examined: Sequence[Examined], truth: Truth) -> Iterable[Verdict]:
    """A cursor that covers what a promotion has lost, on a stretch that goes on after it.

    Only one that came while the old primary was still written to: the new one's cover the numbers of what is lost, too.
    """
    newest: dict[tuple[int, int], Cursor] = {}
    for each in examined:
        if each.window.at <= truth.ended(each.era) + LATENESS:
            newest[id(each.stretch), each.era] = each.window.until
    for each in examined:
        for era in range(each.era):
            before = newest.pop((id(each.stretch), era), None)
            gone = [change for change in truth.lost_in(era) if before is not None and before.covers_xid(change.xid)]
            if before is not None and gone:
                text = f"{before.text} was resumed after the promotion that lost transaction {gone[0].xid}"
                yield Verdict("false-continuity", each.where, text)
