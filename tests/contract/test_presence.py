"""Who is where, told alike on every transport, whoever says it and however he goes."""

from typing import Any

from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.streams import Client, Message, WebSocketClient
from tests.support.until import until


async def editor(services: Services, user: str = "bruno") -> WebSocketClient:
    """A client with a WebSocket, who can say what he does."""
    client = await services.open("websocket", user=user)
    assert isinstance(client, WebSocketClient)
    return client


def editing(message: Message) -> dict[str, Any]:
    return {name: message.body.get(name) for name in ("opportunityId", "boardId", "userId", "userName", "baseVersion")}


async def test_everyone_on_the_board_hears_who_edits_and_that_he_stops(serve: Serve, transport: str) -> None:
    services = await serve()
    ana = await services.open(transport)
    assert (await ana.next("presence_state")).body["presence"] == []
    bruno = await editor(services)
    await bruno.send({"type": "user_editing", "opportunityId": "o1", "userName": "Mallory", "baseVersion": 1})
    assert editing(await ana.next("user_editing")) == {
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


async def test_who_connects_later_is_told_who_is_there(serve: Serve, transport: str) -> None:
    services = await serve()
    bruno = await editor(services)
    await bruno.send({"type": "viewing", "opportunityId": "o1"})
    await bruno.next("presence_state")
    await bruno.next("presence_state")
    await services.hub(transport)
    ana = await services.open(transport)
    state = await ana.next("presence_state")
    # A service that has just started may learn it a moment after its first client came.
    while not state.body["presence"]:
        state = await ana.next("presence_state")
    assert [(one["userId"], one["action"]) for one in state.body["presence"]] == [("bruno", "viewing")]


async def test_a_socket_that_is_cut_edits_no_more(serve: Serve, transport: str) -> None:
    services = await serve()
    ana = await services.open(transport)
    bruno = await editor(services)
    await bruno.send({"type": "user_editing", "opportunityId": "o1"})
    await ana.next("user_editing")
    bruno.cut()
    assert (await ana.next("user_stopped_editing")).body["userId"] == "bruno"


async def test_many_tabs_are_one_user(serve: Serve, transport: str, database: Database) -> None:
    services = await serve()
    ana = await services.open(transport)
    first, second = await editor(services), await editor(services)
    await first.send({"type": "user_editing", "opportunityId": "o1"})
    await ana.next("user_editing")
    await second.send({"type": "user_editing", "opportunityId": "o1"})
    await second.send({"type": "ping"})
    await second.next("pong")
    assert len(await database.execute("SELECT id FROM user_presence")) == 2
    await first.close()
    await second.send({"type": "user_stopped_editing", "opportunityId": "o1"})
    await ana.next("user_stopped_editing")
    assert [m.type for m in ana.messages].count("user_stopped_editing") == 1


async def test_requests_say_it_for_clients_without_a_socket(serve: Serve, transport: str) -> None:
    services = await serve()
    ana = await services.open(transport)
    async with services.asking("bruno") as http:
        path = "/api/opportunities/o1/presence"
        assert (await http.put(path, json={"action": "editing", "baseVersion": 3})).status_code == 204
        assert editing(await ana.next("user_editing"))["baseVersion"] == 3
        assert (await http.delete(path)).status_code == 204
        assert (await ana.next("user_stopped_editing")).body["userId"] == "bruno"
    async with services.asking("carla") as http:
        answer = await http.put(path, json={})
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-opportunity")


async def test_nobody_is_told_of_boards_that_are_not_his(serve: Serve, transport: str) -> None:
    services = await serve()
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


async def test_the_leases_of_a_killed_instance_run_out(serve: Serve, transport: str, database: Database) -> None:
    services = await serve()
    ana = await services.open(transport)
    await database.execute(
        "INSERT INTO user_presence (user_id, user_name, opportunity_id, action, connection, instance, last_activity) "
        "VALUES ('bruno', 'Bruno', 'o1', 'editing', 'c', 'feed-killed', now() - interval '5 s')"
    )
    await ana.next("user_editing")
    await ana.next("user_stopped_editing", timeout=12)
    assert await database.execute("SELECT id FROM user_presence") == []


async def test_a_notification_that_never_came_is_made_up_for(serve: Serve, transport: str, database: Database) -> None:
    services = await serve()
    ana = await services.open(transport)
    await database.execute("ALTER TABLE user_presence DISABLE TRIGGER USER")
    bruno = await editor(services)
    await bruno.send({"type": "user_editing", "opportunityId": "o1"})
    await ana.next("user_editing")


async def test_who_polls_is_told_the_same(services: Services) -> None:
    bruno = await editor(services)
    async with services.asking("ana") as http:

        async def there() -> list[tuple[str, str]]:
            found = (await http.get("/api/boards/b1/presence")).json()["presence"]
            return [(one["userId"], one["action"]) for one in found]

        async def nobody() -> bool:
            return await there() == []

        await bruno.send({"type": "user_editing", "opportunityId": "o1"})
        assert await until(there) == [("bruno", "editing")]
        assert (await http.get("/api/boards/b1")).json()["presence"][0]["userId"] == "bruno"
        bruno.cut()
        await until(nobody)
        assert (await http.get("/api/boards/b1")).json()["presence"] == []


LOOK = {"type": "viewing", "opportunityId": None, "boardId": "b1"}


async def lookers(client: Client) -> list[str]:
    """Who looks at the board and at no card, as the next message of it says."""
    while True:
        state = (await client.next("presence_state")).body
        if state.get("boardId") == "b1" and "opportunityId" in state and state["opportunityId"] is None:
            assert all(
                (one["opportunityId"], one["boardId"], one["action"]) == (None, "b1", "viewing")
                for one in state["presence"]
            )
            return [one["userName"] for one in state["presence"]]


async def test_who_looks_at_the_board_is_there_until_he_goes(serve: Serve, transport: str) -> None:
    services = await serve()
    ana = await services.open(transport)
    bruno = await editor(services)
    await bruno.send(LOOK)
    assert await lookers(ana) == ["Bruno"]
    bruno.cut()
    assert await lookers(ana) == []


async def test_who_connects_later_is_told_who_looks(serve: Serve, transport: str) -> None:
    services = await serve()
    bruno = await editor(services)
    await bruno.send(LOOK)
    assert await lookers(bruno) == ["Bruno"]
    await services.hub(transport)
    ana = await services.open(transport)
    state = await ana.next("presence_state")
    while not state.body["presence"]:
        state = await ana.next("presence_state")
    assert [(one["userId"], one["opportunityId"], one["boardId"]) for one in state.body["presence"]] == [
        ("bruno", None, "b1")
    ]


async def test_a_card_that_is_closed_leaves_one_on_the_board(serve: Serve, transport: str, database: Database) -> None:
    services = await serve()
    ana = await services.open(transport)
    bruno = await editor(services)
    await bruno.send({"type": "viewing", "opportunityId": "o1"})
    await ana.next("presence_state")
    assert (await ana.next("presence_state")).body["opportunityId"] == "o1"
    await bruno.send(LOOK)
    assert await lookers(ana) == ["Bruno"]
    state = (await ana.next("presence_state")).body
    assert (state["opportunityId"], state["presence"]) == ("o1", [])
    await bruno.send({"type": "user_editing", "opportunityId": "o1"})
    await ana.next("user_editing")
    await bruno.send({"type": "stopped_viewing", "boardId": "b1"})
    assert await lookers(ana) == []
    # He edits on: looking at the board is no word about what he edits, and neither is looking away from it.
    assert [row["action"] for row in await database.execute("SELECT action FROM user_presence")] == ["editing"]
    await bruno.send(LOOK)
    assert await lookers(ana) == ["Bruno"]
    await bruno.send({"type": "viewing"})
    assert await lookers(ana) == []
    assert await database.execute("SELECT id FROM user_presence") == []


async def test_many_tabs_that_look_are_one_user(serve: Serve, transport: str, database: Database) -> None:
    services = await serve()
    ana = await services.open(transport)
    first, second = await editor(services), await editor(services)
    for tab in (first, second):
        await tab.send(LOOK)
        await tab.send({"type": "ping"})
        await tab.next("pong")
    assert len(await database.execute("SELECT id FROM user_presence")) == 2
    assert await lookers(ana) == ["Bruno"]
    await first.close()
    await second.send({"type": "viewing", "opportunityId": None, "boardId": None})
    while await lookers(ana):
        pass  # the one tab's lease instead of the other's: the same user, since another time
    assert await database.execute("SELECT id FROM user_presence") == []


async def test_requests_say_who_looks(serve: Serve, transport: str) -> None:
    services = await serve()
    ana = await services.open(transport)
    async with services.asking("bruno") as http:
        assert (await http.put("/api/boards/b1/presence")).status_code == 204
        assert await lookers(ana) == ["Bruno"]
        assert (await http.delete("/api/boards/b1/presence")).status_code == 204
        assert await lookers(ana) == []


async def test_nobody_looks_at_a_board_that_is_not_his(serve: Serve, transport: str, database: Database) -> None:
    services = await serve()
    ana = await services.open(transport)
    carla, bruno = await editor(services, "carla"), await editor(services)
    await carla.send(LOOK)
    assert (await carla.next("error")).body["code"] == "unknown_board"
    await bruno.send(LOOK)
    assert await lookers(ana) == ["Bruno"]
    await database.execute("DELETE FROM board_members WHERE user_id = 'bruno'")
    assert await lookers(ana) == []


async def test_who_polls_is_told_who_looks(services: Services) -> None:
    bruno = await editor(services)
    await bruno.send(LOOK)
    async with services.asking("ana") as http:

        async def there() -> list[tuple[str, str | None]]:
            found = (await http.get("/api/boards/b1/presence")).json()["presence"]
            return [(one["userId"], one["opportunityId"]) for one in found]

        assert await until(there) == [("bruno", None)]
