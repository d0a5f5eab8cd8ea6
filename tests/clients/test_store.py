"""The client's store against the real services: each write is saved, merged, in conflict or rejected; none is lost."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.boards import Boards, Client, cards, prepare_board, table
from tests.clients.follower import TIMEOUT
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import Services
from tests.support.until import until


@dataclass
class Pair:
    """ana and bruno on the same board, each behind their own proxies for the feed and the API."""

    boards: Boards
    database: Database
    ana: Client
    bruno: Client
    proxies: dict[str, list[Proxy]]
    options: dict[str, Any]

    async def offline(self, name: str) -> None:
        for proxy in self.proxies[name]:
            proxy.refuse()
            proxy.cut()

    async def online(self, name: str) -> None:
        for proxy in self.proxies[name]:
            await proxy.resume()

    async def converged(self) -> dict[str, dict[str, Any]]:
        """Wait until both boards equal the table; return its rows."""
        await self.ana.settled()
        await self.bruno.settled()

        async def equal() -> bool:
            rows = await table(self.database)
            return cards(await self.ana.state()) == rows == cards(await self.bruno.state())

        await until(equal, timeout=TIMEOUT, what="the boards and the table to be equal")
        return await table(self.database)


@pytest.fixture
async def pair(services: Services, database: Database, node: str, bundle: str) -> AsyncIterator[Pair]:
    await prepare_board(database)
    feed, api = await services.feed(), await services.api()
    options = {"api": f"http://127.0.0.1:{api}", "feed": f"http://127.0.0.1:{feed}"}
    async with (
        Proxy("127.0.0.1", feed) as feed_ana,
        Proxy("127.0.0.1", api) as api_ana,
        Proxy("127.0.0.1", feed) as feed_bruno,
        Proxy("127.0.0.1", api) as api_bruno,
        Boards().start(node, bundle) as boards,
    ):
        proxies = {"ana": [feed_ana, api_ana], "bruno": [feed_bruno, api_bruno]}
        addresses = {
            name: {
                key: proxy.rewrite_url(options[key])
                for key, proxy in zip(("feed", "api"), pair_of_proxies, strict=True)
            }
            for name, pair_of_proxies in proxies.items()
        }
        ana = await boards.client("ana", addresses["ana"])
        bruno = await boards.client("bruno", addresses["bruno"])
        yield Pair(boards, database, ana, bruno, proxies, options)


async def test_a_write_is_shown_at_once_and_its_own_event_is_not_a_remote_change(pair: Pair) -> None:
    mutation = await pair.ana.call("update", "o1", {"title": "  Mine ", "value": 12.5})
    assert (await pair.ana.card("o1"))["title"] == "Mine"
    state = await pair.ana.settled()
    assert state["opportunities"]["o1"]["version_number"] == 3
    assert pair.ana.outcomes(mutation) == ["saved"]
    await pair.bruno.until(lambda state: state["opportunities"]["o1"]["title"] == "Mine")
    remote = (await pair.bruno.observed())["remote"]
    assert [(one["id"], one["kind"], one["userId"], sorted(one["fields"])) for one in remote] == [
        ("o1", "updated", "ana", ["title", "value"])
    ]
    await pair.bruno.call("update", "o1", {"company": "Theirs"})
    await pair.ana.until(lambda state: state["opportunities"]["o1"]["company"] == "Theirs")
    assert [one["userId"] for one in (await pair.ana.observed())["remote"]] == ["bruno"]
    await pair.converged()


async def test_a_card_is_created_moved_deleted_and_restored(pair: Pair) -> None:
    created = await pair.ana.call("create", {"title": "Second", "phase": "new", "value": 7})
    await pair.ana.call("move", created, "new", None, "o1")
    await pair.bruno.until(lambda state: [card["id"] for card in state["columns"]["new"]] == [created, "o1"])
    await pair.bruno.call("move", created, "won")
    await pair.ana.until(lambda state: [card["id"] for card in state["columns"]["won"]] == [created])
    moved = (await pair.ana.observed())["remote"][-1]
    assert (moved["kind"], moved["fromPhase"], moved["toPhase"]) == ("moved", "new", "won")
    await pair.ana.call("remove", created)
    assert await pair.ana.card(created) is None
    await pair.bruno.until(lambda state: created not in state["opportunities"])
    await pair.ana.settled()
    await pair.ana.call("undoRemove", created)
    assert (await pair.ana.card(created))["title"] == "Second"
    rows = await pair.converged()
    assert rows[created]["phase"] == "won"


async def test_a_delete_that_was_not_sent_is_undone_locally(pair: Pair) -> None:
    await pair.offline("ana")
    await pair.ana.call("update", "o1", {"title": "Waits"})
    await pair.ana.until(lambda state: state["pendingCount"] == 1)
    await pair.ana.call("remove", "o1")
    assert await pair.ana.card("o1") is None
    await pair.ana.call("undoRemove", "o1")
    assert (await pair.ana.card("o1"))["title"] == "Waits"
    await pair.online("ana")
    assert (await pair.converged())["o1"]["title"] == "Waits"


async def _edit_concurrently(pair: Pair, mine: dict[str, Any], theirs: dict[str, Any]) -> str:
    """ana writes without having received bruno's write; return her mutation."""
    await pair.offline("ana")
    await pair.bruno.call("update", "o1", theirs)
    await pair.bruno.settled()
    mutation: str = await pair.ana.call("update", "o1", mine)
    await pair.online("ana")
    return mutation


