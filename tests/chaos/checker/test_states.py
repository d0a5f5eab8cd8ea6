"""Verdicts about cursors, resets, snapshots, checkpoints, pages and the final states of clients."""

from itertools import count

import pytest

from tests.chaos.checker.scenario import Client, History, Scenario, cursor
from tests.chaos.checker.truth import Change, Discarded
from tests.chaos.model import Transaction


@pytest.fixture
def scenario() -> Scenario:
    """A scenario with o1 and o2 on b1, already received."""
    scenario = Scenario()
    changes = scenario.history.create(101, "o1"), scenario.history.create(101, "o2")
    scenario.client.receive(*changes, at=cursor(102))
    return scenario


def rows(scenario: Scenario) -> list[dict[str, object]]:
    return list(scenario.history.rows.values())


def test_a_cursor_that_moves_back_on_a_connection_is_found(scenario: Scenario) -> None:
    scenario.client.receive_message("heartbeat", cursor(101))
    assert scenario.kinds() == {"cursor"}


def test_a_cursor_that_moves_back_in_its_transactions_in_progress_is_found(scenario: Scenario) -> None:
    scenario.client.receive_message("heartbeat", cursor(103, 101))
    assert scenario.kinds() == {"cursor"}


def test_a_cursor_in_auth_success_before_a_reset_is_found(scenario: Scenario) -> None:
    scenario.fault("foreign")
    scenario.client.connect(cursor(102))
    scenario.client.receive_message("auth_success", cursor(102), resume="reset", boards=[])
    assert scenario.kinds() == {"cursor"}


def test_a_reset_without_an_explaining_fault_is_spurious(scenario: Scenario) -> None:
    scenario.client.connect(cursor(102), resume="reset")
    scenario.client.receive_message("reset", cursor(102), reason="diverged")
    assert scenario.kinds() == {"spurious-reset"}
    scenario.fault("foreign")
    assert scenario.kinds() == {"spurious-reset"}
    scenario.fault("diverged")
    assert scenario.kinds() == set()


def test_a_fault_does_not_explain_a_reset_of_a_much_newer_cursor(scenario: Scenario) -> None:
    scenario.fault("diverged")
    scenario.history.now += 60
    scenario.client.receive_message("heartbeat", cursor(103))
    scenario.client.connect(cursor(103), resume="reset")
    scenario.client.receive_message("reset", cursor(103), reason="diverged")
    assert scenario.kinds() == {"spurious-reset"}


def test_a_fault_explains_a_reset_of_a_cursor_that_a_slow_client_received_late(scenario: Scenario) -> None:
    changed = scenario.history.update(102, "o1", "x")
    scenario.fault("diverged")
    scenario.history.now += 60
    scenario.client.receive(changed, at=cursor(103))
    scenario.client.receive_message("reset", cursor(103), reason="diverged")
    assert scenario.kinds() == set()


def test_a_live_start_despite_a_cursor_is_spurious(scenario: Scenario) -> None:
    scenario.client.receive_message("connect", cursor(102), boards=None)
    scenario.client.receive_message("auth_success", cursor(102), resume="live", boards=["b1"])
    assert scenario.kinds() == {"spurious-reset"}


def test_resuming_across_feeds_is_false_continuity(scenario: Scenario) -> None:
    scenario.client.connect(cursor(102))
    scenario.client.receive_message("heartbeat", cursor(103, feed="f2"))
    assert scenario.kinds() == {"false-continuity"}


def test_resuming_a_cursor_of_an_old_feed_is_false_continuity(scenario: Scenario) -> None:
    other = Client(scenario.journal, scenario.history, "other")
    other.connect(cursor(102, feed="f2"), resume="live")
    scenario.client.connect(cursor(102))
    assert scenario.kinds() == set()
    scenario.history.now += 5
    scenario.client.connect(cursor(102))
    assert scenario.kinds() == {"false-continuity"}


def _lost_tail(scenario: Scenario) -> tuple[Discarded, Change]:
    """An update that was sent and then lost in a promotion."""
    history = scenario.history
    kept_entries, kept_changes, kept_rows = len(history.entries), len(history.changes), dict(history.rows)
    update = history.update(102, "o1", "lost")
    scenario.client.receive(update, at=cursor(103))
    lost = Change(**{**vars(update), "lost": True})
    discarded = Discarded(history.entries[kept_entries:], [lost], history.now, update.at)
    del history.entries[kept_entries:], history.changes[kept_changes:]
    history.rows = kept_rows
    return discarded, update


