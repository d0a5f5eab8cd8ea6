"""The life cycle of a stream: authentication and limits, heartbeats, and how it ends."""

import asyncio
import json
import time

import jwt
import pytest
from websockets.asyncio.client import connect

from tests.support.database import Database
from tests.support.services import ORIGIN, SECRET, Serve, Services, summaries
from tests.support.streams import Client, RefusedError, WebSocketClient
from tests.support.until import until

STREAMS = ("sse", "api-events")
SOCKETS = ("websocket", "websocket-batch")


@pytest.fixture(params=STREAMS)
def stream(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def _refused(services: Services, stream: str, query: str = "", **headers: str) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        await services.request_stream(
            stream, query, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
    assert refused.value.headers["content-type"] == "application/problem+json"
    assert refused.value.problem["status"] == refused.value.status
    return refused.value


def _slug(error: RefusedError) -> str:
    return str(error.problem["type"]).removeprefix("/problems/")


async def test_a_heartbeat_has_a_cursor_past_changes_that_the_client_does_not_see(
    serve: Serve, database: Database, transport: str
) -> None:
    services = await serve(heartbeat_interval=0.2)
    client = await services.open(transport)
    start = client.cursor
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('x', 'b2')")
    await until(lambda: client.cursor != start)
    assert not [m for m in client.messages if m.seq is not None]
    again = await services.open(transport, client.cursor)
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('y', 'b1')")
    assert summaries([await again.next_event()]) == [("opportunity_created", "y")]


async def test_a_client_that_answers_pings_stays_connected(serve: Serve, transport: str) -> None:
    services = await serve(heartbeat_interval=0.1)
    client = await services.open(transport)
    for _ in range(8):  # a peer that does not answer is dropped after three
        await client.next("heartbeat")
    assert client.ended is None


async def test_stopping_sends_a_goodbye(services: Services, transport: str) -> None:
    client = await services.open(transport)
    await services.stop()
    goodbye = await client.next("goodbye")
    assert goodbye.body["reason"] == "restart"
    assert 100 <= goodbye.body["retryMs"] <= 5000
    ended = await client.wait_closed()
    assert ended.code == (1012 if transport in SOCKETS else None)
    if transport in STREAMS:
        assert getattr(client, "retry", None) == goodbye.body["retryMs"]


async def test_events_before_the_goodbye_are_delivered(services: Services, database: Database, transport: str) -> None:
    client = await services.open(transport)
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT n::text, 'b1' FROM generate_series(1, 500) n"
    )
    await client.next_event()
    await services.stop()
    assert len(await client.collect(499)) == 499
    assert (await client.next()).type == "goodbye"


async def test_a_stream_ends_when_its_token_expires(serve: Serve, transport: str) -> None:
    services = await serve(heartbeat_interval=0.4)
    client = await services.open(transport, token=services.token(ttl=2))
    error = await client.next("error")
    assert error.body["code"] == "token_expired"
    assert (await client.wait_closed()).code == (4401 if transport in SOCKETS else None)
    runtime = await services.runtime(transport)
    await until(lambda: len(runtime.connections) == 0)


async def test_too_many_streams_of_one_user_are_refused_until_one_ends(serve: Serve, transport: str) -> None:
    services = await serve(max_user_connections=2)
    clients: list[Client] = [await services.open(transport) for _ in range(2)]
    await services.open(transport, user="bruno")
    if transport in SOCKETS:
        third = await services.open(transport, wait_for_auth=False)
        assert (await third.next()).body["code"] == "too_many"
        assert (await third.wait_closed()).code == 4429
    else:
        error = await _refused(services, transport, Authorization=f"Bearer {services.token()}")
        assert (error.status, _slug(error)) == (429, "too-many-connections")
        assert int(error.headers["retry-after"]) > 0
    clients[0].cut()
    runtime = await services.runtime(transport)
    await until(lambda: runtime.connections.count_for_user("ana") == 1)
    await services.open(transport)


async def test_a_full_service_refuses_with_a_retry_hint(serve: Serve, transport: str) -> None:
    services = await serve(max_connections=1)
    await services.open(transport)
    if transport in SOCKETS:
        second = await services.open(transport, user="bruno", wait_for_auth=False)
        assert (await second.next("goodbye")).body["retryMs"] >= 100
        assert (await second.wait_closed()).code == 1013
    else:
        error = await _refused(services, transport, Authorization=f"Bearer {services.token('bruno')}")
        assert (error.status, _slug(error)) == (503, "overloaded")


async def test_connections_above_the_rate_are_asked_to_retry(serve: Serve, transport: str) -> None:
    services = await serve(connection_rate=1)
    # The first is admitted at once, the next five wait; the others would wait too long.
    opening = [asyncio.create_task(services.open(transport, wait_for_auth=False)) for _ in range(8)]
    opened = await asyncio.gather(*opening, return_exceptions=True)
    if transport in SOCKETS:
        answers = [
            await client.next("auth_success", "goodbye", timeout=10) for client in opened if isinstance(client, Client)
        ]
        refused = [m.body for m in answers if m.type == "goodbye"]
        assert all(body["reason"] == "overloaded" and 5000 <= body["retryMs"] <= 14_000 for body in refused)
    else:
        slugs = [_slug(error) for error in opened if isinstance(error, RefusedError)]
        assert set(slugs) == {"overloaded"}
        refused = [{"slug": slug} for slug in slugs]
    assert 2 <= len(refused) <= 3


async def test_a_ticket_opens_one_stream(services: Services, database: Database, stream: str) -> None:
    async with services.api_client("ana") as api:
        ticket = (await api.post("/api/events/ticket")).json()["ticket"]
    client = await services.request_stream(stream, f"?ticket={ticket}")
    assert (await client.next("auth_success")).body["userId"] == "ana"
    await database.execute("DELETE FROM opportunities")
    assert summaries([await client.next_event()]) == [("opportunity_deleted", "o1")]
    for spent in (ticket, "nonsense", "", "%C3%A9%00"):
        error = await _refused(services, stream, f"?ticket={spent}")
        assert (error.status, _slug(error)) == (401, "invalid-ticket")


async def test_two_concurrent_streams_with_one_ticket_open_only_one(services: Services, stream: str) -> None:
    async with services.api_client("ana") as api:
        ticket = (await api.post("/api/events/ticket")).json()["ticket"]
    both = await asyncio.gather(
        *(services.request_stream(stream, f"?ticket={ticket}") for _ in range(2)), return_exceptions=True
    )
    assert sorted(isinstance(result, RefusedError) for result in both) == [False, True]


async def test_the_session_cookie_opens_a_stream_from_an_allowed_origin_only(services: Services, stream: str) -> None:
    cookie = f"boardcast_session={services.token()}"
    client = await services.request_stream(stream, headers={"Cookie": cookie, "Origin": ORIGIN})
    assert (await client.next("auth_success")).body["userId"] == "ana"
    assert client.headers["access-control-allow-origin"] == ORIGIN
    error = await _refused(services, stream, Cookie=cookie, Origin="http://evil.example")
    assert (error.status, _slug(error)) == (403, "wrong-origin")


async def test_the_stream_is_not_cached_buffered_or_compressed(services: Services, stream: str) -> None:
    headers = {"Authorization": f"Bearer {services.token()}", "Accept-Encoding": "gzip, br"}
    client = await services.request_stream(stream, headers=headers)
    await client.next("auth_success")
    assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert client.headers["cache-control"] == "no-store"
    assert client.headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in client.headers
    assert client.retry == 2000


async def test_last_event_id_takes_precedence_over_since(services: Services, database: Database, stream: str) -> None:
    first = await services.open(stream)
    old = first.cursor
    await database.execute("UPDATE opportunities SET title = 'a'")
    await first.next_event()
    new = first.cursor
    assert old is not None
    assert new is not None
    await database.execute("UPDATE opportunities SET title = 'b'")
    bearer = {"Authorization": f"Bearer {services.token()}"}
    since = await services.request_stream(stream, f"?since={old}", headers=bearer)
    assert (await since.next_event()).body["version"] == 2
    last_event_id = await services.request_stream(stream, f"?since={old}", headers=bearer | {"Last-Event-ID": new})
    assert (await last_event_id.next_event()).body["version"] == 3


@pytest.mark.parametrize(
    ("headers", "slug"),
    [
        ({}, "unauthenticated"),
        ({"Authorization": "Bearer nonsense"}, "invalid-token"),
        ({"Authorization": "Bearer"}, "invalid-token"),
        ({"Authorization": "Basic YTpi"}, "invalid-token"),
        ({"Cookie": "boardcast_session=x"}, "invalid-token"),
    ],
)
async def test_missing_or_invalid_credentials_are_a_problem(
    services: Services, stream: str, headers: dict[str, str], slug: str
) -> None:
    error = await _refused(services, stream, **headers)
    assert (error.status, _slug(error)) == (401, slug)
    assert error.headers["www-authenticate"].startswith("bearer")


async def test_an_expired_token_is_refused(services: Services, stream: str) -> None:
    error = await _refused(services, stream, Authorization=f"Bearer {services.token(ttl=-60)}")
    assert (error.status, _slug(error)) == (401, "expired-token")


async def test_a_websocket_from_another_origin_is_closed_with_an_error(services: Services) -> None:
    for origin, allowed in ((ORIGIN, True), ("http://evil.example", False), ("null", False)):
        client = await WebSocketClient.connect(await services.feed(), services.token(), "ana", origin=origin)
        services.clients.append(client)
        if allowed:
            await client.next("auth_success")
        else:
            assert (await client.next()).body["code"] == "forbidden_origin"
            assert (await client.wait_closed()).code == 4403


@pytest.mark.parametrize("place", ["Authorization", "Cookie"])
async def test_a_token_of_the_maximum_length_opens_a_stream_and_a_longer_one_is_a_problem(
    services: Services, stream: str, place: str
) -> None:
    def headers(length: int) -> dict[str, str]:
        claims = {"sub": "ana", "exp": time.time() + 60, "rest": ""}
        token = jwt.encode(claims | {"rest": "x" * ((length - 250) * 3 // 4)}, SECRET)
        value = f"Bearer {token}" if place == "Authorization" else f"boardcast_session={token}"
        return {place: value, "Last-Event-ID": "x" * 4096}

    client = await services.request_stream(stream, "?since=" + "x" * 4096, headers=headers(8185))
    assert (await client.next("auth_success")).body["userId"] == "ana"
    error = await _refused(services, stream, **headers(8400))
    assert (error.status, _slug(error)) == (401, "invalid-token")
    assert error.problem["detail"] == "the token is empty or longer than 8192 characters"


async def test_a_websocket_with_a_long_query_opens(services: Services) -> None:
    port = await services.feed()
    async with connect(f"ws://127.0.0.1:{port}/ws?token={'x' * 8192}&more={'y' * 8192}", proxy=None) as socket:
        await socket.send(json.dumps({"type": "auth", "token": services.token(), "userId": "ana"}))
        assert json.loads(await socket.recv())["type"] == "auth_success"