async def test_changes_of_different_fields_are_merged(pair: Pair) -> None:
    await _edit_concurrently(pair, {"title": "Ana's", "phase": "talk"}, {"company": "Bruno's", "value": 3})
    card = (await pair.converged())["o1"]
    assert (card["title"], card["phase"], card["company"], card["value"]) == ("Ana's", "talk", "Bruno's", 3)
    assert (await pair.ana.state())["conflicts"] == {}


async def test_a_stale_write_is_retried_automatically(pair: Pair) -> None:
    """Events are paused, so the client learns of the other write only from the 412."""
    pair.proxies["ana"][0].pause()
    await pair.bruno.call("update", "o1", {"company": "Bruno's"})
    await pair.bruno.settled()
    mutation = await pair.ana.call("update", "o1", {"title": "Ana's"})
    await pair.ana.settled()
    assert pair.ana.outcomes(mutation) == ["saved"]
    await pair.proxies["ana"][0].resume()
    card = (await pair.converged())["o1"]
    assert (card["title"], card["company"]) == ("Ana's", "Bruno's")


@pytest.mark.parametrize(
    ("decision", "title", "value"),
    [
        ({"resolution": "client"}, "Ana's", 5),
        ({"resolution": "server"}, "Bruno's", 5),
        ({"resolution": "merge", "data": {"title": "Both"}}, "Both", 5),
    ],
)
async def test_changes_of_the_same_field_are_a_conflict(
    pair: Pair, decision: dict[str, Any], title: str, value: int
) -> None:
    mutation = await _edit_concurrently(pair, {"title": "Ana's", "value": 5}, {"title": "Bruno's"})
    state = await pair.ana.until(lambda state: state["conflicts"] and state)
    conflict = state["conflicts"]["o1"]
    assert (conflict["fields"], conflict["by"], conflict["mine"]) == (
        ["title"],
        "bruno",
        {"title": "Ana's", "value": 5},
    )
    assert (conflict["base"]["title"], conflict["theirs"]["title"]) == ("First", "Bruno's")
    assert state["opportunities"]["o1"]["title"] == "Ana's"
    await pair.ana.call("resolve", "o1", decision)
    card = (await pair.converged())["o1"]
    assert (card["title"], card["value"]) == (title, value)
    assert pair.ana.outcomes(mutation)[-2:] == ["conflict", "saved"]
    parents = await pair.database.execute("SELECT parents FROM feed.log WHERE key = 'o1' ORDER BY seq DESC LIMIT 1")
    assert parents[0]["parents"] == [2, 3]


async def test_a_conflict_follows_later_remote_changes(pair: Pair) -> None:
    await _edit_concurrently(pair, {"title": "Ana's"}, {"title": "Bruno's"})
    await pair.ana.until(lambda state: state["conflicts"])
    await pair.bruno.call("update", "o1", {"title": "Bruno's second"})
    await pair.ana.until(lambda state: state["conflicts"]["o1"]["theirs"]["title"] == "Bruno's second")
    await pair.bruno.call("update", "o1", {"title": "First"})
    assert (await pair.converged())["o1"]["title"] == "Ana's"


async def test_a_resolution_of_an_outdated_version_is_a_new_conflict(pair: Pair) -> None:
    await _edit_concurrently(pair, {"title": "Ana's"}, {"title": "Bruno's"})
    await pair.ana.until(lambda state: state["conflicts"])
    pair.proxies["ana"][0].pause()
    await pair.bruno.call("update", "o1", {"title": "Bruno's second"})
    await pair.bruno.settled()
    await pair.ana.call("resolve", "o1", {"resolution": "client"})
    state = await pair.ana.until(lambda state: state["conflicts"] and state)
    assert state["conflicts"]["o1"]["base"]["title"] == "Bruno's"
    assert state["conflicts"]["o1"]["theirs"]["title"] == "Bruno's second"
    await pair.proxies["ana"][0].resume()
    await pair.ana.call("resolve", "o1", {"resolution": "client"})
    assert (await pair.converged())["o1"]["title"] == "Ana's"


