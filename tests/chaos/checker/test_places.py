"""What is said of cursors, resets, snapshots and checkpoints, and of what clients hold."""

from itertools import count

import pytest

from tests.chaos.checker.made import Client, History, Scene, cursor
from tests.chaos.checker.truth import Change, Discarded
from tests.chaos.model import Transaction


@pytest.fixture
def scene() -> Scene:
    """With o1 and o2 on b1, sent."""
    made = Scene()
    changes = made.history.create(101, "o1"), made.history.create(101, "o2")
    made.client.send(*changes, at=cursor(102))
    return made


def rows(scene: Scene) -> list[dict[str, object]]:
    return list(scene.history.rows.values())


def test_a_cursor_that_goes_back_on_a_connection(scene: Scene) -> None:
    scene.client.say("heartbeat", cursor(101))
    assert scene.kinds() == {"cursor"}


def test_a_cursor_that_goes_back_with_its_transactions_in_progress(scene: Scene) -> None:
    scene.client.say("heartbeat", cursor(103, 101))
    assert scene.kinds() == {"cursor"}


def test_a_reset_that_says_where_it_begins_twice(scene: Scene) -> None:
    scene.fault("foreign")
    scene.client.connect(cursor(102))
    scene.client.say("auth_success", cursor(102), resume="reset", boards=[])
    assert scene.kinds() == {"cursor"}


def test_a_reset_needs_a_fault_that_explains_it(scene: Scene) -> None:
    scene.client.connect(cursor(102), resume="reset")
    scene.client.say("reset", cursor(102), reason="diverged")
    assert scene.kinds() == {"spurious-reset"}
    scene.fault("foreign")
    assert scene.kinds() == {"spurious-reset"}
    scene.fault("diverged")
    assert scene.kinds() == set()


def test_a_fault_does_not_explain_a_reset_of_a_cursor_that_was_given_out_long_after_it(scene: Scene) -> None:
    scene.fault("diverged")
    scene.history.now += 60
    scene.client.say("heartbeat", cursor(103))
    scene.client.connect(cursor(103), resume="reset")
    scene.client.say("reset", cursor(103), reason="diverged")
    assert scene.kinds() == {"spurious-reset"}


def test_a_slow_reader_gets_its_cursor_long_after_the_fault(scene: Scene) -> None:
    changed = scene.history.update(102, "o1", "x")
    scene.fault("diverged")
    scene.history.now += 60
    scene.client.send(changed, at=cursor(103))
    scene.client.say("reset", cursor(103), reason="diverged")
    assert scene.kinds() == set()


def test_a_live_beginning_for_one_who_came_with_a_cursor(scene: Scene) -> None:
    scene.client.say("connect", cursor(102), boards=None)
    scene.client.say("auth_success", cursor(102), resume="live", boards=["b1"])
    assert scene.kinds() == {"spurious-reset"}


def test_a_cursor_of_another_feed_that_is_resumed(scene: Scene) -> None:
    scene.client.connect(cursor(102))
    scene.client.say("heartbeat", cursor(103, feed="f2"))
    assert scene.kinds() == {"false-continuity"}


def test_a_cursor_of_an_old_feed_that_is_resumed(scene: Scene) -> None:
    other = Client(scene.journal, scene.history, "other")
    other.connect(cursor(102, feed="f2"), resume="live")
    scene.client.connect(cursor(102))
    assert scene.kinds() == set()
    scene.history.now += 5
    scene.client.connect(cursor(102))
    assert scene.kinds() == {"false-continuity"}


def _lost_tail(scene: Scene) -> tuple[Discarded, Change]:
    """An update that was sent, and lost in a promotion."""
    history = scene.history
    kept_entries, kept_changes, kept_rows = len(history.entries), len(history.changes), dict(history.rows)
    gone = history.update(102, "o1", "lost")
    scene.client.send(gone, at=cursor(103))
    lost = Change(**{**vars(gone), "lost": True})
    discarded = Discarded(history.entries[kept_entries:], [lost], history.now, gone.at)
    del history.entries[kept_entries:], history.changes[kept_changes:]
    history.rows = kept_rows
    return discarded, gone


