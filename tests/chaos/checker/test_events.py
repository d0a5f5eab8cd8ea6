"""What is said of events: lost, torn, phantom, twice, in the wrong order, with other content, to the wrong people."""

import pytest

from tests.chaos.checker.made import Client, Scene, cursor, message
from tests.chaos.checker.truth import Change


@pytest.fixture
def scene() -> Scene:
    return Scene()


def two(scene: Scene, xid: int = 101) -> tuple[Change, Change]:
    """A transaction of two rows."""
    return scene.history.create(xid, "o1"), scene.history.create(xid, "o2")


def test_whole_transactions_in_order_are_right(scene: Scene) -> None:
    scene.client.send(*two(scene), at=cursor(102))
    scene.client.send(scene.history.update(102, "o1", "x"), scene.history.delete(103, "o2"), at=cursor(104))
    assert scene.kinds() == set()


def test_an_event_that_does_not_come_is_lost(scene: Scene) -> None:
    two(scene)
    scene.client.say("heartbeat", cursor(102))
    assert scene.kinds() == {"lost"}


def test_a_transaction_that_was_in_progress_is_not_lost_yet(scene: Scene) -> None:
    first, _ = two(scene)
    later = scene.history.update(103, "o1", "x")
    del first
    scene.client.say("heartbeat", cursor(103, 101))
    scene.client.say("heartbeat", cursor(104, 101, 103))
    del later
    assert scene.kinds() == set()


def test_what_comes_after_its_cursor_is_torn(scene: Scene) -> None:
    first, second = two(scene)
    scene.client.send(first, at=cursor(102))
    scene.client.send(second, at=cursor(102))
    assert scene.kinds() == {"torn"}


def test_what_comes_before_its_cursor_is_torn(scene: Scene) -> None:
    first, second = two(scene)
    scene.client.send(first, at=cursor(102, 101))
    scene.client.send(second, at=cursor(102))
    assert "torn" in scene.kinds()


def test_what_is_held_when_the_connection_is_cut_does_not_count(scene: Scene) -> None:
    first, second = two(scene)
    scene.client.send(first)
    scene.client.say("cut", reason="cut", held=1)
    scene.client.connect(cursor(101))
    scene.client.send(first, second, at=cursor(102))
    assert scene.kinds() == set()


def test_an_event_of_nothing_is_a_phantom(scene: Scene) -> None:
    first, second = two(scene)
    scene.client.send(first, second, at=cursor(102))
    scene.client.say("opportunity_deleted", cursor(102), **{**message(first), "seq": 99, "type": "opportunity_deleted"})
    assert scene.kinds() == {"phantom"}


def test_an_event_with_another_version_is_a_phantom(scene: Scene) -> None:
    first, second = two(scene)
    scene.client.send(first)
    scene.client.send(second, at=cursor(102), version=7)
    assert scene.kinds() == {"phantom", "lost"}


def test_an_event_that_comes_twice_on_a_connection_is_a_duplicate(scene: Scene) -> None:
    first, second = two(scene)
    scene.client.send(first, first, second, at=cursor(102))
    assert scene.kinds() == {"duplicate"}


def test_an_event_that_a_cursor_covered_is_a_duplicate_on_the_next_connection_too(scene: Scene) -> None:
    first, second = two(scene)
    scene.client.send(first, second, at=cursor(102))
    scene.client.connect(cursor(102))
    scene.client.send(first, at=cursor(102))
    assert scene.kinds() == {"duplicate"}


def test_two_versions_of_a_row_in_the_wrong_order_are_an_inversion(scene: Scene) -> None:
    first, second = two(scene)
    third = scene.history.update(101, "o1", "x")
    scene.client.send(third, first, second, at=cursor(102))
    assert scene.kinds() == {"inversion"}


def test_a_collapsed_event_tells_all_changes_of_its_row(scene: Scene) -> None:
    scene.client.send(*two(scene), at=cursor(102))
    scene.history.update(102, "o1", "x")
    newest = scene.history.update(103, "o1", "y")
    scene.client.send(newest, at=cursor(104), collapsed=2)
    assert scene.kinds() == set()