async def test_notes_are_merged_by_lines(pair: Pair) -> None:
    await _edit_concurrently(pair, {"notes": "ONE\ntwo\nthree\nfour\nfive"}, {"notes": "one\ntwo\nthree\nfour\nFIVE"})
    assert (await pair.converged())["o1"]["notes"] == "ONE\ntwo\nthree\nfour\nFIVE"
    assert (await pair.ana.state())["rejectedWrites"] == []


async def test_notes_that_cannot_be_merged_are_a_conflict(pair: Pair) -> None:
    await _edit_concurrently(pair, {"notes": "ana\ntwo\nthree"}, {"notes": "bruno\ntwo\nthree"})
    state = await pair.ana.until(lambda state: state["conflicts"] and state)
    assert state["conflicts"]["o1"]["fields"] == ["notes"]
    await pair.ana.call("resolve", "o1", {"resolution": "merge", "data": {"notes": "ana and bruno\ntwo\nthree"}})
    assert (await pair.converged())["o1"]["notes"] == "ana and bruno\ntwo\nthree"


async def test_an_edit_of_a_deleted_card_can_become_a_new_card(pair: Pair) -> None:
    await pair.ana.edit("o1")
    await pair.ana.editor("set", "title", "Ana's")
    await pair.bruno.until(lambda state: [one["userId"] for one in state["editingUsers"].get("o1", [])] == ["ana"])
    await pair.bruno.call("remove", "o1")
    await pair.ana.until(lambda state: "o1" not in state["opportunities"])
    assert (await pair.ana.editor("getState"))["gone"] is True
    assert await pair.ana.editor("save") == "gone"
    [rejected] = (await pair.ana.state())["rejectedWrites"]
    assert (rejected["reason"], rejected["by"], rejected["changes"]) == ("deleted", "bruno", {"title": "Ana's"})
    again = await pair.ana.call("retry", rejected["id"])
    rows = await pair.converged()
    assert list(rows) == [again]
    assert rows[again]["title"] == "Ana's"
    assert rows[again]["notes"].startswith("one\n")
    assert (await pair.ana.state())["rejectedWrites"] == []


async def test_changes_made_offline_and_online_converge(pair: Pair) -> None:
    await pair.offline("ana")
    mine = await pair.ana.call("create", {"title": "Created offline", "phase": "talk"})
    await pair.ana.call("update", mine, {"value": 10})
    await pair.ana.call("update", "o1", {"title": "Ana's"})
    await pair.ana.call("move", "o1", "won")
    theirs = await pair.bruno.call("create", {"title": "Created online", "phase": "talk"})
    await pair.bruno.call("update", "o1", {"company": "Bruno's"})
    await pair.bruno.settled()
    state = await pair.ana.state()
    assert state["pendingCount"] > 0
    assert [card["id"] for card in state["columns"]["won"]] == ["o1"]
    await pair.online("ana")
    rows = await pair.converged()
    assert set(rows) == {"o1", mine, theirs}
    assert (rows[mine]["value"], rows["o1"]["title"], rows["o1"]["company"], rows["o1"]["phase"]) == (
        10,
        "Ana's",
        "Bruno's",
        "won",
    )


async def test_unsent_writes_survive_closing_the_page(pair: Pair) -> None:
    await pair.offline("ana")
    created = await pair.ana.call("create", {"title": "Kept", "phase": "new"})
    mutation = await pair.ana.call("update", "o1", {"title": "Ana's"})
    await pair.ana.close()
    await pair.online("ana")
    await pair.ana.open()
    rows = await pair.converged()
    assert (rows[created]["title"], rows["o1"]["title"]) == ("Kept", "Ana's")
    assert pair.ana.outcomes(mutation)[-1] == "saved"


