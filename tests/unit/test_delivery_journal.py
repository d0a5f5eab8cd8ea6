"""The delivery journal keeps a bounded number of rows, however many read passes, and no pass is lost."""

from types import SimpleNamespace
from typing import Any, cast

from db.changelog.positions import Seen
from feed.delivery.connections import DeliveryCounts
from feed.registry.delivery_journal import DeliveryJournal
from feed.wire.cursor import Cursor


class FakeTailer(SimpleNamespace):
    """Tailer, publisher and connections in one, with just what the journal reads."""

    @property
    def publisher(self) -> "FakeTailer":
        return self

    def __len__(self) -> int:
        return 3

    def take_counts(self) -> DeliveryCounts:
        return DeliveryCounts(2, 1, {f"b{self.head.anchor % 5}": 2})


def passes(times: int) -> tuple[DeliveryJournal, Any]:
    tailer = cast(Any, FakeTailer(read_at=0.0, head=Cursor("f", Seen(1), 0, "0" * 8)))
    journal = DeliveryJournal(tailer, tailer)
    for number in range(times):
        tailer.previous_head = tailer.head
        tailer.read_at, tailer.head = float(number), Cursor("f", Seen(number + 2), number, "0" * 8)
        journal.on_pass(10, 0)
        journal.on_pass(0, 0)
    return journal, tailer


def test_a_few_passes_have_a_row_each() -> None:
    rows = passes(16)[0].take()
    assert [(row.reads, row.events, Cursor.parse(row.cursor).anchor) for row in rows] == [
        (1, 10, number) for number in range(16)
    ]


def test_many_passes_are_merged_into_few_rows() -> None:
    rows = passes(1000)[0].take()
    assert len(rows) <= 16
    assert (sum(row.reads for row in rows), sum(row.events for row in rows)) == (1000, 10_000)
    assert (sum(row.deliveries for row in rows), sum(row.late for row in rows)) == (2000, 1000)
    first = 0
    for row in rows:
        assert row.read_at == first
        assert Cursor.parse(row.since).seen.xmax == first + 1
        first += row.reads
        assert Cursor.parse(row.cursor).anchor == first - 1
    assert rows[0].boards == {f"b{number}": 2 for number in range(5)}


def test_restored_rows_keep_their_order() -> None:
    journal, tailer = passes(16)
    kept = journal.take()
    assert journal.take() == []
    tailer.previous_head, tailer.read_at, tailer.head = tailer.head, 16.0, Cursor("f", Seen(18), 16, "0" * 8)
    journal.on_pass(10, 0)
    journal.restore(kept)
    rows = journal.take()
    assert len(rows) == 9
    assert [Cursor.parse(row.cursor).anchor for row in rows] == [1, 3, 5, 7, 9, 11, 13, 15, 16]
