"""The client's store against the real services: optimistic, confirmed, merged, asked about, and never silently dropped."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.boards import Boards, Client, cards, furnish, table
from tests.clients.follower import PATIENCE
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import Services
from tests.support.until import until


@dataclass
class Pair:
    """Ana and Bruno with the same board before them, each behind proxies of their own for the feed and the API."""

    boards: Boards
    database: Database
    ana: Client
    bruno: Client
    cuts: dict[str, list[Proxy]]
    options: dict[str, Any]

    async def offline(self, name: str) -> None:
        for proxy in self.cuts[name]:
            proxy.refuse()
            proxy.cut()

    async def online(self, name: str) -> None:
        for proxy in self.cuts[name]:
            await proxy.resume()

    async def converged(self) -> dict[str, dict[str, Any]]:
        """Wait until both show what the table holds; that."""
        await self.ana.settled()
        await self.bruno.settled()

        async def equal() -> bool:
            rows = await table(self.database)
            return cards(await self.ana.state()) == rows == cards(await self.bruno.state())

        await until(equal, timeout=PATIENCE, what="the boards and the table to be equal")
        return await table(self.database)


@pytest.fixture
async def pair(services: Services, database: Database, node: str, bundle: str) -> AsyncIterator[Pair]:
    await furnish(database)
    feed, api = await services.feed(), await services.api()
    options = {"api": f"http://127.0.0.1:{api}", "feed": f"http://127.0.0.1:{feed}"}
    async with (
        Proxy("127.0.0.1", feed) as feed_ana,
        Proxy("127.0.0.1", api) as api_ana,
        Proxy("127.0.0.1", feed) as feed_bruno,
        Proxy("127.0.0.1", api) as api_bruno,
        Boards().start(node, bundle) as boards,
    ):
        cuts = {"ana": [feed_ana, api_ana], "bruno": [feed_bruno, api_bruno]}
        ways = {
            name: {key: proxy.through(options[key]) for key, proxy in zip(("feed", "api"), two, strict=True)}
            for name, two in cuts.items()
        }
        ana = await boards.client("ana", ways["ana"])
        bruno = await boards.client("bruno", ways["bruno"])
        yield Pair(boards, database, ana, bruno, cuts, options)


async def test_a_write_is_shown_at_once_and_its_own_event_is_no_news(pair: Pair) -> None:
    mutation = await pair.ana.call("update", "o1", {"title": "  Mine ", "value": 12.5})
    assert (await pair.ana.card("o1"))["title"] == "Mine"
    state = await pair.ana.settled()
    assert state["opportunities"]["o1"]["version_number"] == 3
    assert pair.ana.outcomes(mutation) == ["saved"]
    await pair.bruno.until(lambda state: state["opportunities"]["o1"]["title"] == "Mine")
    news = (await pair.bruno.seen())["remote"]
    assert [(one["id"], one["kind"], one["userId"], sorted(one["fields"])) for one in news] == [
        ("o1", "updated", "ana", ["title", "value"])
    ]
    await pair.bruno.call("update", "o1", {"company": "Theirs"})
    await pair.ana.until(lambda state: state["opportunities"]["o1"]["company"] == "Theirs")
    assert [one["userId"] for one in (await pair.ana.seen())["remote"]] == ["bruno"]
    await pair.converged()


async def test_a_card_is_made_moved_and_deleted_and_comes_back(pair: Pair) -> None:
    made = await pair.ana.call("create", {"title": "Second", "phase": "new", "value": 7})
    await pair.ana.call("move", made, "new", None, "o1")
    await pair.bruno.until(lambda state: [card["id"] for card in state["columns"]["new"]] == [made, "o1"])
    await pair.bruno.call("move", made, "won")
    await pair.ana.until(lambda state: [card["id"] for card in state["columns"]["won"]] == [made])
    moved = (await pair.ana.seen())["remote"][-1]
    assert (moved["kind"], moved["fromPhase"], moved["toPhase"]) == ("moved", "new", "won")
    await pair.ana.call("remove", made)
    assert await pair.ana.card(made) is None
    await pair.bruno.until(lambda state: made not in state["opportunities"])
    await pair.ana.settled()
    await pair.ana.call("undoRemove", made)
    assert (await pair.ana.card(made))["title"] == "Second"
    rows = await pair.converged()
    assert rows[made]["phase"] == "won"


async def test_a_deletion_that_was_not_sent_is_taken_back_without_a_word(pair: Pair) -> None:
    await pair.offline("ana")
    await pair.ana.call("update", "o1", {"title": "Waits"})
    await pair.ana.until(lambda state: state["pendingCount"] == 1)
    await pair.ana.call("remove", "o1")
    assert await pair.ana.card("o1") is None
    await pair.ana.call("undoRemove", "o1")
    assert (await pair.ana.card("o1"))["title"] == "Waits"
    await pair.online("ana")
    assert (await pair.converged())["o1"]["title"] == "Waits"


async def _both_change(pair: Pair, mine: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Ana writes while she does not know what Bruno has written; her mutation."""
    await pair.offline("ana")
    await pair.bruno.call("update", "o1", theirs)
    await pair.bruno.settled()
    mutation: str = await pair.ana.call("update", "o1", mine)
    await pair.online("ana")
    return mutation