@pytest.mark.parametrize("event_arrives", [True, False])
async def test_a_write_whose_response_was_lost_is_recognized_as_saved(pair: Pair, event_arrives: bool) -> None:
    """By its event, or without the event, by the retry."""
    gone = await pair.ana.call("create", {"title": "Gone", "phase": "new"})
    await pair.converged()
    if not event_arrives:
        pair.proxies["ana"][0].pause()
    await pair.ana.lose_responses(3)
    mutation = await pair.ana.call("update", "o1", {"title": "Ana's"})
    created = await pair.ana.call("create", {"title": "Made", "phase": "new"})
    removed = await pair.ana.call("remove", gone)
    await pair.ana.settled()
    for one in (mutation, removed):
        assert pair.ana.outcomes(one)[-1] == "saved"
    await pair.proxies["ana"][0].resume()
    rows = await pair.converged()
    assert {id_: card["title"] for id_, card in rows.items()} == {"o1": "Ana's", created: "Made"}
    assert rows["o1"]["version_number"] == 3
    state = await pair.ana.state()
    assert (state["conflicts"], state["rejectedWrites"]) == ({}, [])


async def test_a_card_deleted_before_its_create_was_confirmed_can_be_created_again(pair: Pair) -> None:
    pair.proxies["ana"][0].pause()
    await pair.ana.lose_responses(1000)
    created = await pair.ana.call("create", {"title": "Made", "phase": "new"})
    await pair.bruno.until(lambda state: created in state["opportunities"])
    await pair.database.execute("DELETE FROM opportunities WHERE id = %(id)s", {"id": created})
    await pair.ana.lose_responses(0)
    state = await pair.ana.until(lambda state: state["rejectedWrites"] and state)
    assert (state["rejectedWrites"][0]["reason"], state["rejectedWrites"][0]["changes"]["title"]) == ("deleted", "Made")
    await pair.proxies["ana"][0].resume()
    again = await pair.ana.call("retry", state["rejectedWrites"][0]["id"])
    assert (await pair.converged())[again]["title"] == "Made"


async def test_a_rejected_write_is_rolled_back_and_reported(pair: Pair) -> None:
    long = "x" * 10_000
    rejected_mutation = await pair.ana.call("update", "o1", {"title": long})
    await pair.ana.call("create", {"title": "", "phase": "new"})
    state = await pair.ana.until(lambda state: len(state["rejectedWrites"]) == 2 and state)
    assert state["opportunities"]["o1"]["title"] == "First"
    assert list(state["opportunities"]) == ["o1"]
    by_kind = {rejected["kind"]: rejected for rejected in state["rejectedWrites"]}
    assert by_kind["change"]["changes"] == {"title": long}
    assert (by_kind["change"]["reason"], by_kind["change"]["problem"]["code"]) == ("rejected", "invalid-input")
    assert pair.ana.outcomes(rejected_mutation) == ["rejected"]
    await pair.ana.call("retry", by_kind["change"]["id"], {"title": "Short"})
    created = await pair.ana.call("retry", by_kind["create"]["id"], {"title": "Named"})
    rows = await pair.converged()
    assert (rows["o1"]["title"], rows[created]["title"]) == ("Short", "Named")


async def test_a_write_of_a_viewer_is_rejected(pair: Pair) -> None:
    carla = await pair.boards.client("carla", pair.options)
    await carla.call("remove", "o1")
    state = await carla.until(lambda state: state["rejectedWrites"] and state)
    assert "o1" in state["opportunities"]
    assert state["role"] == "viewer"
    assert (state["rejectedWrites"][0]["kind"], state["rejectedWrites"][0]["problem"]["code"]) == (
        "remove",
        "read-only",
    )


async def test_an_editor_shows_a_clash_before_it_saves(pair: Pair) -> None:
    await pair.ana.edit("o1")
    await pair.ana.editor("set", "title", "Ana's")
    await pair.ana.editor("set", "value", 9)
    await pair.bruno.call("update", "o1", {"title": "Bruno's", "company": "Bruno's"})
    await pair.ana.until(lambda state: state["opportunities"]["o1"]["title"] == "Bruno's")
    editing = await pair.ana.editor("getState")
    assert sorted(edit["field"] for edit in editing["remote"]) == ["company", "title"]
    assert {(edit["userId"], edit["value"]) for edit in editing["remote"]} == {("bruno", "Bruno's")}
    assert editing["clashes"] == ["title"]
    await pair.ana.editor("markSeen", {"title": "Bruno's"})
    assert (await pair.ana.editor("getState"))["clashes"] == []
    assert await pair.ana.editor("save") == "saved"
    card = (await pair.converged())["o1"]
    assert (card["title"], card["value"], card["company"]) == ("Ana's", 9, "Bruno's")
    assert (await pair.ana.editor("getState"))["remote"] == [
        edit for edit in editing["remote"] if edit["field"] == "company"
    ]


