"""Rows of what was told: few, however many the sweeps, and nothing lost between them."""

from types import SimpleNamespace
from typing import Any, cast

from db.changelog.positions import Seen
from feed.delivery.connections import DeliveryCounts
from feed.registry.delivery_journal import DeliveryJournal
from feed.wire.cursor import Cursor


class Hub(SimpleNamespace):
    """A tailer, its publisher and its connections, as far as sweeps are noted."""

    @property
    def publisher(self) -> "Hub":
        return self

    def __len__(self) -> int:
        return 3

    def take_counts(self) -> DeliveryCounts:
        return DeliveryCounts(2, 1, {f"b{self.head.anchor % 5}": 2})


def passes(times: int) -> tuple[DeliveryJournal, Any]:
    hub = cast(Any, Hub(read_at=0.0, head=Cursor("f", Seen(1), 0, "0" * 8)))
    journal = DeliveryJournal(hub, hub)
    for number in range(times):
        hub.previous_head = hub.head
        hub.read_at, hub.head = float(number), Cursor("f", Seen(number + 2), number, "0" * 8)
        journal.on_pass(10, 0)
        journal.on_pass(0, 0)
    return journal, hub


def test_each_sweep_has_its_row_where_they_are_few() -> None:
    rows = passes(16)[0].take()
    assert [(row.passes, row.events, row.cursor.anchor) for row in rows] == [(1, 10, number) for number in range(16)]


def test_neighbours_become_one_where_they_are_many() -> None:
    rows = passes(1000)[0].take()
    assert len(rows) <= 16
    assert (sum(row.passes for row in rows), sum(row.events for row in rows)) == (1000, 10_000)
    assert (sum(row.deliveries for row in rows), sum(row.late for row in rows)) == (2000, 1000)
    first = 0
    for row in rows:
        assert row.read_at == first
        assert row.since.seen.xmax == first + 1
        first += row.passes
        assert row.cursor.anchor == first - 1
    assert rows[0].boards == {f"b{number}": 2 for number in range(5)}


def test_what_cannot_be_written_is_kept_and_in_order() -> None:
    journal, hub = passes(16)
    kept = journal.take()
    assert journal.take() == []
    hub.previous_head, hub.read_at, hub.head = hub.head, 16.0, Cursor("f", Seen(18), 16, "0" * 8)
    journal.on_pass(10, 0)
    journal.restore(kept)
    rows = journal.take()
    assert len(rows) == 9
    assert [row.cursor.anchor for row in rows] == [1, 3, 5, 7, 9, 11, 13, 15, 16]