def test_a_lost_tail_that_was_sent_is_no_phantom(scene: Scene) -> None:
    discarded, _ = _lost_tail(scene)
    scene.fault("diverged", "lost-tail")
    scene.history.now += 5
    scene.client.connect(cursor(103), resume="reset")
    scene.client.say("reset", cursor(102), reason="diverged")
    assert scene.kinds([discarded]) == set()


def test_a_client_that_has_seen_the_lost_tail_must_not_go_on(scene: Scene) -> None:
    discarded, _ = _lost_tail(scene)
    scene.fault("diverged", "lost-tail")
    scene.history.now += 5
    scene.client.connect(cursor(103))
    scene.client.say("heartbeat", cursor(103))
    scene.client.send(scene.history.update(103, "o2", "x"), at=cursor(104))
    assert scene.kinds([discarded]) == {"false-continuity"}


def test_a_client_that_has_not_seen_the_lost_tail_may_go_on(scene: Scene) -> None:
    discarded, _ = _lost_tail(scene)
    other = Client(scene.journal, scene.history, "other")
    other.connect(cursor(102), resume="live")
    scene.journal.records[:] = [record for record in scene.journal.records if record.client == "other"]
    scene.fault("diverged", "lost-tail")
    scene.history.now += 5
    other.connect(cursor(102))
    other.send(scene.history.update(102, "o2", "another transaction 102"), at=cursor(103))
    assert scene.kinds([discarded]) == set()


def test_a_change_with_the_numbers_of_a_lost_one_is_itself(scene: Scene) -> None:
    discarded, gone = _lost_tail(scene)
    scene.fault("diverged", "lost-tail")
    scene.history.now += 5
    scene.client.connect(cursor(103), resume="reset")
    scene.client.say("reset", cursor(102), reason="diverged")
    scene.history.seqs, scene.history.tag = count(gone.seq), "again"
    kept = scene.history.update(102, "o1", "kept")
    assert (kept.seq, kept.xid, kept.version) == (gone.seq, gone.xid, gone.version)
    scene.client.send(kept, at=cursor(103))
    assert scene.kinds([discarded]) == set()


def test_a_snapshot_is_the_table_at_its_cursor(scene: Scene) -> None:
    scene.client.snapshot(rows(scene), cursor(102), stood=cursor(102))
    scene.history.update(102, "o1", "x")
    scene.client.snapshot(rows(scene), cursor(103))
    assert scene.kinds() == set()


@pytest.mark.parametrize("claimed", [cursor(102), cursor(103, 102)])
def test_a_snapshot_that_is_newer_than_its_cursor(scene: Scene, claimed: str) -> None:
    scene.history.update(102, "o1", "x")
    scene.client.snapshot(rows(scene), claimed)
    assert scene.kinds() == {"snapshot"}


def test_a_snapshot_that_is_older_than_its_cursor(scene: Scene) -> None:
    before = rows(scene)
    scene.history.delete(102, "o1")
    scene.client.snapshot(before, cursor(103))
    assert scene.kinds() == {"snapshot"}


def test_a_snapshot_that_is_older_than_the_stream_it_is_for(scene: Scene) -> None:
    scene.client.snapshot([], cursor(101), stood=cursor(102))
    assert scene.kinds() == {"old-snapshot"}


def test_a_write_that_changed_nothing_is_no_state_of_its_own(scene: Scene) -> None:
    """It has the higher id and was committed first: no cursor covers it before one of the log's does."""
    scene.history.touch(104, "o1")
    scene.client.send(scene.history.update(103, "o1", "x"), at=cursor(104))
    scene.client.snapshot(rows(scene), cursor(104), stood=cursor(104))
    scene.client.send(scene.history.update(105, "o2", "y"), at=cursor(106))
    scene.client.snapshot(rows(scene), cursor(106), stood=cursor(106))
    assert scene.kinds() == set()