def test_a_delivered_lost_tail_is_not_a_phantom(scenario: Scenario) -> None:
    discarded, _ = _lost_tail(scenario)
    scenario.fault("diverged", "lost-tail")
    scenario.history.now += 5
    scenario.client.connect(cursor(103), resume="reset")
    scenario.client.receive_message("reset", cursor(102), reason="diverged")
    assert scenario.kinds([discarded]) == set()


def test_resuming_after_receiving_a_lost_tail_is_false_continuity(scenario: Scenario) -> None:
    discarded, _ = _lost_tail(scenario)
    scenario.fault("diverged", "lost-tail")
    scenario.history.now += 5
    scenario.client.connect(cursor(103))
    scenario.client.receive_message("heartbeat", cursor(103))
    scenario.client.receive(scenario.history.update(103, "o2", "x"), at=cursor(104))
    assert scenario.kinds([discarded]) == {"false-continuity"}


def test_a_client_without_the_lost_tail_may_resume(scenario: Scenario) -> None:
    discarded, _ = _lost_tail(scenario)
    other = Client(scenario.journal, scenario.history, "other")
    other.connect(cursor(102), resume="live")
    scenario.journal.records[:] = [record for record in scenario.journal.records if record.client == "other"]
    scenario.fault("diverged", "lost-tail")
    scenario.history.now += 5
    other.connect(cursor(102))
    other.receive(scenario.history.update(102, "o2", "another transaction 102"), at=cursor(103))
    assert scenario.kinds([discarded]) == set()


def test_a_change_with_the_numbers_of_a_lost_one_is_distinguished(scenario: Scenario) -> None:
    discarded, update = _lost_tail(scenario)
    scenario.fault("diverged", "lost-tail")
    scenario.history.now += 5
    scenario.client.connect(cursor(103), resume="reset")
    scenario.client.receive_message("reset", cursor(102), reason="diverged")
    scenario.history.seqs, scenario.history.tag = count(update.seq), "again"
    kept = scenario.history.update(102, "o1", "kept")
    assert (kept.seq, kept.xid, kept.version) == (update.seq, update.xid, update.version)
    scenario.client.receive(kept, at=cursor(103))
    assert scenario.kinds([discarded]) == set()


def test_a_snapshot_that_matches_its_cursor_causes_no_verdict(scenario: Scenario) -> None:
    scenario.client.snapshot(rows(scenario), cursor(102), must_cover=cursor(102))
    scenario.history.update(102, "o1", "x")
    scenario.client.snapshot(rows(scenario), cursor(103))
    assert scenario.kinds() == set()


@pytest.mark.parametrize("claimed", [cursor(102), cursor(103, 102)])
def test_a_snapshot_newer_than_its_cursor_is_found(scenario: Scenario, claimed: str) -> None:
    scenario.history.update(102, "o1", "x")
    scenario.client.snapshot(rows(scenario), claimed)
    assert scenario.kinds() == {"snapshot"}


def test_a_snapshot_older_than_its_cursor_is_found(scenario: Scenario) -> None:
    before = rows(scenario)
    scenario.history.delete(102, "o1")
    scenario.client.snapshot(before, cursor(103))
    assert scenario.kinds() == {"snapshot"}


def test_a_snapshot_older_than_its_stream_is_found(scenario: Scenario) -> None:
    scenario.client.snapshot([], cursor(101), must_cover=cursor(102))
    assert scenario.kinds() == {"old-snapshot"}


def test_an_update_without_changes_does_not_affect_snapshots(scenario: Scenario) -> None:
    """It has the higher transaction id and commits first: no cursor covers it before one from the log does."""
    scenario.history.touch(104, "o1")
    scenario.client.receive(scenario.history.update(103, "o1", "x"), at=cursor(104))
    scenario.client.snapshot(rows(scenario), cursor(104), must_cover=cursor(104))
    scenario.client.receive(scenario.history.update(105, "o2", "y"), at=cursor(106))
    scenario.client.snapshot(rows(scenario), cursor(106), must_cover=cursor(106))
    assert scenario.kinds() == set()


