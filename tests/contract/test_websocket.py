"""WebSocket only: the first message, the other client messages, and invalid ones."""

import asyncio
import json

import aiohttp
import pytest

from feed.delivery.subscription import Subscription
from feed.wire.close_codes import ALL
from feed.wire.cursor import Fault
from tests.support.database import Database
from tests.support.services import Serve, Services, summaries
from tests.support.streams import EndedError, WebSocketClient
from tests.support.until import until

BAD_MESSAGE = 4400
UNAUTHENTICATED = 4401


@pytest.fixture
async def unauthenticated(services: Services) -> WebSocketClient:
    """Connected, but not authenticated."""
    client = await WebSocketClient.connect_unauthenticated(await services.feed())
    services.clients.append(client)
    return client


@pytest.fixture
async def client(services: Services) -> WebSocketClient:
    opened = await services.open("websocket", user="bruno")
    assert isinstance(opened, WebSocketClient)
    return opened


async def _check_connected(client: WebSocketClient) -> None:
    await client.send({"type": "ping"})
    assert (await client.next()).type == "pong"


INVALID_JSON = [
    "",
    "{",
    "nonsense",
    "[]",
    '"auth"',
    "null",
    "12",
    '{"type":"ping"} trailing',
    '{"type":"ping","x":"\\ud800"}',
    "[" * 30_000 + "]" * 30_000,
    '{"a":' * 10_000 + "1" + "}" * 10_000,
    '{"type":"ping","n":NaN}',
    '{"type":"ping","n":' + "9" * 5000 + "}",
]


@pytest.mark.parametrize("text", INVALID_JSON, ids=range(len(INVALID_JSON)))
async def test_invalid_json_ends_the_stream_with_an_error(client: WebSocketClient, text: str) -> None:
    await client.send(text)
    error = await client.next()
    assert (error.type, error.body["code"]) == ("error", "invalid_json")
    assert (await client.wait_closed()).code == BAD_MESSAGE


BAD_MESSAGES = [
    ({"type": "unknown"}, "unknown_type"),
    ({"type": None}, "unknown_type"),
    ({"type": ["ping"]}, "unknown_type"),
    ({}, "unknown_type"),
    ({"type": "subscribe"}, "invalid_message"),
    ({"type": "subscribe", "boards": "b1"}, "invalid_message"),
    ({"type": "subscribe", "boards": [1]}, "invalid_message"),
    ({"type": "subscribe", "boards": [""]}, "invalid_message"),
    ({"type": "subscribe", "boards": ["x" * 201]}, "invalid_message"),
    ({"type": "subscribe", "boards": ["b"] * 1001}, "invalid_message"),
    ({"type": "auth", "token": 1, "userId": "bruno"}, "invalid_message"),
    ({"type": "auth", "token": "x" * 9000, "userId": "bruno"}, "invalid_message"),
    ({"type": "subscribe", "boards": ["\0"]}, "invalid_message"),
]


@pytest.mark.parametrize(("message", "code"), BAD_MESSAGES, ids=range(len(BAD_MESSAGES)))
async def test_an_invalid_message_is_answered_with_an_error_and_the_stream_stays(
    client: WebSocketClient, message: dict[str, object], code: str
) -> None:
    await client.send(message)
    error = await client.next("error")
    assert error.body["code"] == code
    await client.send({"type": "ping"})
    await client.next("pong")


async def test_binary_is_refused(client: WebSocketClient) -> None:
    await client.send(b'{"type":"ping"}')
    assert (await client.next()).body["code"] == "binary"
    assert (await client.wait_closed()).code == BAD_MESSAGE


async def test_a_frame_larger_than_64_kib_is_refused(client: WebSocketClient) -> None:
    await client.send(json.dumps({"type": "ping", "x": "x" * (64 * 1024)}))
    assert (await client.wait_closed()).code == 1009


async def test_a_frame_that_is_not_utf8_is_refused(services: Services) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{await services.feed()}/ws") as ws,
    ):
        await ws.send_frame(b"\xff\xfe", aiohttp.WSMsgType.TEXT)
        closed = await ws.receive()
        assert closed.type is aiohttp.WSMsgType.CLOSE
        assert closed.data == 1007