def test_a_collapsed_event_that_tells_too_few_loses_the_others(scene: Scene) -> None:
    scene.client.send(*two(scene), at=cursor(102))
    for xid in (102, 103):
        scene.history.update(xid, "o1", f"x{xid}")
    scene.client.send(scene.history.update(104, "o1", "y"), at=cursor(105), collapsed=2)
    assert scene.kinds() == {"lost"}


def test_a_resync_tells_all_of_its_board(scene: Scene) -> None:
    _, second = two(scene)
    scene.client.say("resync", cursor(102), **message(second) | {"reason": "bulk", "type": "resync", "count": 2})
    assert scene.kinds() == set()


def test_a_truncate_that_is_not_sent_is_lost(scene: Scene) -> None:
    scene.client.send(*two(scene), at=cursor(102))
    emptied = scene.history.truncate(102)
    scene.client.say("heartbeat", cursor(103))
    assert scene.kinds() == {"lost"}
    scene.client.connect(cursor(102))
    scene.client.send(emptied, at=cursor(103))
    assert "lost" not in scene.kinds()


def test_changes_that_are_not_those_of_the_row_are_wrong_content(scene: Scene) -> None:
    scene.client.send(*two(scene), at=cursor(102))
    changed = scene.history.update(102, "o1", "x")
    scene.client.send(changed, at=cursor(103), changes={"title": "y", "version_number": 2})
    assert scene.kinds() == {"content"}


def test_two_clients_that_are_told_different_things_are_in_conflict(scene: Scene) -> None:
    first, second = two(scene)
    scene.client.send(first, second, at=cursor(102))
    other = Client(scene.journal, scene.history, "other", "bruno")
    other.connect(cursor(101), resume="live")
    other.send(first)
    other.send(second, at=cursor(102), userId="somebody else")
    assert scene.kinds() == {"conflict"}


def test_a_board_that_the_user_does_not_see_is_none_of_their_business(scene: Scene) -> None:
    hidden = scene.history.create(101, "o1", "b2")
    scene.client.say("heartbeat", cursor(102))
    assert scene.kinds() == set()
    scene.client.connect(cursor(101))
    scene.client.send(hidden, at=cursor(102))
    assert scene.kinds() == {"leak"}


def test_a_board_that_the_client_did_not_ask_for_is_a_leak(scene: Scene) -> None:
    other = Client(scene.journal, scene.history, "other")
    other.connect(cursor(101), resume="live", boards=["b2"])
    seen = scene.history.create(101, "o1")
    other.send(seen, at=cursor(102))
    scene.client.send(seen, at=cursor(102))
    assert scene.kinds() == {"leak"}


def test_a_user_who_is_let_in_sees_what_comes_after_it(scene: Scene) -> None:
    scene.history.create(101, "o1", "b2")
    scene.history.member(102, "ana", "b2")
    after = scene.history.update(103, "o1", "x")
    scene.client.say("board_granted", boardId="b2", role="editor")
    scene.client.send(after, at=cursor(104))
    assert scene.kinds() == set()


def test_a_user_who_is_let_in_is_told(scene: Scene) -> None:
    scene.history.member(101, "ana", "b2")
    scene.client.say("heartbeat", cursor(102))
    assert scene.kinds() == {"membership"}


def test_nobody_is_let_in_for_nothing(scene: Scene) -> None:
    scene.client.say("board_granted", boardId="b2", role="editor")
    scene.client.say("heartbeat", cursor(101))
    assert scene.kinds() == {"membership"}


def test_after_board_revoked_no_event_of_the_board_follows(scene: Scene) -> None:
    first, second = two(scene)
    scene.client.send(first, second, at=cursor(102))
    scene.history.member(102, "ana", "b1", role=None)
    after = scene.history.update(103, "o1", "x")
    scene.client.say("board_revoked", boardId="b1")
    scene.client.say("heartbeat", cursor(103))
    assert scene.kinds() == set()
    scene.client.send(after, at=cursor(104))
    assert scene.kinds() == {"leak"}


def test_a_card_that_left_the_board_is_told_as_deleted(scene: Scene) -> None:
    scene.client.send(*two(scene), at=cursor(102))
    leaves, _ = scene.history.move(102, "o1", "b2")
    scene.client.send(leaves, at=cursor(103))
    assert scene.kinds() == set()