def test_a_checkpoint_must_match_the_table_at_its_cursor(scenario: Scenario) -> None:
    before = rows(scenario)
    scenario.client.checkpoint(before, cursor(102))
    scenario.client.receive(scenario.history.update(102, "o1", "x"), at=cursor(103))
    scenario.client.checkpoint(rows(scenario), cursor(103))
    assert scenario.kinds() == set()
    scenario.client.checkpoint(before, cursor(103))
    assert scenario.kinds() == {"checkpoint"}


@pytest.mark.parametrize(("exact", "kinds"), [(True, {"stale"}), (False, set())])
def test_a_client_with_another_count_is_stale(scenario: Scenario, exact: bool, kinds: set[str]) -> None:
    counted = {"count": 2, "hash": "00000000"}
    scenario.client.receive_message(
        "compare", cursor(102), board="b1", exact=exact, expected=counted, held=counted | {"count": 1}
    )
    assert scenario.kinds() == kinds


def test_a_client_that_matches_the_table_at_the_end_causes_no_verdict(scenario: Scenario) -> None:
    scenario.client.final({"b1": dict(scenario.history.rows)}, cursor(102))
    assert scenario.kinds() == set()


@pytest.mark.parametrize("held", [{}, {"b1": {}}, {"b2": {"o9": {"id": "o9"}}}])
def test_a_client_that_differs_from_the_table_at_the_end_is_stale(
    scenario: Scenario, held: dict[str, dict[str, dict[str, object]]]
) -> None:
    scenario.client.final(held, cursor(102))
    assert scenario.kinds() == {"stale"}


def test_a_client_that_never_caught_up_is_stale(scenario: Scenario) -> None:
    scenario.client.final({"b1": dict(scenario.history.rows)}, cursor(102), settled=False)
    assert scenario.kinds() == {"stale"}


def _page(history: History, keys: list[str], deleted: list[str]) -> dict[str, object]:
    answer = {"opportunities": [history.rows[key] for key in keys], "deletedIds": deleted, "hasMore": False}
    return {"since": cursor(102), "limit": None, "answer": answer}


def test_a_page_without_a_changed_row_loses_it(scenario: Scenario) -> None:
    scenario.history.update(102, "o1", "x")
    scenario.history.delete(103, "o2")
    scenario.client.record("page", _page(scenario.history, ["o1"], ["o2"]), cursor(104))
    assert scenario.kinds() == set()
    scenario.client.record("page", _page(scenario.history, ["o1"], []), cursor(104))
    assert scenario.kinds() == {"lost"}


def test_a_page_with_an_old_row_has_wrong_content(scenario: Scenario) -> None:
    page = _page(scenario.history, ["o1"], [])
    scenario.history.update(102, "o1", "x")
    scenario.client.record("page", page, cursor(103))
    assert scenario.kinds() == {"content"}


def test_a_page_that_deletes_an_existing_row_has_wrong_content(scenario: Scenario) -> None:
    scenario.history.update(102, "o1", "x")
    scenario.client.record("page", _page(scenario.history, [], ["o1"]), cursor(103))
    assert scenario.kinds() == {"content"}


def test_no_progress_despite_writes_is_stuck(scenario: Scenario) -> None:
    changed = scenario.history.update(102, "o1", "x")
    scenario.history.now += 20
    scenario.client.receive(changed, at=cursor(103))
    assert scenario.kinds() == {"stuck"}
    scenario.journal.faults.clear()
    scenario.fault()
    assert scenario.kinds() == set()


def test_a_write_that_is_not_in_the_log_is_found(scenario: Scenario) -> None:
    scenario.history.feed_log = False
    scenario.history.update(102, "o1", "x")
    assert scenario.kinds() == {"capture"}
    scenario.fault("uncaptured")
    assert scenario.kinds() == set()


def test_a_failed_transaction_in_the_log_is_a_phantom(scenario: Scenario) -> None:
    scenario.journal.transactions.append(Transaction("tag-101", "x", 0.0, outcome="fail"))
    assert scenario.kinds() == {"phantom"}


@pytest.mark.parametrize(("tag", "resolved"), [("tag-101", True), ("tag-999", False)])
def test_an_unknown_outcome_is_resolved_from_the_log(scenario: Scenario, tag: str, resolved: bool) -> None:
    scenario.journal.transactions.append(Transaction(tag, "x", 0.0))
    assert scenario.kinds() == set()
    assert scenario.journal.transactions[0].resolved is resolved
