"""Verdicts about events: lost, torn, phantom, duplicate, inversion, content, conflict, leak, membership."""

import pytest

from tests.chaos.checker.scenario import Client, Scenario, cursor, message
from tests.chaos.checker.truth import Change


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()


def create_two(scenario: Scenario, xid: int = 101) -> tuple[Change, Change]:
    """A transaction of two rows."""
    return scenario.history.create(xid, "o1"), scenario.history.create(xid, "o2")


def test_complete_transactions_in_order_cause_no_verdict(scenario: Scenario) -> None:
    scenario.client.receive(*create_two(scenario), at=cursor(102))
    scenario.client.receive(scenario.history.update(102, "o1", "x"), scenario.history.delete(103, "o2"), at=cursor(104))
    assert scenario.kinds() == set()


def test_a_missing_event_is_lost(scenario: Scenario) -> None:
    create_two(scenario)
    scenario.client.receive_message("heartbeat", cursor(102))
    assert scenario.kinds() == {"lost"}


def test_a_transaction_in_progress_is_not_lost(scenario: Scenario) -> None:
    first, _ = create_two(scenario)
    later = scenario.history.update(103, "o1", "x")
    del first
    scenario.client.receive_message("heartbeat", cursor(103, 101))
    scenario.client.receive_message("heartbeat", cursor(104, 101, 103))
    del later
    assert scenario.kinds() == set()


def test_an_event_after_its_cursor_is_torn(scenario: Scenario) -> None:
    first, second = create_two(scenario)
    scenario.client.receive(first, at=cursor(102))
    scenario.client.receive(second, at=cursor(102))
    assert scenario.kinds() == {"torn"}


def test_an_event_applied_at_a_cursor_that_does_not_cover_it_is_torn(scenario: Scenario) -> None:
    first, second = create_two(scenario)
    scenario.client.receive(first, at=cursor(102, 101))
    scenario.client.receive(second, at=cursor(102))
    assert "torn" in scenario.kinds()


def test_events_held_when_the_connection_is_cut_do_not_count(scenario: Scenario) -> None:
    first, second = create_two(scenario)
    scenario.client.receive(first)
    scenario.client.receive_message("cut", reason="cut", held=1)
    scenario.client.connect(cursor(101))
    scenario.client.receive(first, second, at=cursor(102))
    assert scenario.kinds() == set()


def test_an_event_without_a_change_is_a_phantom(scenario: Scenario) -> None:
    first, second = create_two(scenario)
    scenario.client.receive(first, second, at=cursor(102))
    scenario.client.receive_message(
        "opportunity_deleted", cursor(102), **{**message(first), "seq": 99, "type": "opportunity_deleted"}
    )
    assert scenario.kinds() == {"phantom"}


def test_an_event_with_another_version_is_a_phantom(scenario: Scenario) -> None:
    first, second = create_two(scenario)
    scenario.client.receive(first)
    scenario.client.receive(second, at=cursor(102), version=7)
    assert scenario.kinds() == {"phantom", "lost"}


def test_a_repeated_event_on_a_connection_is_a_duplicate(scenario: Scenario) -> None:
    first, second = create_two(scenario)
    scenario.client.receive(first, first, second, at=cursor(102))
    assert scenario.kinds() == {"duplicate"}


def test_an_event_covered_by_the_cursor_of_a_new_connection_is_a_duplicate(scenario: Scenario) -> None:
    first, second = create_two(scenario)
    scenario.client.receive(first, second, at=cursor(102))
    scenario.client.connect(cursor(102))
    scenario.client.receive(first, at=cursor(102))
    assert scenario.kinds() == {"duplicate"}


def test_two_versions_of_a_row_in_the_wrong_order_are_an_inversion(scenario: Scenario) -> None:
    first, second = create_two(scenario)
    third = scenario.history.update(101, "o1", "x")
    scenario.client.receive(third, first, second, at=cursor(102))
    assert scenario.kinds() == {"inversion"}


def test_a_collapsed_event_delivers_all_changes_of_its_row(scenario: Scenario) -> None:
    scenario.client.receive(*create_two(scenario), at=cursor(102))
    scenario.history.update(102, "o1", "x")
    newest = scenario.history.update(103, "o1", "y")
    scenario.client.receive(newest, at=cursor(104), collapsed=2)
    assert scenario.kinds() == set()


