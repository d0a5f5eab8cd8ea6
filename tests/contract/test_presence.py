"""Presence is the same on every transport, however it is reported and however it ends."""

from typing import Any

from tests.support.database import Database
from tests.support.services import Services
from tests.support.streams import Client, Message, WebSocketClient
from tests.support.until import until


async def editor(services: Services, user: str = "bruno") -> WebSocketClient:
    """A client on a WebSocket, which can send presence."""
    client = await services.open("websocket", user=user)
    assert isinstance(client, WebSocketClient)
    return client


def editing_fields(message: Message) -> dict[str, Any]:
    return {name: message.body.get(name) for name in ("opportunityId", "boardId", "userId", "userName", "baseVersion")}


async def test_all_clients_of_the_board_see_when_editing_starts_and_stops(services: Services, transport: str) -> None:
    ana = await services.open(transport)
    assert (await ana.next("presence_state")).body["presence"] == []
    bruno = await editor(services)
    await bruno.send({"type": "user_editing", "opportunityId": "o1", "userName": "Mallory", "baseVersion": 1})
    assert editing_fields(await ana.next("user_editing")) == {
        "opportunityId": "o1",
        "boardId": "b1",
        "userId": "bruno",
        "userName": "Bruno",
        "baseVersion": 1,
    }
    (state,) = (await ana.next("presence_state")).body["presence"]
    assert (state["userId"], state["action"]) == ("bruno", "editing")
    await bruno.send({"type": "user_stopped_editing", "opportunityId": "o1"})
    stopped = await ana.next("user_stopped_editing")
    assert (stopped.body["opportunityId"], stopped.body["userId"]) == ("o1", "bruno")
    assert (await ana.next("presence_state")).body["presence"] == []


async def test_a_new_client_gets_the_present_users(services: Services, transport: str) -> None:
    bruno = await editor(services)
    await bruno.send({"type": "viewing", "opportunityId": "o1"})
    await bruno.next("presence_state")
    await bruno.next("presence_state")
    await services.runtime(transport)
    ana = await services.open(transport)
    state = await ana.next("presence_state")
    # A service that has just started may load presence after its first client connects.
    while not state.body["presence"]:
        state = await ana.next("presence_state")
    assert [(user["userId"], user["action"]) for user in state.body["presence"]] == [("bruno", "viewing")]


async def test_a_dropped_websocket_stops_editing(services: Services, transport: str) -> None:
    ana = await services.open(transport)
    bruno = await editor(services)
    await bruno.send({"type": "user_editing", "opportunityId": "o1"})
    await ana.next("user_editing")
    bruno.cut()
    assert (await ana.next("user_stopped_editing")).body["userId"] == "bruno"


async def test_several_tabs_are_one_editing_user(services: Services, transport: str, database: Database) -> None:
    ana = await services.open(transport)
    first, second = await editor(services), await editor(services)
    await first.send({"type": "user_editing", "opportunityId": "o1"})
    await ana.next("user_editing")
    await second.send({"type": "user_editing", "opportunityId": "o1"})
    await second.send({"type": "ping"})
    await second.next("pong")
    assert len(await database.execute("SELECT id FROM feed.user_presence")) == 2
    await first.close()
    await second.send({"type": "user_stopped_editing", "opportunityId": "o1"})
    await ana.next("user_stopped_editing")
    assert [m.type for m in ana.messages].count("user_stopped_editing") == 1


async def test_clients_without_a_websocket_report_presence_by_http(services: Services, transport: str) -> None:
    ana = await services.open(transport)
    async with services.api_client("bruno") as http:
        path = "/api/opportunities/o1/presence"
        assert (await http.put(path, json={"action": "editing", "baseVersion": 3})).status_code == 204
        assert editing_fields(await ana.next("user_editing"))["baseVersion"] == 3
        assert (await http.delete(path)).status_code == 204
        assert (await ana.next("user_stopped_editing")).body["userId"] == "bruno"
    async with services.api_client("carla") as http:
        answer = await http.put(path, json={})
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-opportunity")


async def test_presence_is_sent_to_members_of_the_board_only(services: Services, transport: str) -> None:
    carla = await services.open(transport, user="carla")
    ana = await services.open(transport)
    bruno = await editor(services)
    await bruno.send({"type": "user_editing", "opportunityId": "o1"})
    await ana.next("user_editing")
    carla_socket = await editor(services, "carla")
    await carla_socket.send({"type": "user_editing", "opportunityId": "o1"})
    assert (await carla_socket.next("error")).body["code"] == "unknown_opportunity"
    assert [m.body["presence"] for m in carla.messages if m.type == "presence_state"] == [[]]
    assert "user_editing" not in [m.type for m in carla.messages]


async def test_leases_of_a_killed_instance_expire(services: Services, transport: str, database: Database) -> None:
    ana = await services.open(transport)
    await database.execute(
        "INSERT INTO feed.user_presence (user_id, user_name, opportunity_id, action, connection, instance, last_activity) "
        "VALUES ('bruno', 'Bruno', 'o1', 'editing', 'c', 'feed-killed', now() - interval '5 s')"
    )
    await ana.next("user_editing")
    await ana.next("user_stopped_editing", timeout=12)
    assert await database.execute("SELECT id FROM feed.user_presence") == []


async def test_presence_is_read_without_a_notification_too(
    services: Services, transport: str, database: Database
) -> None:
    ana = await services.open(transport)
    await database.execute("ALTER TABLE feed.user_presence DISABLE TRIGGER USER")
    bruno = await editor(services)
    await bruno.send({"type": "user_editing", "opportunityId": "o1"})
    await ana.next("user_editing")