@pytest.mark.parametrize("text", ["", "{", '{"type":"nonsense"}', '{"type":"auth"}', "[" * 60_000])
async def test_a_bad_first_message_is_an_auth_error(unauthenticated: WebSocketClient, text: str) -> None:
    await unauthenticated.send(text)
    assert (await unauthenticated.next()).type == "auth_error"
    assert (await unauthenticated.wait_closed()).code == BAD_MESSAGE


async def test_a_binary_first_message_is_an_auth_error(unauthenticated: WebSocketClient) -> None:
    await unauthenticated.send(b"{}")
    error = await unauthenticated.next()
    assert (error.type, error.body["code"]) == ("auth_error", "binary")
    assert (await unauthenticated.wait_closed()).code == BAD_MESSAGE


async def test_another_first_message_is_an_auth_error(unauthenticated: WebSocketClient) -> None:
    await unauthenticated.send({"type": "ping"})
    error = await unauthenticated.next()
    assert (error.type, error.body["code"]) == ("auth_error", "not_authenticated")
    assert (await unauthenticated.wait_closed()).code == UNAUTHENTICATED


async def test_a_client_without_a_first_message_is_disconnected(serve: Serve) -> None:
    services = await serve(request_timeout=0.1)
    client = await WebSocketClient.connect_unauthenticated(await services.feed())
    services.clients.append(client)
    error = await client.next()
    assert (error.type, error.body["code"]) == ("auth_error", "no_auth")
    assert (await client.wait_closed()).code == 4408


async def test_an_invalid_token_is_an_auth_error(services: Services) -> None:
    port = await services.feed()
    tokens = {
        "token_expired": services.token(ttl=-60),
        "token_invalid": services.token()[:-3] + "xxx",
        "wrong_user": services.token("ana"),
    }
    for code, token in tokens.items():
        client = await WebSocketClient.connect(port, token, "bruno")
        services.clients.append(client)
        error = await client.next()
        assert (error.type, error.body["code"]) == ("auth_error", code)
        assert (await client.wait_closed()).code == UNAUTHENTICATED


async def test_a_token_is_renewed_in_place(services: Services, database: Database) -> None:
    client = await services.open("websocket", token=services.token(ttl=2))
    assert isinstance(client, WebSocketClient)
    connection = client.messages[0].body["connectionId"]
    await client.send({"type": "auth", "token": services.token(ttl=600), "userId": "ana"})
    hello = await client.next("auth_success")
    assert hello.body["connectionId"] == connection
    (subscription,) = (await services.runtime("websocket")).connections
    assert subscription.principal.expires > 1_000_000_000
    await database.execute("UPDATE opportunities SET title = 'x'")
    event = await client.next_event()
    again = await services.open("websocket", hello.cursor)
    assert (await again.next_event()).seq == event.seq


async def test_a_renewal_by_another_user_or_with_a_bad_token_ends_the_stream(services: Services) -> None:
    for token, user, code in (
        (services.token("ana"), "ana", "wrong_user"),
        (services.token("ana"), "bruno", "wrong_user"),
        (services.token(ttl=-60), "bruno", "token_expired"),
        ("nonsense", "bruno", "token_invalid"),
    ):
        client = await services.open("websocket", user="bruno")
        assert isinstance(client, WebSocketClient)
        await client.send({"type": "auth", "token": token, "userId": user})
        error = await client.next("auth_error")
        assert error.body["code"] == code
        assert (await client.wait_closed()).code == UNAUTHENTICATED


async def test_boards_can_be_subscribed_and_unsubscribed_while_connected(
    client: WebSocketClient, services: Services, database: Database
) -> None:
    async def card(id_: str, board: str) -> None:
        await database.execute("INSERT INTO opportunities (id, board_id) VALUES (%s, %s)", [id_, board])

    await client.send({"type": "unsubscribe", "boards": ["b1", "never"]})
    assert (await client.next("subscribed")).body["boards"] == ["b2"]
    await card("x", "b1")
    await card("y", "b2")
    assert summaries([await client.next_event()]) == [("opportunity_created", "y")]
    await client.send({"type": "subscribe", "boards": ["b1", "none"]})
    assert (await client.next("error")).body["code"] == "unknown_board"
    assert (await client.next("subscribed")).body["boards"] == ["b1", "b2"]
    await card("z", "b1")
    assert summaries([await client.next_event()]) == [("opportunity_created", "z")]