async def test_what_two_changed_of_one_card_is_put_together(pair: Pair) -> None:
    await _both_change(pair, {"title": "Ana's", "phase": "talk"}, {"company": "Bruno's", "value": 3})
    card = (await pair.converged())["o1"]
    assert (card["title"], card["phase"], card["company"], card["value"]) == ("Ana's", "talk", "Bruno's", 3)
    assert (await pair.ana.state())["conflicts"] == {}


async def test_a_stale_write_is_written_again_by_itself(pair: Pair) -> None:
    """The events held back, so that only the 412 tells."""
    pair.cuts["ana"][0].pause()
    await pair.bruno.call("update", "o1", {"company": "Bruno's"})
    await pair.bruno.settled()
    mutation = await pair.ana.call("update", "o1", {"title": "Ana's"})
    await pair.ana.settled()
    assert pair.ana.outcomes(mutation) == ["saved"]
    await pair.cuts["ana"][0].resume()
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
async def test_who_changed_the_same_field_is_asked(
    pair: Pair, decision: dict[str, Any], title: str, value: int
) -> None:
    mutation = await _both_change(pair, {"title": "Ana's", "value": 5}, {"title": "Bruno's"})
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


async def test_a_conflict_follows_what_the_other_does(pair: Pair) -> None:
    await _both_change(pair, {"title": "Ana's"}, {"title": "Bruno's"})
    await pair.ana.until(lambda state: state["conflicts"])
    await pair.bruno.call("update", "o1", {"title": "Bruno's second"})
    await pair.ana.until(lambda state: state["conflicts"]["o1"]["theirs"]["title"] == "Bruno's second")
    await pair.bruno.call("update", "o1", {"title": "First"})
    assert (await pair.converged())["o1"]["title"] == "Ana's"


async def test_a_decision_on_what_is_past_is_asked_for_again(pair: Pair) -> None:
    await _both_change(pair, {"title": "Ana's"}, {"title": "Bruno's"})
    await pair.ana.until(lambda state: state["conflicts"])
    pair.cuts["ana"][0].pause()
    await pair.bruno.call("update", "o1", {"title": "Bruno's second"})
    await pair.bruno.settled()
    await pair.ana.call("resolve", "o1", {"resolution": "client"})
    state = await pair.ana.until(lambda state: state["conflicts"] and state)
    assert state["conflicts"]["o1"]["base"]["title"] == "Bruno's"
    assert state["conflicts"]["o1"]["theirs"]["title"] == "Bruno's second"
    await pair.cuts["ana"][0].resume()
    await pair.ana.call("resolve", "o1", {"resolution": "client"})
    assert (await pair.converged())["o1"]["title"] == "Ana's"