def test_a_collapsed_event_of_too_few_changes_loses_the_others(scenario: Scenario) -> None:
    scenario.client.receive(*create_two(scenario), at=cursor(102))
    for xid in (102, 103):
        scenario.history.update(xid, "o1", f"x{xid}")
    scenario.client.receive(scenario.history.update(104, "o1", "y"), at=cursor(105), collapsed=2)
    assert scenario.kinds() == {"lost"}


def test_a_resync_delivers_all_changes_of_its_board(scenario: Scenario) -> None:
    _, second = create_two(scenario)
    scenario.client.receive_message(
        "resync", cursor(102), **message(second) | {"reason": "bulk", "type": "resync", "count": 2}
    )
    assert scenario.kinds() == set()


def test_a_missing_truncate_is_lost(scenario: Scenario) -> None:
    scenario.client.receive(*create_two(scenario), at=cursor(102))
    truncated = scenario.history.truncate(102)
    scenario.client.receive_message("heartbeat", cursor(103))
    assert scenario.kinds() == {"lost"}
    scenario.client.connect(cursor(102))
    scenario.client.receive(truncated, at=cursor(103))
    assert "lost" not in scenario.kinds()


def test_changes_that_differ_from_the_row_are_wrong_content(scenario: Scenario) -> None:
    scenario.client.receive(*create_two(scenario), at=cursor(102))
    changed = scenario.history.update(102, "o1", "x")
    scenario.client.receive(changed, at=cursor(103), changes={"title": "y", "version_number": 2})
    assert scenario.kinds() == {"content"}


def test_different_contents_for_two_clients_are_a_conflict(scenario: Scenario) -> None:
    first, second = create_two(scenario)
    scenario.client.receive(first, second, at=cursor(102))
    other = Client(scenario.journal, scenario.history, "other", "bruno")
    other.connect(cursor(101), resume="live")
    other.receive(first)
    other.receive(second, at=cursor(102), userId="another user")
    assert scenario.kinds() == {"conflict"}


def test_an_event_of_an_invisible_board_is_a_leak(scenario: Scenario) -> None:
    hidden = scenario.history.create(101, "o1", "b2")
    scenario.client.receive_message("heartbeat", cursor(102))
    assert scenario.kinds() == set()
    scenario.client.connect(cursor(101))
    scenario.client.receive(hidden, at=cursor(102))
    assert scenario.kinds() == {"leak"}


def test_an_event_of_a_board_that_was_not_asked_for_is_a_leak(scenario: Scenario) -> None:
    other = Client(scenario.journal, scenario.history, "other")
    other.connect(cursor(101), resume="live", boards=["b2"])
    seen = scenario.history.create(101, "o1")
    other.receive(seen, at=cursor(102))
    scenario.client.receive(seen, at=cursor(102))
    assert scenario.kinds() == {"leak"}


def test_events_after_a_grant_cause_no_verdict(scenario: Scenario) -> None:
    scenario.history.create(101, "o1", "b2")
    scenario.history.member(102, "ana", "b2")
    after = scenario.history.update(103, "o1", "x")
    scenario.client.receive_message("board_granted", boardId="b2", role="editor")
    scenario.client.receive(after, at=cursor(104))
    assert scenario.kinds() == set()


def test_a_missing_grant_message_is_a_membership_verdict(scenario: Scenario) -> None:
    scenario.history.member(101, "ana", "b2")
    scenario.client.receive_message("heartbeat", cursor(102))
    assert scenario.kinds() == {"membership"}


def test_a_grant_message_without_a_change_is_a_membership_verdict(scenario: Scenario) -> None:
    scenario.client.receive_message("board_granted", boardId="b2", role="editor")
    scenario.client.receive_message("heartbeat", cursor(101))
    assert scenario.kinds() == {"membership"}


def test_an_event_after_board_revoked_is_a_leak(scenario: Scenario) -> None:
    first, second = create_two(scenario)
    scenario.client.receive(first, second, at=cursor(102))
    scenario.history.member(102, "ana", "b1", role=None)
    after = scenario.history.update(103, "o1", "x")
    scenario.client.receive_message("board_revoked", boardId="b1")
    scenario.client.receive_message("heartbeat", cursor(103))
    assert scenario.kinds() == set()
    scenario.client.receive(after, at=cursor(104))
    assert scenario.kinds() == {"leak"}


def test_a_card_that_left_the_board_is_delivered_as_a_deletion(scenario: Scenario) -> None:
    scenario.client.receive(*create_two(scenario), at=cursor(102))
    leaves, _ = scenario.history.move(102, "o1", "b2")
    scenario.client.receive(leaves, at=cursor(103))
    assert scenario.kinds() == set()
