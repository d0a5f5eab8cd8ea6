"""Flag changes are sent on open streams in order with the events; clients on a disallowed transport are asked to leave."""

import pytest

from db import flags
from feed.delivery import rollout
from feed.delivery.flags import allows, rollout_bucket
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.streams import Client, RefusedError
from tests.support.until import until

LOWER = {"websocket": "sse", "websocket-batch": "poll", "sse": "poll", "api-events": "off"}
"""A flag value that disallows each transport."""


async def set_flag(
    database: Database, value: str | None, *, user: str | None = None, percentage: int | None = None
) -> None:
    """Set a rule, or remove it with None."""
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


async def next_realtime(client: Client) -> str:
    message = await client.next("flags")
    assert message.cursor is None
    return str(message.body["realtime"])


@pytest.fixture
def short_switch_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give clients hardly any time to switch."""
    monkeypatch.setattr(rollout, "_SWITCH_TIMEOUT", 0.05)


async def test_auth_success_has_the_best_allowed_transport(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    assert client.messages[0].body["realtime"] == "websocket"
    await set_flag(database, "sse", user="ana")
    assert await next_realtime(client) == "sse"
    if not transport.startswith("websocket"):
        again = await services.open(transport)
        assert again.messages[0].body["realtime"] == "sse"


async def test_a_flag_change_is_sent_only_to_the_users_it_concerns(
    services: Services, database: Database, transport: str
) -> None:
    ana, bruno = await services.open(transport), await services.open(transport, user="bruno")
    await set_flag(database, "sse", user="bruno")
    assert await next_realtime(bruno) == "sse"
    await set_flag(database, "poll")
    assert await next_realtime(ana) == "poll"
    await set_flag(database, None, user="bruno")
    assert await next_realtime(bruno) == "poll"
    await set_flag(database, None)
    assert [await next_realtime(ana), await next_realtime(bruno)] == ["websocket", "websocket"]
    assert [m.type for m in ana.messages].count("flags") == 2


async def test_a_percentage_rule_selects_by_user_id(services: Services, database: Database, transport: str) -> None:
    ana, bruno = await services.open(transport), await services.open(transport, user="bruno")
    first, second = sorted((("ana", ana), ("bruno", bruno)), key=lambda pair: rollout_bucket(pair[0]))
    await set_flag(database, "sse", percentage=rollout_bucket(first[0]) + 1)
    assert await next_realtime(first[1]) == "sse"
    await set_flag(database, "sse", percentage=rollout_bucket(second[0]) + 1)
    assert await next_realtime(second[1]) == "sse"
    assert [m.type for m in first[1].messages].count("flags") == 1


async def test_a_flag_change_between_events_does_not_affect_their_cursors(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("UPDATE opportunities SET title = 'B'")
        await writer.execute("INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', 'sse')")
        await writer.execute("UPDATE opportunities SET title = 'C'")
    events = await client.collect(2)
    assert [m.body["changes"]["title"] for m in events] == ["B", "C"]
    assert await next_realtime(client) == "sse"
    assert events[-1].cursor is not None
    await database.execute("TRUNCATE feed.flags")
    assert await next_realtime(client) == "websocket"
    await database.execute("UPDATE opportunities SET title = 'D'")
    assert (await client.next_event()).body["changes"]["title"] == "D"


async def test_a_flag_change_is_sent_despite_a_bulk_change(serve: Serve, database: Database, transport: str) -> None:
    """A bulk change of a board becomes one resync; flags, and rows without a board, do not count toward it."""
    services = await serve(resync_threshold=10)
    await database.execute("CREATE TABLE plain (id int PRIMARY KEY)")
    await database.execute("SELECT feed.attach('plain')")
    client = await services.open(transport)
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("INSERT INTO plain SELECT generate_series(1, 20)")
        await writer.execute("INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', 'sse')")
        await writer.execute("INSERT INTO plain SELECT generate_series(21, 40)")
    assert await next_realtime(client) == "sse"


async def test_a_client_on_a_disallowed_transport_is_disconnected(
    services: Services, database: Database, transport: str, short_switch_timeout: None
) -> None:
    client = await services.open(transport)
    await set_flag(database, LOWER[transport])
    assert await next_realtime(client) == LOWER[transport]
    goodbye = await client.next("goodbye")
    assert (goodbye.body["reason"], goodbye.body["retryMs"]) == ("not_offered", rollout.RETRY_MS)
    ended = await client.wait_closed()
    assert ended.code == (4406 if transport.startswith("websocket") else None)


async def test_a_client_below_its_best_transport_may_stay(
    services: Services, database: Database, transport: str, short_switch_timeout: None
) -> None:
    client = await services.open(transport)
    await set_flag(database, "websocket" if transport.startswith("websocket") else "sse", user="ana")
    if not transport.startswith("websocket"):
        assert await next_realtime(client) == "sse"
    runtime = await services.runtime(transport)
    (subscription,) = runtime.connections
    assert subscription.leave_by is None


async def test_a_client_allowed_again_within_the_timeout_stays(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await set_flag(database, "off")
    assert await next_realtime(client) == "off"
    runtime = await services.runtime(transport)
    (subscription,) = runtime.connections
    assert subscription.leave_by is not None
    await set_flag(database, None)
    assert await next_realtime(client) == "websocket"
    assert subscription.leave_by is None


async def test_a_stream_on_a_disallowed_transport_is_refused(
    services: Services, database: Database, transport: str
) -> None:
    runtime = await services.runtime(transport)
    await set_flag(database, LOWER[transport], user="ana")
    await until(lambda: runtime.rollout.best_transport("ana") == LOWER[transport])
    if transport.startswith("websocket"):
        client = await services.open(transport, wait_for_auth=False)
        assert await next_realtime(client) == LOWER[transport]
        assert (await client.next("goodbye")).body["reason"] == "not_offered"
        assert (await client.wait_closed()).code == 4406
    else:
        with pytest.raises(RefusedError) as refused:
            await services.open(transport)
        assert (refused.value.status, refused.value.problem["type"]) == (406, "/problems/not-offered")
    assert (await services.open(transport, user="bruno")).messages[0].body["realtime"] == "websocket"


async def test_a_starting_instance_loads_the_flags(services: Services, database: Database, transport: str) -> None:
    await set_flag(database, "sse")
    await services.stop()
    assert (await services.runtime(transport)).rollout.best_transport("ana") == "sse"
    await services.stop()
    await set_flag(database, None)
    assert (await services.open(transport)).messages[0].body["realtime"] == "websocket"


async def test_flags_are_reloaded_after_a_feed_reset(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    async with await database.connect() as conn:
        await conn.execute("SET session_replication_role = replica")  # past the triggers, as a restore would
        await conn.execute("INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', 'sse')")
        await conn.execute("SELECT feed.reset_feed()")
    assert await next_realtime(client) == "sse"
    assert (await client.next("reset", timeout=15)).body["reason"] == "foreign"


async def test_no_transport_is_allowed_while_capture_is_off(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("SELECT feed.set_capture(false)")
    assert await next_realtime(client) == "off"
    await database.execute("UPDATE opportunities SET title = 'Unlogged'")
    await database.execute("SELECT feed.set_capture(true)")
    assert await next_realtime(client) == "websocket"
    assert (await client.next("reset")).body["reason"] == "foreign"
    await database.execute("UPDATE opportunities SET title = 'Logged'")
    assert (await client.next_event()).body["version"] == 3


async def test_memberships_changed_while_capture_was_off_are_reloaded(
    services: Services, database: Database, transport: str
) -> None:
    """Also memberships from before the log existed."""
    async with await database.connect() as conn:
        await conn.execute("SET session_replication_role = replica")
        await conn.execute("INSERT INTO feed.board_members VALUES ('b1', 'carla', 'viewer')")
    await services.stop()  # whatever they had read of the memberships
    clients = [await services.open(transport, user=user) for user in ("ana", "bruno", "carla")]
    assert [client.messages[0].body["boards"] for client in clients] == [["b1"], ["b1", "b2"], ["b1"]]
    await database.execute("SELECT feed.set_capture(false)")
    await database.execute("INSERT INTO feed.board_members VALUES ('b2', 'ana', 'viewer')")
    await database.execute("DELETE FROM feed.board_members WHERE user_id IN ('bruno', 'carla')")
    await database.execute("SELECT feed.set_capture(true)")
    for client in clients:
        await client.next("reset")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2'), ('y', 'b1')")
    await database.execute("INSERT INTO feed.board_members VALUES ('b1', 'bruno', 'viewer'), ('b1', 'carla', 'viewer')")
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('z', 'b1')")
    found = [(await client.next("opportunity_created")).body["opportunityId"] for client in clients]
    assert found == ["x", "z", "z"]


async def test_events_arrive_by_the_safety_read_while_notify_is_muted(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("SELECT feed.set_notify(false)")
    runtime = await services.runtime(transport)
    await until(lambda: runtime.pacer.mode in {"muted", "inactive"})
    for title in ("B", "C"):
        await database.execute("UPDATE opportunities SET title = %s", [title])
        event = await client.next_event()
        assert event.body["changes"]["title"] == title
    notifications = await database.execute("SELECT notifications FROM feed.pacer")
    await database.execute("UPDATE opportunities SET title = 'D'")
    await client.next_event()
    assert await database.execute("SELECT notifications FROM feed.pacer") == notifications
    await database.execute("SELECT feed.set_notify(true)")
    await until(lambda: runtime.pacer.mode in {"direct", "inactive"})
    await database.execute("UPDATE opportunities SET title = 'E'")
    await client.next_event()
    (last,) = await database.execute("SELECT notified FROM feed.log ORDER BY seq DESC LIMIT 1")
    assert last["notified"]


def test_a_transport_also_allows_the_lesser_ones() -> None:
    found = {best: [other for other in flags.REALTIME if allows(best, other)] for best in flags.REALTIME}
    assert found == {best: list(flags.REALTIME[index:]) for index, best in enumerate(flags.REALTIME)}


async def test_polling_and_the_configuration_have_the_best_transport_too(
    services: Services, database: Database
) -> None:
    await services.api()
    runtime = await services.runtime("api-events")
    async with services.api_client() as ana, services.api_client("bruno") as bruno:

        async def transports() -> list[list[str]]:
            return [
                [
                    (await user.get("/api/config")).json()["realtime"],
                    (await user.get("/api/start")).json()["config"]["realtime"],
                    (await user.get("/api/sync/opportunities")).json()["realtime"],
                ]
                for user in (ana, bruno)
            ]

        assert await transports() == [["websocket"] * 3] * 2
        await set_flag(database, "poll", user="ana")
        await set_flag(database, "sse")
        await until(
            lambda: (runtime.rollout.best_transport("ana"), runtime.rollout.best_transport("bruno")) == ("poll", "sse")
        )
        assert await transports() == [["poll"] * 3, ["sse"] * 3]
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}):
            answer = await ana.get("/api/config", headers=headers)
            assert (answer.status_code, answer.json()["realtime"]) == (200, "sse")
        since = (await ana.get("/api/sync/opportunities")).json()["lastSync"]
        assert (await ana.get("/api/sync/opportunities", params={"since": since})).json()["realtime"] == "poll"


async def test_boards_are_not_cached_while_capture_is_off(services: Services, database: Database) -> None:
    async with services.api_client() as ana:

        async def title() -> str:
            return str((await ana.get("/api/boards/b1")).json()["opportunities"][0]["title"])

        assert await title() == "First"
        await database.execute("SELECT feed.set_capture(false)")
        runtime = await services.runtime("api-events")
        await until(lambda: not runtime.publisher.flags.capture_enabled)
        for name in ("Second", "Third"):
            await database.execute("UPDATE opportunities SET title = %s", [name])
            assert await title() == name
        await database.execute("SELECT feed.set_capture(true)")
        await until(lambda: runtime.publisher.flags.capture_enabled)
        assert await title() == "Third"