async def test_polling_returns_the_same_presence(services: Services) -> None:
    bruno = await editor(services)
    async with services.api_client("ana") as http:

        async def present(path: str = "/api/boards/b1/presence") -> list[tuple[str, str]]:
            return [(user["userId"], user["action"]) for user in (await http.get(path)).json()["presence"]]

        async def present_in_the_board() -> list[tuple[str, str]]:
            return await present("/api/boards/b1")

        async def nobody_is_present() -> bool:
            return not await present() and not await present_in_the_board()

        await bruno.send({"type": "user_editing", "opportunityId": "o1"})
        assert await until(present) == [("bruno", "editing")]
        assert await until(present_in_the_board) == [("bruno", "editing")]
        bruno.cut()
        await until(nobody_is_present)


VIEW_BOARD = {"type": "viewing", "opportunityId": None, "boardId": "b1"}


async def board_viewers(client: Client) -> list[str]:
    """The users who view the board but no card, by the next presence_state of the board."""
    while True:
        state = (await client.next("presence_state")).body
        if state.get("boardId") == "b1" and "opportunityId" in state and state["opportunityId"] is None:
            assert all(
                (user["opportunityId"], user["boardId"], user["action"]) == (None, "b1", "viewing")
                for user in state["presence"]
            )
            return [user["userName"] for user in state["presence"]]


async def test_a_board_viewer_is_present_until_disconnected(services: Services, transport: str) -> None:
    ana = await services.open(transport)
    bruno = await editor(services)
    await bruno.send(VIEW_BOARD)
    assert await board_viewers(ana) == ["Bruno"]
    bruno.cut()
    assert await board_viewers(ana) == []


async def test_a_new_client_gets_the_board_viewers(services: Services, transport: str) -> None:
    bruno = await editor(services)
    await bruno.send(VIEW_BOARD)
    assert await board_viewers(bruno) == ["Bruno"]
    await services.runtime(transport)
    ana = await services.open(transport)
    state = await ana.next("presence_state")
    while not state.body["presence"]:
        state = await ana.next("presence_state")
    assert [(user["userId"], user["opportunityId"], user["boardId"]) for user in state.body["presence"]] == [
        ("bruno", None, "b1")
    ]


async def test_closing_a_card_leaves_the_user_on_the_board(
    services: Services, transport: str, database: Database
) -> None:
    ana = await services.open(transport)
    bruno = await editor(services)
    await bruno.send({"type": "viewing", "opportunityId": "o1"})
    await ana.next("presence_state")
    assert (await ana.next("presence_state")).body["opportunityId"] == "o1"
    await bruno.send(VIEW_BOARD)
    assert await board_viewers(ana) == ["Bruno"]
    state = (await ana.next("presence_state")).body
    assert (state["opportunityId"], state["presence"]) == ("o1", [])
    await bruno.send({"type": "user_editing", "opportunityId": "o1"})
    await ana.next("user_editing")
    await bruno.send({"type": "stopped_viewing", "boardId": "b1"})
    assert await board_viewers(ana) == []
    # Bruno still edits: viewing the board, or no longer viewing it, does not end editing.
    assert [row["action"] for row in await database.execute("SELECT action FROM feed.user_presence")] == ["editing"]
    await bruno.send(VIEW_BOARD)
    assert await board_viewers(ana) == ["Bruno"]
    await bruno.send({"type": "viewing"})
    assert await board_viewers(ana) == []
    assert await database.execute("SELECT id FROM feed.user_presence") == []


async def test_several_viewing_tabs_are_one_user(services: Services, transport: str, database: Database) -> None:
    ana = await services.open(transport)
    first, second = await editor(services), await editor(services)
    for tab in (first, second):
        await tab.send(VIEW_BOARD)
        await tab.send({"type": "ping"})
        await tab.next("pong")
    assert len(await database.execute("SELECT id FROM feed.user_presence")) == 2
    assert await board_viewers(ana) == ["Bruno"]
    await first.close()
    await second.send({"type": "viewing", "opportunityId": None, "boardId": None})
    while await board_viewers(ana):
        pass  # the other tab's lease takes over: the same user, with another start time
    assert await database.execute("SELECT id FROM feed.user_presence") == []


async def test_board_viewers_can_be_reported_by_http(services: Services, transport: str) -> None:
    ana = await services.open(transport)
    async with services.api_client("bruno") as http:
        assert (await http.put("/api/boards/b1/presence")).status_code == 204
        assert await board_viewers(ana) == ["Bruno"]
        assert (await http.delete("/api/boards/b1/presence")).status_code == 204
        assert await board_viewers(ana) == []


async def test_only_members_can_be_board_viewers(services: Services, transport: str, database: Database) -> None:
    ana = await services.open(transport)
    carla, bruno = await editor(services, "carla"), await editor(services)
    await carla.send(VIEW_BOARD)
    assert (await carla.next("error")).body["code"] == "unknown_board"
    await bruno.send(VIEW_BOARD)
    assert await board_viewers(ana) == ["Bruno"]
    await database.execute("DELETE FROM feed.board_members WHERE user_id = 'bruno'")
    assert await board_viewers(ana) == []


async def test_polling_returns_the_board_viewers(services: Services) -> None:
    bruno = await editor(services)
    await bruno.send(VIEW_BOARD)
    async with services.api_client("ana") as http:

        async def present() -> list[tuple[str, str | None]]:
            found = (await http.get("/api/boards/b1/presence")).json()["presence"]
            return [(user["userId"], user["opportunityId"]) for user in found]

        assert await until(present) == [("bruno", None)]
