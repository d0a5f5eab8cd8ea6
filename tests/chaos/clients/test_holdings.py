"""The clients follow the rules of docs/protocol.md."""

from typing import Any

import pytest

from tests.chaos.clients.holdings import Holdings


def cursor(xmax: int) -> str:
    return f"f.{xmax}.{xmax}..0.00000000"


def row(key: str, version: int = 1, board: str = "b1", title: str = "new") -> dict[str, Any]:
    return {"id": key, "board_id": board, "version_number": version, "title": title}


def event(kind: str, key: str, version: int, xid: int, **others: Any) -> dict[str, Any]:
    body = {"type": f"opportunity_{kind}", "opportunityId": key, "version": version, "xid": str(xid), "seq": xid}
    return body | {"boardId": "b1"} | others


def created(key: str, xid: int, board: str = "b1") -> dict[str, Any]:
    return event("created", key, 1, xid, boardId=board, opportunity=row(key, board=board))


def updated(key: str, version: int, xid: int, title: str = "changed") -> dict[str, Any]:
    return event("updated", key, version, xid, changes={"title": title, "version_number": version})


@pytest.fixture
def holdings() -> Holdings:
    """Holds o1 of b1, at cursor 100."""
    holdings = Holdings(None)
    holdings.begin(["b1"], cursor(100))
    holdings.snapshot("b1", [row("o1")], cursor(100))
    return holdings


def versions(holdings: Holdings, board: str = "b1") -> dict[str, int]:
    return {key: each["version_number"] for key, each in holdings.boards[board].rows.items()}


def test_a_batch_is_applied_when_its_cursor_is_received(holdings: Holdings) -> None:
    assert not holdings.receive(updated("o1", 2, 100), None)
    assert versions(holdings) == {"o1": 1}
    assert holdings.receive(created("o2", 101), cursor(102))
    assert versions(holdings) == {"o1": 2, "o2": 1}
    assert holdings.boards["b1"].rows["o1"]["title"] == "changed"


def test_a_heartbeat_ends_a_batch(holdings: Holdings) -> None:
    holdings.receive(created("o2", 100), None)
    assert holdings.receive({"type": "heartbeat"}, cursor(101))
    assert versions(holdings) == {"o1": 1, "o2": 1}


def test_an_unfinished_batch_is_dropped_with_the_connection(holdings: Holdings) -> None:
    holdings.receive(created("o2", 100), None)
    assert holdings.cut() == 1
    holdings.receive({"type": "heartbeat"}, cursor(100))
    assert versions(holdings) == {"o1": 1}


def test_an_event_older_than_the_row_is_ignored(holdings: Holdings) -> None:
    holdings.receive(updated("o1", 3, 100), cursor(101))
    holdings.receive(updated("o1", 2, 101, "older"), cursor(102))
    assert holdings.boards["b1"].rows["o1"]["title"] == "changed"


def test_a_recreated_row_starts_at_version_one(holdings: Holdings) -> None:
    holdings.receive(updated("o1", 2, 100), None)
    holdings.receive(event("deleted", "o1", 2, 101), None)
    holdings.receive(created("o1", 102), cursor(103))
    assert versions(holdings) == {"o1": 1}


def test_a_card_moves_to_another_board(holdings: Holdings) -> None:
    holdings.receive(event("deleted", "o1", 2, 100), None)
    holdings.receive(event("created", "o1", 2, 100, boardId="b2", opportunity=row("o1", 2, "b2")), cursor(101))
    assert (versions(holdings), versions(holdings, "b2")) == ({}, {"o1": 2})


@pytest.mark.parametrize("board", ["b1", None])
def test_a_resync_requests_a_snapshot(holdings: Holdings, board: str | None) -> None:
    message = {"type": "resync", "reason": "bulk", "table": "opportunities", "boardId": board, "seq": 1}
    holdings.receive(message, None)
    assert holdings.pending() == []
    holdings.receive({"type": "heartbeat"}, cursor(101))
    assert holdings.pending() == ["b1"]


def test_boards_are_granted_and_revoked_with_their_batch(holdings: Holdings) -> None:
    holdings.receive({"type": "board_granted", "boardId": "b2"}, None)
    assert holdings.pending() == []
    holdings.receive({"type": "board_revoked", "boardId": "b1"}, None)
    holdings.receive({"type": "heartbeat"}, cursor(101))
    assert (holdings.pending(), set(holdings.boards), holdings.visible) == (["b2"], {"b2"}, {"b2"})


def test_events_covered_by_a_snapshot_are_ignored(holdings: Holdings) -> None:
    holdings.snapshot("b1", [row("o1", 5)], cursor(110))
    holdings.receive(event("deleted", "o1", 4, 105), cursor(106))
    assert versions(holdings) == {"o1": 5}
    assert not holdings.boards["b1"].exact_at(holdings.cursor)  # type: ignore[arg-type] # it has one
    holdings.receive(updated("o1", 6, 110), cursor(111))
    assert versions(holdings) == {"o1": 6}
    assert holdings.boards["b1"].newer is None


def test_events_received_during_a_snapshot_request_are_applied_to_it(holdings: Holdings) -> None:
    holdings.request("b1")
    holdings.receive(updated("o1", 2, 100), None)
    holdings.receive(created("o2", 105), cursor(106))
    holdings.snapshot("b1", [row("o1", 2)], cursor(102))
    assert versions(holdings) == {"o1": 2, "o2": 1}
    assert holdings.boards["b1"].exact_at(holdings.cursor)  # type: ignore[arg-type] # it has one


def test_a_reset_drops_everything(holdings: Holdings) -> None:
    holdings.receive(created("o2", 100), None)
    holdings.begin(["b2"], cursor(200))
    assert (holdings.held, holdings.pending(), set(holdings.boards)) == (0, ["b2"], {"b2"})


def test_only_the_last_page_is_exact_at_its_cursor(holdings: Holdings) -> None:
    holdings.page([row("o1", 7, "b2")], [], cursor(101), more=True)
    assert (versions(holdings), versions(holdings, "b2")) == ({}, {"o1": 7})
    assert not holdings.boards["b2"].exact_at(holdings.cursor)  # type: ignore[arg-type] # it has one
    holdings.page([], ["o1"], cursor(105), more=False)
    assert versions(holdings, "b2") == {}
    assert holdings.boards["b2"].exact_at(holdings.cursor)  # type: ignore[arg-type] # it has one


def test_unwanted_boards_are_not_held() -> None:
    holdings = Holdings({"b2"})
    holdings.begin(["b1", "b2"], cursor(100))
    holdings.receive(created("o1", 100), None)
    holdings.receive(created("o2", 100, "b2"), cursor(101))
    assert set(holdings.boards) == {"b2"}


def test_truncated_members_require_the_list_of_boards(holdings: Holdings) -> None:
    message = {"type": "resync", "reason": "truncate", "table": "board_members", "boardId": None, "seq": 1}
    holdings.receive(message, cursor(101))
    assert holdings.unlisted
    holdings.receive({"type": "board_granted", "boardId": "b3"}, cursor(102))
    holdings.listed(["b2"])
    assert (holdings.visible, set(holdings.boards)) == ({"b2", "b3"}, {"b2", "b3"})