async def test_a_message_right_after_auth_is_handled_after_auth_success(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = (await services.open("websocket", user="bruno")).cursor
    recovery = (await services.runtime("websocket")).recovery_tasks
    real, proceed = recovery._recovery.validate_cursor, asyncio.Event()

    async def slow(subscription: Subscription, cursor_text: str) -> Fault | None:
        await proceed.wait()
        return await real(subscription, cursor_text)

    monkeypatch.setattr(recovery._recovery, "validate_cursor", slow)
    client = await WebSocketClient.connect(await services.feed(), services.token("bruno"), "bruno", cursor=cursor)
    services.clients.append(client)
    await client.send({"type": "unsubscribe", "boards": ["b1"]})
    await (await client.ws.ping())  # so the message before it has been read
    proceed.set()
    assert (await client.next("auth_success", "subscribed")).body["boards"] == ["b1", "b2"]
    assert (await client.next("subscribed")).body["boards"] == ["b2"]


async def test_a_feed_reset_during_authentication_still_sends_auth_success(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = await services.open("websocket", user="bruno")
    recovery = (await services.runtime("websocket")).recovery_tasks
    real, proceed = recovery._recovery.validate_cursor, asyncio.Event()

    async def slow(subscription: Subscription, cursor_text: str) -> Fault | None:
        await proceed.wait()
        return await real(subscription, cursor_text)

    monkeypatch.setattr("feed.tailing.tailer._VERIFY_INTERVAL", 0.0)
    monkeypatch.setattr(recovery._recovery, "validate_cursor", slow)
    client = await WebSocketClient.connect(
        await services.feed(), services.token("bruno"), "bruno", cursor=connected.cursor
    )
    services.clients.append(client)
    await until(lambda: bool(recovery._awaiting_auth_success))
    await database.execute("SELECT feed.reset_feed()")
    await connected.next("reset")
    proceed.set()
    assert (await client.next("auth_success", "reset")).body.get("resume") == "reset"
    assert (await client.next("reset")).body["reason"] == "foreign"


async def test_pings_with_and_without_payload_are_answered(client: WebSocketClient) -> None:
    await (await client.ws.ping(b"anything"))
    await (await client.ws.ping())
    await _check_connected(client)


async def test_the_subprotocol_is_chosen_if_it_is_offered(services: Services) -> None:
    port = await services.feed()
    for offered, chosen in ((["boardcast.v1"], "boardcast.v1"), (["x", "boardcast.v1"], "boardcast.v1"), (None, None)):
        client = await WebSocketClient.connect_unauthenticated(port, protocols=offered)
        services.clients.append(client)
        assert client.ws.subprotocol == chosen
        assert client.ws.protocol.extensions == []


async def test_the_client_may_close_cleanly(client: WebSocketClient, services: Services) -> None:
    await client.ws.close(1000, "done")
    assert client.ws.close_code == 1000
    with pytest.raises(EndedError):
        await client.next("never")
    assert not list((await services.runtime("websocket")).connections)


async def test_a_plain_request_gets_426(services: Services) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{await services.feed()}/ws") as answer,
    ):
        assert answer.status == 426
        assert answer.headers["Upgrade"].lower() == "websocket"
        assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_an_internal_error_is_a_problem_too(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    port = await services.feed()
    monkeypatch.setattr("feed.http.server.health", dict.fromkeys)  # fails: it needs something to iterate over
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as answer:
        assert answer.status == 500
        body = await answer.json(content_type="application/problem+json")
    assert (body["type"], body["status"]) == ("/problems/internal-error", 500)
    assert body["request_id"] == answer.headers["X-Request-ID"]


async def test_a_batch_is_one_message_per_read_pass(services: Services, database: Database) -> None:
    client = await services.open("websocket-batch")
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT n::text, 'b1' FROM generate_series(1, 20) n"
    )
    events = await client.collect(20)
    assert len({id(m.raw) for m in events}) == 1
    body = json.loads(events[0].raw)
    assert list(body) == ["type", "events", "cursor"]
    assert not any("cursor" in event for event in body["events"])


def test_close_codes_and_their_names_are_unique() -> None:
    assert len({g.name for g in ALL}) == len({g.code for g in ALL}) == len(ALL)