async def test_saving_an_editor_with_a_clash_is_a_conflict(pair: Pair) -> None:
    await pair.ana.edit("o1")
    await pair.ana.editor("set", "title", "Ana's")
    await pair.bruno.call("update", "o1", {"title": "Bruno's"})
    await pair.ana.until(lambda state: state["opportunities"]["o1"]["title"] == "Bruno's")
    assert await pair.ana.editor("save") == "conflict"
    await pair.ana.call("resolve", "o1", {"resolution": "client"})
    assert (await pair.converged())["o1"]["title"] == "Ana's"
    assert (await pair.ana.editor("getState"))["remote"] == []


async def test_a_draft_is_kept_until_it_is_saved_or_discarded(pair: Pair) -> None:
    await pair.ana.edit("o1")
    await pair.ana.editor("set", "title", "Half")
    await pair.ana.close()
    await pair.bruno.call("update", "o1", {"value": 4})
    await pair.bruno.settled()
    await pair.ana.open()
    await pair.ana.live()
    await pair.ana.edit("o1")
    editing = await pair.ana.editor("getState")
    assert (editing["draft"], editing["base"]["value"]) == ({"title": "Half"}, None)
    assert [(edit["field"], edit["value"], edit["userId"]) for edit in editing["remote"]] == [("value", 4, "bruno")]
    await pair.ana.editor("discard")
    assert await pair.ana.draft("o1") is None
    await pair.ana.editor("set", "title", "Whole")
    assert await pair.ana.editor("save") == "saved"
    assert await pair.ana.draft("o1") is None
    assert (await pair.converged())["o1"]["title"] == "Whole"


async def test_an_old_version_is_restored(pair: Pair) -> None:
    await pair.ana.call("update", "o1", {"title": "Newer"})
    await pair.ana.settled()
    await pair.ana.call("restore", "o1", 2)
    assert (await pair.converged())["o1"]["title"] == "First"
    assert (await pair.ana.card("o1"))["version_number"] == 4


async def test_a_restore_over_an_unseen_change_is_a_conflict(pair: Pair) -> None:
    await pair.ana.call("update", "o1", {"title": "Newer"})
    await pair.bruno.until(lambda state: state["opportunities"]["o1"]["title"] == "Newer")
    await pair.offline("ana")
    await pair.bruno.call("update", "o1", {"title": "Bruno's"})
    await pair.bruno.settled()
    await pair.ana.call("restore", "o1", 2)
    await pair.online("ana")
    state = await pair.ana.until(lambda state: state["conflicts"] and state)
    assert (state["conflicts"]["o1"]["mine"]["title"], state["conflicts"]["o1"]["theirs"]["title"]) == (
        "First",
        "Bruno's",
    )
    await pair.ana.call("resolve", "o1", {"resolution": "server"})
    assert (await pair.converged())["o1"]["title"] == "Bruno's"


async def test_a_reset_loads_a_new_snapshot(pair: Pair) -> None:
    await pair.offline("ana")
    await pair.ana.call("update", "o1", {"title": "Ana's"})
    await pair.database.execute("SELECT feed.reset_feed('a test')")
    await pair.bruno.call("create", {"title": "Meanwhile", "phase": "won"})
    await pair.online("ana")
    rows = await pair.converged()
    assert {card["title"] for card in rows.values()} == {"Ana's", "Meanwhile"}


async def test_a_transaction_changes_the_state_once(pair: Pair) -> None:
    before = (await pair.bruno.observed())["states"]
    await pair.database.execute(
        "INSERT INTO opportunities (id, board_id, title, phase, position)"
        " SELECT 'bulk' || n, 'b1', 'Card', 'talk', 'a' || n FROM generate_series(0, 9) AS n"
    )
    await pair.bruno.until(lambda state: len(state["columns"]["talk"]) == 10)
    assert (await pair.bruno.observed())["states"] == before + 1


async def test_a_removed_member_sees_the_board_as_gone(pair: Pair) -> None:
    await pair.ana.call("update", "o1", {"title": "Ana's"})
    await pair.ana.settled()
    await pair.database.execute("DELETE FROM feed.board_members WHERE user_id = 'ana'")
    await pair.ana.until(lambda state: state["status"] == "gone")
    assert (await pair.ana.card("o1"))["title"] == "Ana's"
    await pair.database.execute(
        "INSERT INTO feed.board_members (board_id, user_id, role) VALUES ('b1', 'ana', 'viewer')"
    )
    await pair.ana.until(lambda state: state["status"] == "ready" and state["role"] == "viewer")