def test_a_checkpoint_is_the_table_at_its_cursor(scene: Scene) -> None:
    before = rows(scene)
    scene.client.checkpoint(before, cursor(102))
    scene.client.send(scene.history.update(102, "o1", "x"), at=cursor(103))
    scene.client.checkpoint(rows(scene), cursor(103))
    assert scene.kinds() == set()
    scene.client.checkpoint(before, cursor(103))
    assert scene.kinds() == {"checkpoint"}


@pytest.mark.parametrize(("exact", "kinds"), [(True, {"stale"}), (False, set())])
def test_a_client_that_counts_something_else_is_stale(scene: Scene, exact: bool, kinds: set[str]) -> None:
    counted = {"count": 2, "hash": "00000000"}
    scene.client.say("compare", cursor(102), board="b1", exact=exact, expected=counted, held=counted | {"count": 1})
    assert scene.kinds() == kinds


def test_what_a_client_holds_at_the_end_is_the_table(scene: Scene) -> None:
    scene.client.final({"b1": dict(scene.history.rows)}, cursor(102))
    assert scene.kinds() == set()


@pytest.mark.parametrize("held", [{}, {"b1": {}}, {"b2": {"o9": {"id": "o9"}}}])
def test_a_client_that_holds_something_else_at_the_end_is_stale(
    scene: Scene, held: dict[str, dict[str, dict[str, object]]]
) -> None:
    scene.client.final(held, cursor(102))
    assert scene.kinds() == {"stale"}


def test_a_client_that_never_caught_up_is_stale(scene: Scene) -> None:
    scene.client.final({"b1": dict(scene.history.rows)}, cursor(102), settled=False)
    assert scene.kinds() == {"stale"}


def _page(history: History, keys: list[str], deleted: list[str]) -> dict[str, object]:
    answer = {"opportunities": [history.rows[key] for key in keys], "deletedIds": deleted, "hasMore": False}
    return {"since": cursor(102), "limit": None, "answer": answer}


def test_a_page_has_every_row_that_changed(scene: Scene) -> None:
    scene.history.update(102, "o1", "x")
    scene.history.delete(103, "o2")
    scene.client.note("page", _page(scene.history, ["o1"], ["o2"]), cursor(104))
    assert scene.kinds() == set()
    scene.client.note("page", _page(scene.history, ["o1"], []), cursor(104))
    assert scene.kinds() == {"lost"}


def test_a_page_with_a_row_as_it_was_before(scene: Scene) -> None:
    page = _page(scene.history, ["o1"], [])
    scene.history.update(102, "o1", "x")
    scene.client.note("page", page, cursor(103))
    assert scene.kinds() == {"content"}


def test_a_page_that_deletes_a_row_that_is_there(scene: Scene) -> None:
    scene.history.update(102, "o1", "x")
    scene.client.note("page", _page(scene.history, [], ["o1"]), cursor(103))
    assert scene.kinds() == {"content"}


def test_nobody_gets_anywhere_while_something_is_written(scene: Scene) -> None:
    changed = scene.history.update(102, "o1", "x")
    scene.history.now += 20
    scene.client.send(changed, at=cursor(103))
    assert scene.kinds() == {"stuck"}
    scene.journal.faults.clear()
    scene.fault()
    assert scene.kinds() == set()


def test_a_write_that_is_not_in_the_log(scene: Scene) -> None:
    scene.history.feed_log = False
    scene.history.update(102, "o1", "x")
    assert scene.kinds() == {"capture"}
    scene.fault("uncaptured")
    assert scene.kinds() == set()


def test_a_transaction_that_failed_for_its_writer_must_not_be_there(scene: Scene) -> None:
    scene.journal.transactions.append(Transaction("tag-101", "x", 0.0, outcome="fail"))
    assert scene.kinds() == {"phantom"}


@pytest.mark.parametrize(("tag", "resolved"), [("tag-101", True), ("tag-999", False)])
def test_an_unknown_outcome_is_resolved_from_the_log(scene: Scene, tag: str, resolved: bool) -> None:
    scene.journal.transactions.append(Transaction(tag, "x", 0.0))
    assert scene.kinds() == set()
    assert scene.journal.transactions[0].resolved is resolved
