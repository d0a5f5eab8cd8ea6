"""The life of a stream: who may open one, what keeps it alive, and how it ends."""

import asyncio

import pytest

from tests.support.database import Database
from tests.support.services import ORIGIN, Serve, Services, told
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
        await services.knock(stream, query, headers={name.replace("_", "-"): text for name, text in headers.items()})
    assert refused.value.headers["content-type"] == "application/problem+json"
    assert refused.value.problem["status"] == refused.value.status
    return refused.value


def _slug(error: RefusedError) -> str:
    return str(error.problem["type"]).removeprefix("/problems/")


async def test_a_heartbeat_carries_a_fresh_cursor_past_what_is_not_told(
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
    assert told([await again.next_event()]) == [("opportunity_created", "y")]


async def test_who_reads_and_answers_stays(serve: Serve, transport: str) -> None:
    services = await serve(heartbeat_interval=0.1)
    client = await services.open(transport)
    for _ in range(8):  # a peer that does not answer is dropped after three
        await client.next("heartbeat")
    assert client.ended is None


async def test_stopping_says_goodbye(services: Services, transport: str) -> None:
    client = await services.open(transport)
    await services.stop()
    goodbye = await client.next("goodbye")
    assert goodbye.body["reason"] == "restart"
    assert 100 <= goodbye.body["retryMs"] <= 5000
    ended = await client.end()
    assert ended.code == (1012 if transport in SOCKETS else None)
    if transport in STREAMS:
        assert getattr(client, "retry", None) == goodbye.body["retryMs"]


async def test_what_was_written_before_the_goodbye_is_read(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT n::text, 'b1' FROM generate_series(1, 500) n"
    )
    await client.next_event()
    await services.stop()
    assert len(await client.collect(499)) == 499
    assert (await client.next()).type == "goodbye"


async def test_a_stream_ends_with_its_token(serve: Serve, transport: str) -> None:
    services = await serve(heartbeat_interval=0.4)
    client = await services.open(transport, token=services.token(ttl=2))
    error = await client.next("error")
    assert error.body["code"] == "token_expired"
    assert (await client.end()).code == (4401 if transport in SOCKETS else None)
    hub = await services.hub(transport)
    await until(lambda: len(hub.connections) == 0)


async def test_too_many_of_one_user_are_refused_and_leaving_makes_room(serve: Serve, transport: str) -> None:
    services = await serve(max_user_connections=2)
    clients: list[Client] = [await services.open(transport) for _ in range(2)]
    await services.open(transport, user="bruno")
    if transport in SOCKETS:
        third = await services.open(transport, greeted=False)
        assert (await third.next()).body["code"] == "too_many"
        assert (await third.end()).code == 4429
    else:
        error = await _refused(services, transport, Authorization=f"Bearer {services.token()}")
        assert (error.status, _slug(error)) == (429, "too-many-connections")
        assert int(error.headers["retry-after"]) > 0
    clients[0].cut()
    hub = await services.hub(transport)
    await until(lambda: hub.connections.count_for_user("ana") == 1)
    await services.open(transport)


async def test_a_full_service_says_so(serve: Serve, transport: str) -> None:
    services = await serve(max_connections=1)
    await services.open(transport)
    if transport in SOCKETS:
        second = await services.open(transport, user="bruno", greeted=False)
        assert (await second.next("goodbye")).body["retryMs"] >= 100
        assert (await second.end()).code == 1013
    else:
        error = await _refused(services, transport, Authorization=f"Bearer {services.token('bruno')}")
        assert (error.status, _slug(error)) == (503, "overloaded")


async def test_more_than_can_be_taken_in_are_asked_to_come_back(serve: Serve, transport: str) -> None:
    services = await serve(connection_rate=1)
    # The first has his turn at once, the next five wait; the others would have to wait too long.
    coming = [asyncio.create_task(services.open(transport, greeted=False)) for _ in range(8)]
    opened = await asyncio.gather(*coming, return_exceptions=True)
    if transport in SOCKETS:
        told = [
            await client.next("auth_success", "goodbye", timeout=10) for client in opened if isinstance(client, Client)
        ]
        refused = [m.body for m in told if m.type == "goodbye"]
        assert all(body["reason"] == "overloaded" and 5000 <= body["retryMs"] <= 14_000 for body in refused)
    else:
        slugs = [_slug(error) for error in opened if isinstance(error, RefusedError)]
        assert set(slugs) == {"overloaded"}
        refused = [{"slug": slug} for slug in slugs]
    assert 2 <= len(refused) <= 3


async def test_a_ticket_opens_one_stream(services: Services, database: Database, stream: str) -> None:
    async with services.asking("ana") as api:
        ticket = (await api.post("/api/events/ticket")).json()["ticket"]
    client = await services.knock(stream, f"?ticket={ticket}")
    assert (await client.next("auth_success")).body["userId"] == "ana"
    await database.execute("DELETE FROM opportunities")
    assert told([await client.next_event()]) == [("opportunity_deleted", "o1")]
    for spent in (ticket, "nonsense", "", "%C3%A9%00"):
        error = await _refused(services, stream, f"?ticket={spent}")
        assert (error.status, _slug(error)) == (401, "invalid-ticket")


async def test_a_ticket_is_good_for_one_of_two_that_come_at_once(services: Services, stream: str) -> None:
    async with services.asking("ana") as api:
        ticket = (await api.post("/api/events/ticket")).json()["ticket"]
    both = await asyncio.gather(
        *(services.knock(stream, f"?ticket={ticket}") for _ in range(2)), return_exceptions=True
    )
    assert sorted(isinstance(one, RefusedError) for one in both) == [False, True]


async def test_the_session_cookie_opens_a_stream_from_our_own_pages_only(services: Services, stream: str) -> None:
    cookie = f"boardcast_session={services.token()}"
    client = await services.knock(stream, headers={"Cookie": cookie, "Origin": ORIGIN})
    assert (await client.next("auth_success")).body["userId"] == "ana"
    assert client.headers["access-control-allow-origin"] == ORIGIN
    error = await _refused(services, stream, Cookie=cookie, Origin="http://evil.example")
    assert (error.status, _slug(error)) == (403, "wrong-origin")


async def test_the_stream_is_not_cached_buffered_or_compressed(services: Services, stream: str) -> None:
    headers = {"Authorization": f"Bearer {services.token()}", "Accept-Encoding": "gzip, br"}
    client = await services.knock(stream, headers=headers)
    await client.next("auth_success")
    assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert client.headers["cache-control"] == "no-store"
    assert client.headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in client.headers
    assert client.retry == 2000


async def test_last_event_id_wins_over_since(services: Services, database: Database, stream: str) -> None:
    first = await services.open(stream)
    old = first.cursor
    await database.execute("UPDATE opportunities SET title = 'a'")
    await first.next_event()
    new = first.cursor
    assert old is not None
    assert new is not None
    await database.execute("UPDATE opportunities SET title = 'b'")
    bearer = {"Authorization": f"Bearer {services.token()}"}
    since = await services.knock(stream, f"?since={old}", headers=bearer)
    assert (await since.next_event()).body["version"] == 2
    wins = await services.knock(stream, f"?since={old}", headers=bearer | {"Last-Event-ID": new})
    assert (await wins.next_event()).body["version"] == 3


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
async def test_who_shows_nothing_good_gets_a_problem(
    services: Services, stream: str, headers: dict[str, str], slug: str
) -> None:
    error = await _refused(services, stream, **headers)
    assert (error.status, _slug(error)) == (401, slug)
    assert error.headers["www-authenticate"].startswith("bearer")


async def test_an_expired_token_opens_nothing(services: Services, stream: str) -> None:
    error = await _refused(services, stream, Authorization=f"Bearer {services.token(ttl=-60)}")
    assert (error.status, _slug(error)) == (401, "expired-token")


async def test_a_socket_from_another_origin_is_told_and_closed(services: Services) -> None:
    for origin, good in ((ORIGIN, True), ("http://evil.example", False), ("null", False)):
        client = await WebSocketClient.connect(await services.feed(), services.token(), "ana", origin=origin)
        services.clients.append(client)
        if good:
            await client.next("auth_success")
        else:
            assert (await client.next()).body["code"] == "forbidden_origin"
            assert (await client.end()).code == 4403
