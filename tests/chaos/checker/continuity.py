"""Verdict `false-continuity`: a client resumed from a cursor that cannot be resumed."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from tests.chaos.checker.client_history import ClientHistory
from tests.chaos.checker.examine import LATENESS, Examined
from tests.chaos.checker.truth import Truth
from tests.chaos.clients.cursor import Cursor, parse
from tests.chaos.model import Record, Verdict

GRACE = 1.0
_ASIDE = frozenset({"snapshot", "compare", "final", "connect"})
"""Records whose cursor was not just sent by the endpoint."""


def resumed_across_feeds(histories: Iterable[ClientHistory]) -> Iterable[Verdict]:
    """A cursor was followed by one of another feed, without a reset."""
    for history in histories:
        for segment in history.segments:
            for (_, before), (_, after) in pairwise(segment.cursors):
                if before.feed != after.feed:
                    text = f"{before.text} was resumed, and led to {after.text}, of another feed"
                    yield Verdict("false-continuity", history.client, text)


def resumed_from_an_old_feed(histories: Iterable[ClientHistory]) -> Iterable[Verdict]:
    """An endpoint resumed a cursor although it had sent cursors of a newer feed before.

    Polls and streams are separate: an API may poll the new primary before its feed follows the new log and resets its streams.
    """
    order: dict[str, int] = {}
    newest: dict[tuple[str, bool], tuple[int, float]] = {}
    for record in sorted((record for history in histories for record in history.records), key=lambda record: record.at):
        if record.cursor is None or record.kind in _ASIDE:
            continue
        order_number = order.setdefault(parse(record.cursor).feed, len(order))
        reader = record.endpoint, record.kind == "page"
        known, since = newest.get(reader, (-1, 0.0))
        if order_number > known:
            newest[reader] = order_number, record.at
        elif order_number < known and record.at > since + GRACE and _resumed(record):
            yield Verdict(
                "false-continuity", record.client, f"{record.endpoint} resumed {record.cursor}, of an old feed"
            )


def _resumed(record: Record) -> bool:
    return record.kind == "page" or (record.kind == "auth_success" and record.body["resume"] == "resumed")


def resumed_after_a_lost_tail(examined: Sequence[Examined], truth: Truth) -> Iterable[Verdict]:
    """A cursor covers changes that a promotion lost, and its segment continues after the promotion.

    Counts only cursors sent while the old primary was written to: those of the new one cover the ids of lost transactions too.
    """
    newest: dict[tuple[int, int], Cursor] = {}
    for each in examined:
        if each.window.at <= truth.ended(each.timeline) + LATENESS:
            newest[id(each.segment), each.timeline] = each.window.until
    for each in examined:
        for timeline in range(each.timeline):
            before = newest.pop((id(each.segment), timeline), None)
            lost = [
                change for change in truth.lost_in(timeline) if before is not None and before.covers_xid(change.xid)
            ]
            if before is not None and lost:
                text = f"{before.text} was resumed after the promotion that lost transaction {lost[0].xid}"
                yield Verdict("false-continuity", each.where, text)
