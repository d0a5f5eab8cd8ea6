"""Rows of what was told: few, however many the sweeps, and nothing lost between them."""

from types import SimpleNamespace
from typing import Any, cast

from db.changelog import Seen
from feed.delivery.connections import Tally
from feed.registry.delivery_journal import DeliveryJournal
from feed.wire.cursor import Cursor


class Hub(SimpleNamespace):
    """A tailer, its publisher and its connections, as far as sweeps are noted."""

    @property
    def publisher(self) -> "Hub":
        return self

    def __len__(self) -> int:
        return 3

    def count(self) -> Tally:
        return Tally(2, 1, {f"b{self.cursor.anchor % 5}": 2})


def swept(times: int) -> tuple[DeliveryJournal, Any]:
    hub = cast(Any, Hub(read=0.0, cursor=Cursor("f", Seen(1), 0, "0" * 8)))
    journal = DeliveryJournal(hub, hub)
    for number in range(times):
        hub.since = hub.cursor
        hub.read, hub.cursor = float(number), Cursor("f", Seen(number + 2), number, "0" * 8)
        journal.swept(10, 0)
        journal.swept(0, 0)
    return journal, hub


def test_each_sweep_has_its_row_where_they_are_few() -> None:
    rows = swept(16)[0].take()
    assert [(row.sweeps, row.events, row.cursor.anchor) for row in rows] == [(1, 10, number) for number in range(16)]


def test_neighbours_become_one_where_they_are_many() -> None:
    rows = swept(1000)[0].take()
    assert len(rows) <= 16
    assert (sum(row.sweeps for row in rows), sum(row.events for row in rows)) == (1000, 10_000)
    assert (sum(row.deliveries for row in rows), sum(row.late for row in rows)) == (2000, 1000)
    first = 0
    for row in rows:
        assert row.read == first
        assert row.since.seen.xmax == first + 1
        first += row.sweeps
        assert row.cursor.anchor == first - 1
    assert rows[0].boards == {f"b{number}": 2 for number in range(5)}


def test_what_cannot_be_written_is_kept_and_in_order() -> None:
    journal, hub = swept(16)
    kept = journal.take()
    assert journal.take() == []
    hub.since, hub.read, hub.cursor = hub.cursor, 16.0, Cursor("f", Seen(18), 16, "0" * 8)
    journal.swept(10, 0)
    journal.give_back(kept)
    rows = journal.take()
    assert len(rows) == 9
    assert [row.cursor.anchor for row in rows] == [1, 3, 5, 7, 9, 11, 13, 15, 16]
