"""Verdict `duplicate`: a change was sent twice on a connection, or to a client whose cursor already covered it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.chaos.checker.client_history import ClientHistory
from tests.chaos.checker.examine import Examined
from tests.chaos.checker.lost import describe, missing
from tests.chaos.checker.phantom import shortened
from tests.chaos.model import Verdict


def sent_twice(histories: Iterable[ClientHistory]) -> Iterable[Verdict]:
    for history in histories:
        sent: defaultdict[int, set[tuple[object, ...]]] = defaultdict(set)
        for record in history.records:
            if "seq" not in record.body:
                continue
            key = tuple(record.body.get(name) for name in ("seq", "xid", "boardId", "timestamp"))
            if key in sent[record.connection]:
                where = f"{history.client} ({record.transport} of {record.endpoint}, connection {record.connection})"
                yield Verdict("duplicate", where, f"sent twice: {shortened(record.body)}")
            sent[record.connection].add(key)


def applied_twice(examined: Sequence[Examined]) -> Iterable[Verdict]:
    late = {id(change) for _, change in missing(examined)}
    for each in examined:
        for match in each.matches:
            change = match.change
            if change is not None and each.window.since.covers_xid(change.xid) and id(change) not in late:
                text = f"{describe(change)} came after {each.window.since.text}, which covers it"
                yield Verdict("duplicate", each.where, text)
