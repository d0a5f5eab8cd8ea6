"""What a user is offered is told on open streams in its place, and who is not offered a transport is asked to leave it."""

import pytest

from db import flags
from feed.delivery import rollout
from feed.delivery.flags import allows, rollout_bucket
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.streams import Client, RefusedError
from tests.support.until import until

LOWER = {"websocket": "sse", "websocket-batch": "poll", "sse": "poll", "api-events": "off"}
"""What takes each transport away."""


async def decide(
    database: Database, value: str | None, *, user: str | None = None, percentage: int | None = None
) -> None:
    """Set a rule; None takes it away."""
    async with await database.connect() as conn:
        scope = "user" if user else "everybody" if percentage is None else "percentage"
        if value is None:
            await conn.execute("DELETE FROM feed.flags WHERE scope = %s AND user_id = %s", (scope, user or ""))
        else:
            await conn.execute(
                "INSERT INTO feed.flags (flag, scope, user_id, percentage, value) VALUES ('realtime', %s, %s, %s, %s)"
                " ON CONFLICT (flag, scope, user_id) DO UPDATE SET value = excluded.value, percentage = excluded.percentage",
                (scope, user or "", percentage, value),
            )


async def told(client: Client) -> str:
    message = await client.next("flags")
    assert message.cursor is None
    return str(message.body["realtime"])


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients have hardly any time to leave."""
    monkeypatch.setattr(rollout, "_SWITCH_TIMEOUT", 0.05)


async def test_auth_success_says_what_the_user_is_offered(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    assert client.messages[0].body["realtime"] == "websocket"
    await decide(database, "sse", user="ana")
    assert await told(client) == "sse"
    if not transport.startswith("websocket"):
        again = await services.open(transport)
        assert again.messages[0].body["realtime"] == "sse"


async def test_a_change_is_told_to_whom_it_concerns_and_only_to_him(
    services: Services, database: Database, transport: str
) -> None:
    ana, bruno = await services.open(transport), await services.open(transport, user="bruno")
    await decide(database, "sse", user="bruno")
    assert await told(bruno) == "sse"
    await decide(database, "poll")
    assert await told(ana) == "poll"
    await decide(database, None, user="bruno")
    assert await told(bruno) == "poll"
    await decide(database, None)
    assert [await told(ana), await told(bruno)] == ["websocket", "websocket"]
    assert [m.type for m in ana.messages].count("flags") == 2


async def test_a_share_decides_by_the_users_ids(services: Services, database: Database, transport: str) -> None:
    ana, bruno = await services.open(transport), await services.open(transport, user="bruno")
    first, second = sorted((("ana", ana), ("bruno", bruno)), key=lambda one: rollout_bucket(one[0]))
    await decide(database, "sse", percentage=rollout_bucket(first[0]) + 1)
    assert await told(first[1]) == "sse"
    await decide(database, "sse", percentage=rollout_bucket(second[0]) + 1)
    assert await told(second[1]) == "sse"
    assert [m.type for m in first[1].messages].count("flags") == 1


async def test_it_goes_along_with_the_events_and_has_no_part_in_them(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("UPDATE opportunities SET title = 'B'")
        await writer.execute("INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', 'sse')")
        await writer.execute("UPDATE opportunities SET title = 'C'")
    events = await client.collect(2)
    assert [m.body["changes"]["title"] for m in events] == ["B", "C"]
    assert await told(client) == "sse"
    assert events[-1].cursor is not None
    await database.execute("TRUNCATE feed.flags")
    assert await told(client) == "websocket"
    await database.execute("UPDATE opportunities SET title = 'D'")
    assert (await client.next_event()).body["changes"]["title"] == "D"


async def test_among_thousands_of_changes_it_is_still_told(serve: Serve, database: Database, transport: str) -> None:
    """A board with too many changes is told by one resync, and flags and rows without a board are not one of them."""
    services = await serve(resync_threshold=10)
    await database.execute("CREATE TABLE plain (id int PRIMARY KEY)")
    await database.execute("SELECT feed.attach('plain')")
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO plain SELECT generate_series(1, 20)")
        await writer.execute("INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', 'sse')")
        await writer.execute("INSERT INTO plain SELECT generate_series(21, 40)")
    assert await told(client) == "sse"


async def test_who_stays_on_what_he_is_not_offered_is_asked_to_go(
    services: Services, database: Database, transport: str, short: None
) -> None:
    client = await services.open(transport)
    await decide(database, LOWER[transport])
    assert await told(client) == LOWER[transport]
    goodbye = await client.next("goodbye")
    assert (goodbye.body["reason"], goodbye.body["retryMs"]) == ("not_offered", rollout.RETRY_MS)
    ended = await client.end()
    assert ended.code == (4406 if transport.startswith("websocket") else None)


async def test_who_is_offered_more_than_he_has_may_stay(
    services: Services, database: Database, transport: str, short: None
) -> None:
    client = await services.open(transport)
    await decide(database, "websocket" if transport.startswith("websocket") else "sse", user="ana")
    if not transport.startswith("websocket"):
        assert await told(client) == "sse"
    hub = await services.hub(transport)
    (subscription,) = hub.connections
    assert subscription.leave_by is None


async def test_who_is_let_in_again_in_time_stays(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await decide(database, "off")
    assert await told(client) == "off"
    hub = await services.hub(transport)
    (subscription,) = hub.connections
    assert subscription.leave_by is not None
    await decide(database, None)
    assert await told(client) == "websocket"
    assert subscription.leave_by is None


async def test_what_a_user_is_not_offered_does_not_begin(
    services: Services, database: Database, transport: str
) -> None:
    hub = await services.hub(transport)
    await decide(database, LOWER[transport], user="ana")
    await until(lambda: hub.rollout.best_transport("ana") == LOWER[transport])
    if transport.startswith("websocket"):
        client = await services.open(transport, greeted=False)
        assert await told(client) == LOWER[transport]
        assert (await client.next("goodbye")).body["reason"] == "not_offered"
        assert (await client.end()).code == 4406
    else:
        with pytest.raises(RefusedError) as refused:
            await services.open(transport)
        assert (refused.value.status, refused.value.problem["type"]) == (406, "/problems/not-offered")
    assert (await services.open(transport, user="bruno")).messages[0].body["realtime"] == "websocket"


async def test_an_instance_that_begins_knows_what_was_decided_before(
    services: Services, database: Database, transport: str
) -> None:
    await decide(database, "sse")
    assert (await services.hub(transport)).rollout.best_transport("ana") == "sse"
    await services.stop()
    await decide(database, None)
    assert (await services.open(transport)).messages[0].body["realtime"] == "websocket"


async def test_a_feed_that_was_reset_asks_again(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    async with await database.connect() as conn:
        await conn.execute("SET session_replication_role = replica")  # past the triggers, as a restore would
        await conn.execute("INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', 'sse')")
        await conn.execute("SELECT feed.reset_feed()")
    assert await told(client) == "sse"
    assert (await client.next("reset", timeout=15)).body["reason"] == "foreign"


async def test_while_nothing_is_logged_nothing_live_is_offered(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("SELECT feed.set_capture(false)")
    assert await told(client) == "off"
    await database.execute("UPDATE opportunities SET title = 'Unlogged'")
    await database.execute("SELECT feed.set_capture(true)")
    assert await told(client) == "websocket"
    assert (await client.next("reset")).body["reason"] == "foreign"
    await database.execute("UPDATE opportunities SET title = 'Logged'")
    assert (await client.next_event()).body["version"] == 3


async def test_who_was_let_in_or_out_while_nothing_was_logged(
    services: Services, database: Database, transport: str
) -> None:
    """Also who was let in before there was a log."""
    async with await database.connect() as conn:
        await conn.execute("SET session_replication_role = replica")
        await conn.execute("INSERT INTO board_members VALUES ('b1', 'carla', 'viewer')")
    clients = [await services.open(transport, user=user) for user in ("ana", "bruno", "carla")]
    assert [client.messages[0].body["boards"] for client in clients] == [["b1"], ["b1", "b2"], ["b1"]]
    await database.execute("SELECT feed.set_capture(false)")
    await database.execute("INSERT INTO board_members VALUES ('b2', 'ana', 'viewer')")
    await database.execute("DELETE FROM board_members WHERE user_id IN ('bruno', 'carla')")
    await database.execute("SELECT feed.set_capture(true)")
    for client in clients:
        await client.next("reset")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2'), ('y', 'b1')")
    await database.execute("INSERT INTO board_members VALUES ('b1', 'bruno', 'viewer'), ('b1', 'carla', 'viewer')")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('z', 'b1')")
    found = [(await client.next("opportunity_created")).body["opportunityId"] for client in clients]
    assert found == ["x", "z", "z"]


async def test_while_the_bell_is_off_all_is_told_by_the_sweep(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("SELECT feed.set_notify(false)")
    hub = await services.hub(transport)
    await until(lambda: hub.pacer.mode in {"muted", "inactive"})
    for title in ("B", "C"):
        await database.execute("UPDATE opportunities SET title = %s", [title])
        event = await client.next_event()
        assert event.body["changes"]["title"] == title
    rung = await database.execute("SELECT notifications FROM feed.pacer")
    await database.execute("UPDATE opportunities SET title = 'D'")
    await client.next_event()
    assert await database.execute("SELECT notifications FROM feed.pacer") == rung
    await database.execute("SELECT feed.set_notify(true)")
    await until(lambda: hub.pacer.mode in {"direct", "inactive"})
    await database.execute("UPDATE opportunities SET title = 'E'")
    await client.next_event()
    (last,) = await database.execute("SELECT notified FROM feed.log ORDER BY seq DESC LIMIT 1")
    assert last["notified"]


def test_who_is_offered_a_way_may_take_what_comes_after_it() -> None:
    found = {way: [other for other in flags.REALTIME if allows(way, other)] for way in flags.REALTIME}
    assert found == {way: list(flags.REALTIME[index:]) for index, way in enumerate(flags.REALTIME)}


async def test_polling_and_the_configuration_say_it_too(services: Services, database: Database) -> None:
    await services.api()
    hub = await services.hub("api-events")
    async with services.asking() as ana, services.asking("bruno") as bruno:

        async def said() -> list[list[str]]:
            return [
                [
                    (await who.get("/api/config")).json()["realtime"],
                    (await who.get("/api/start")).json()["config"]["realtime"],
                    (await who.get("/api/sync/opportunities")).json()["realtime"],
                ]
                for who in (ana, bruno)
            ]

        assert await said() == [["websocket"] * 3] * 2
        await decide(database, "poll", user="ana")
        await decide(database, "sse")
        await until(lambda: (hub.rollout.best_transport("ana"), hub.rollout.best_transport("bruno")) == ("poll", "sse"))
        assert await said() == [["poll"] * 3, ["sse"] * 3]
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}):
            answer = await ana.get("/api/config", headers=headers)
            assert (answer.status_code, answer.json()["realtime"]) == (200, "sse")
        since = (await ana.get("/api/sync/opportunities")).json()["lastSync"]
        assert (await ana.get("/api/sync/opportunities", params={"since": since})).json()["realtime"] == "poll"


async def test_boards_are_read_anew_while_nothing_is_logged(services: Services, database: Database) -> None:
    async with services.asking() as ana:

        async def title() -> str:
            return str((await ana.get("/api/boards/b1")).json()["opportunities"][0]["title"])

        assert await title() == "First"
        await database.execute("SELECT feed.set_capture(false)")
        hub = await services.hub("api-events")
        await until(lambda: not hub.publisher.flags.capture_enabled)
        for name in ("Second", "Third"):
            await database.execute("UPDATE opportunities SET title = %s", [name])
            assert await title() == name
        await database.execute("SELECT feed.set_capture(true)")
        await until(lambda: hub.publisher.flags.capture_enabled)
        assert await title() == "Third"