async def test_notes_are_merged_by_lines(pair: Pair) -> None:
    await _both_change(pair, {"notes": "ONE\ntwo\nthree\nfour\nfive"}, {"notes": "one\ntwo\nthree\nfour\nFIVE"})
    assert (await pair.converged())["o1"]["notes"] == "ONE\ntwo\nthree\nfour\nFIVE"
    assert (await pair.ana.state())["rejectedWrites"] == []


async def test_notes_that_cannot_be_merged_are_asked_about(pair: Pair) -> None:
    await _both_change(pair, {"notes": "ana\ntwo\nthree"}, {"notes": "bruno\ntwo\nthree"})
    state = await pair.ana.until(lambda state: state["conflicts"] and state)
    assert state["conflicts"]["o1"]["fields"] == ["notes"]
    await pair.ana.call("resolve", "o1", {"resolution": "merge", "data": {"notes": "ana and bruno\ntwo\nthree"}})
    assert (await pair.converged())["o1"]["notes"] == "ana and bruno\ntwo\nthree"


async def test_an_edit_of_a_deleted_card_is_offered_as_a_new_one(pair: Pair) -> None:
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


async def test_changes_of_both_sides_of_a_cut_converge(pair: Pair) -> None:
    await pair.offline("ana")
    mine = await pair.ana.call("create", {"title": "Made away", "phase": "talk"})
    await pair.ana.call("update", mine, {"value": 10})
    await pair.ana.call("update", "o1", {"title": "Ana's"})
    await pair.ana.call("move", "o1", "won")
    theirs = await pair.bruno.call("create", {"title": "Made here", "phase": "talk"})
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


async def test_what_was_not_sent_outlives_the_page(pair: Pair) -> None:
    await pair.offline("ana")
    made = await pair.ana.call("create", {"title": "Kept", "phase": "new"})
    mutation = await pair.ana.call("update", "o1", {"title": "Ana's"})
    await pair.ana.close()
    await pair.online("ana")
    await pair.ana.open()
    rows = await pair.converged()
    assert (rows[made]["title"], rows["o1"]["title"]) == ("Kept", "Ana's")
    assert pair.ana.outcomes(mutation)[-1] == "saved"


@pytest.mark.parametrize("announced", [True, False])
async def test_a_write_whose_answer_was_lost_finds_itself_done(pair: Pair, announced: bool) -> None:
    """By its event, or where that does not come either, when it is tried again."""
    gone = await pair.ana.call("create", {"title": "Gone", "phase": "new"})
    await pair.converged()
    if not announced:
        pair.cuts["ana"][0].pause()
    await pair.ana.lose(3)
    mutation = await pair.ana.call("update", "o1", {"title": "Ana's"})
    made = await pair.ana.call("create", {"title": "Made", "phase": "new"})
    removed = await pair.ana.call("remove", gone)
    await pair.ana.settled()
    for one in (mutation, removed):
        assert pair.ana.outcomes(one)[-1] == "saved"
    await pair.cuts["ana"][0].resume()
    rows = await pair.converged()
    assert {id_: card["title"] for id_, card in rows.items()} == {"o1": "Ana's", made: "Made"}
    assert rows["o1"]["version_number"] == 3
    state = await pair.ana.state()
    assert (state["conflicts"], state["rejectedWrites"]) == ({}, [])


async def test_a_card_that_was_made_and_deleted_before_its_maker_heard_is_offered_again(pair: Pair) -> None:
    pair.cuts["ana"][0].pause()
    await pair.ana.lose(1000)
    made = await pair.ana.call("create", {"title": "Made", "phase": "new"})
    await pair.bruno.until(lambda state: made in state["opportunities"])
    await pair.database.execute("DELETE FROM opportunities WHERE id = %(id)s", {"id": made})
    await pair.ana.lose(0)
    state = await pair.ana.until(lambda state: state["rejectedWrites"] and state)
    assert (state["rejectedWrites"][0]["reason"], state["rejectedWrites"][0]["changes"]["title"]) == ("deleted", "Made")
    await pair.cuts["ana"][0].resume()
    again = await pair.ana.call("retry", state["rejectedWrites"][0]["id"])
    assert (await pair.converged())[again]["title"] == "Made"


async def test_a_rejected_write_is_undone_and_reported(pair: Pair) -> None:
    long = "x" * 10_000
    refused = await pair.ana.call("update", "o1", {"title": long})
    await pair.ana.call("create", {"title": "", "phase": "new"})
    state = await pair.ana.until(lambda state: len(state["rejectedWrites"]) == 2 and state)
    assert state["opportunities"]["o1"]["title"] == "First"
    assert list(state["opportunities"]) == ["o1"]
    by_kind = {rejected["kind"]: rejected for rejected in state["rejectedWrites"]}
    assert by_kind["change"]["changes"] == {"title": long}
    assert (by_kind["change"]["reason"], by_kind["change"]["problem"]["code"]) == ("rejected", "invalid-input")
    assert pair.ana.outcomes(refused) == ["rejected"]
    await pair.ana.call("retry", by_kind["change"]["id"], {"title": "Short"})
    made = await pair.ana.call("retry", by_kind["create"]["id"], {"title": "Named"})
    rows = await pair.converged()
    assert (rows["o1"]["title"], rows[made]["title"]) == ("Short", "Named")


async def test_a_viewer_gets_a_rejected_write(pair: Pair) -> None:
    carla = await pair.boards.client("carla", pair.options)
    await carla.call("remove", "o1")
    state = await carla.until(lambda state: state["rejectedWrites"] and state)
    assert "o1" in state["opportunities"]
    assert state["role"] == "viewer"
    assert (state["rejectedWrites"][0]["kind"], state["rejectedWrites"][0]["problem"]["code"]) == (
        "remove",
        "read-only",
    )


async def test_an_editor_knows_of_a_clash_before_it_saves(pair: Pair) -> None:
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


async def test_an_editor_that_clashes_asks(pair: Pair) -> None:
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


async def test_an_old_version_comes_back(pair: Pair) -> None:
    await pair.ana.call("update", "o1", {"title": "Newer"})
    await pair.ana.settled()
    await pair.ana.call("restore", "o1", 2)
    assert (await pair.converged())["o1"]["title"] == "First"
    assert (await pair.ana.card("o1"))["version_number"] == 4


async def test_a_restore_over_what_was_not_seen_is_asked_about(pair: Pair) -> None:
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


async def test_a_reset_is_followed_by_a_new_snapshot(pair: Pair) -> None:
    await pair.offline("ana")
    await pair.ana.call("update", "o1", {"title": "Ana's"})
    await pair.database.execute("SELECT feed.reset_feed('a test')")
    await pair.bruno.call("create", {"title": "Meanwhile", "phase": "won"})
    await pair.online("ana")
    rows = await pair.converged()
    assert {card["title"] for card in rows.values()} == {"Ana's", "Meanwhile"}


async def test_a_transaction_is_one_change_of_the_state(pair: Pair) -> None:
    before = (await pair.bruno.seen())["states"]
    await pair.database.execute(
        "INSERT INTO opportunities (id, board_id, title, phase, position)"
        " SELECT 'bulk' || n, 'b1', 'Card', 'talk', 'a' || n FROM generate_series(0, 9) AS n"
    )
    await pair.bruno.until(lambda state: len(state["columns"]["talk"]) == 10)
    assert (await pair.bruno.seen())["states"] == before + 1


async def test_who_is_no_member_any_more_sees_that_it_is_gone(pair: Pair) -> None:
    await pair.ana.call("update", "o1", {"title": "Ana's"})
    await pair.ana.settled()
    await pair.database.execute("DELETE FROM board_members WHERE user_id = 'ana'")
    await pair.ana.until(lambda state: state["status"] == "gone")
    assert (await pair.ana.card("o1"))["title"] == "Ana's"
    await pair.database.execute("INSERT INTO board_members (board_id, user_id, role) VALUES ('b1', 'ana', 'viewer')")
    await pair.ana.until(lambda state: state["status"] == "ready" and state["role"] == "viewer")
