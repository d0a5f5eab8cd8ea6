"""web/client against the real services: every change arrives once and in order, whichever transport delivers it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.follower import TIMEOUT, Follower, snapshot
from tests.support.database import Database
from tests.support.gateway import Gateway
from tests.support.load import card_version, writing
from tests.support.proxy import Proxy
from tests.support.services import Serve, Services
from tests.support.until import until

EVENTS = "/api/events"


@dataclass
class Environment:
    """The services, each behind its own proxy, and the addresses for the client."""

    node: str
    bundle: str
    database: Database
    feed: Services
    api: Services
    socket: Proxy
    gateway: Gateway

    @property
    def options(self) -> dict[str, Any]:
        return {"api": self.gateway.url, "feed": f"http://127.0.0.1:{self.socket.port}"}

    def follower(self, options: dict[str, Any] | None = None, **extra: Any) -> Any:
        return Follower().start(self.node, self.bundle, self.options | (options or {}), **extra)

    async def write(self, number: int = 1) -> int:
        """Change o1 `number` times; return its version."""
        for _ in range(number):
            await self.database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id = 'o1'")
        return await card_version(self.database)

    async def caught_up(self, follower: Follower) -> None:
        """Wait until every change was delivered; check that none is missing or repeated."""
        await follower.wait_for_version(await card_version(self.database))
        assert follower.gaps() == []
        assert len(set(follower.seqs)) == len(follower.seqs)
        assert not [message for message in follower.messages if message["type"] == "reset"]


@pytest.fixture
async def environment(serve: Serve, database: Database, node: str, bundle: str) -> AsyncIterator[Environment]:
    feed, api = await serve(), await serve()
    async with AsyncExitStack() as stack:
        socket = await stack.enter_async_context(Proxy("127.0.0.1", await feed.feed()))
        gateway = await stack.enter_async_context(Gateway(await api.api()))
        yield Environment(node, bundle, database, feed, api, socket, gateway)


async def test_it_continues_from_a_snapshot(environment: Environment) -> None:
    cursor = await snapshot(environment.api)
    await environment.write(3)
    async with environment.follower() as follower:
        await follower.send(follow=cursor)
        await follower.wait_for_status("live", "websocket")
        await environment.write(3)
        await environment.caught_up(follower)
        assert follower.delivered == [2, 3, 4, 5, 6, 7]
        await until(lambda: follower.statuses[-1]["latency"] is not None)
        assert 0 < follower.statuses[-1]["latency"] < 1000


async def test_it_falls_back_to_polling_and_upgrades_again_during_writes(environment: Environment) -> None:
    cursor = await snapshot(environment.api)
    async with environment.follower() as follower:
        async with writing(environment.database, pause=0.01):
            await follower.send(follow=cursor)
            await follower.wait_for_status("live", "websocket")
            environment.socket.refuse()
            environment.socket.cut()
            await follower.wait_for_status("live", "sse")
            environment.gateway.unavailable.add(EVENTS)
            environment.gateway.cut()
            await follower.wait_for_status("live", "polling")
            await until(lambda: any(message["type"] == "state" for message in follower.messages), timeout=TIMEOUT)
            environment.gateway.unavailable.clear()
            await follower.wait_for_status("live", "sse")
            await environment.socket.start()
            await follower.wait_for_status("live", "websocket")
        await environment.caught_up(follower)
        assert follower.transports == ["websocket", "sse", "polling", "sse", "websocket"]


@pytest.mark.parametrize("transport", ["websocket", "sse", "polling"])
async def test_disconnections_and_a_restart_of_both_services(environment: Environment, transport: str) -> None:
    async with environment.follower({"firstTransport": transport}) as follower:
        await follower.send(follow=await snapshot(environment.api))
        await follower.wait_for_status("live", transport)
        for _ in range(3):
            await environment.write(3)
            environment.socket.cut()
            environment.gateway.cut()
            await environment.write(3)
            await environment.caught_up(follower)
        await environment.feed.stop()
        await environment.api.stop()
        await follower.wait_for_status("offline")
        await environment.write(3)
        await environment.feed.feed()
        await environment.api.api()
        await follower.wait_for_status("live", transport)
        await environment.write(3)
        await environment.caught_up(follower)


async def test_the_retry_delay_of_a_goodbye_is_respected(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    delay = 2.0
    monkeypatch.setattr("feed.runtime.random_retry", lambda: int(1000 * delay))
    clock = asyncio.get_running_loop().time
    async with environment.follower() as follower:
        await follower.send(follow=await snapshot(environment.api))
        await follower.wait_for_status("live", "websocket")
        accepted, stopped = environment.socket.accepted, clock()
        await environment.feed.stop()

        async def reconnection() -> float:
            await until(lambda: environment.socket.accepted > accepted, timeout=TIMEOUT)
            return clock() - stopped

        reconnected = asyncio.create_task(reconnection())
        await follower.wait_for_status("live", "sse")
        await environment.feed.feed()
        await environment.write(3)
        await environment.caught_up(follower)
        assert await reconnected > 0.95 * delay, "it reconnected before the retry delay had passed"
        await follower.wait_for_status("live", "websocket")
        await environment.write(3)
        await environment.caught_up(follower)


async def test_behind_a_buffering_proxy_it_polls(environment: Environment) -> None:
    environment.gateway.buffering = True
    environment.socket.refuse()
    cursor = await snapshot(environment.api)
    async with environment.follower() as follower:
        async with writing(environment.database, pause=0.02):
            await follower.send(follow=cursor)
            await follower.wait_for_status("live", "polling")
            assert EVENTS in environment.gateway.requested
            environment.gateway.buffering = False
            await follower.wait_for_status("live", "sse")
        await environment.caught_up(follower)


@pytest.mark.parametrize("transport", ["websocket", "sse"])
async def test_a_silent_stream_is_replaced(
    serve: Serve, database: Database, node: str, bundle: str, transport: str
) -> None:
    services = await serve(heartbeat_interval=0.5)
    api = await services.api()
    async with Proxy("127.0.0.1", await services.feed()) as socket, Proxy("127.0.0.1", api) as stream:
        timing = {"heartbeat": 500, "ping": 300, "pong": 500}
        options = {
            "api": f"http://127.0.0.1:{stream.port}",
            "feed": f"http://127.0.0.1:{socket.port}",
            "firstTransport": transport,
        }
        async with Follower().start(node, bundle, options | {"timing": timing}) as follower:
            await follower.send(follow=await snapshot(services))
            await follower.wait_for_status("live", transport)
            (socket if transport == "websocket" else stream).hang()
            await database.execute("UPDATE opportunities SET notes = 'delayed' WHERE id = 'o1'")
            await until(lambda: follower.statuses[-1]["transport"] != transport, timeout=TIMEOUT)
            await socket.resume()
            await stream.resume()
            await follower.wait_for_status("live", transport)
            await follower.wait_for_version(2)
            assert follower.delivered == [2]


async def test_a_websocket_client_acknowledges_its_position(
    serve: Serve, database: Database, node: str, bundle: str
) -> None:
    services = await serve()
    options = {"api": f"http://127.0.0.1:{await services.api()}", "feed": f"http://127.0.0.1:{await services.feed()}"}
    async with Follower().start(node, bundle, options | {"timing": {"ping": 300}}) as follower:
        await follower.send(follow=await snapshot(services))
        await follower.wait_for_status("live", "websocket")
        await database.execute("UPDATE opportunities SET notes = 'B' WHERE id = 'o1'")
        await follower.wait_for_version(2)
        runtime = await services.runtime("websocket")
        cursor = str(runtime.tailer.head)
        await until(
            lambda: [(ack.cursor, ack.clients) for ack in runtime.client_positions.summary()] == [(cursor, 1)],
            timeout=TIMEOUT,
        )


async def test_a_batch_that_is_cut_off_is_not_delivered(
    serve: Serve, database: Database, node: str, bundle: str
) -> None:
    services = await serve(chunk_rows=50)
    api = await services.api()
    async with Proxy("127.0.0.1", await services.feed()) as socket:
        options = {"api": f"http://127.0.0.1:{api}", "feed": f"http://127.0.0.1:{socket.port}"}
        async with Follower().start(node, bundle, options) as follower:
            await follower.send(follow=await snapshot(services))
            await follower.wait_for_status("live", "websocket")
            socket.throttle(200_000)
            await database.execute(
                "INSERT INTO opportunities (id, board_id, title, phase)"
                " SELECT 'n' || n, 'b1', repeat('x', 300), 'new' FROM generate_series(1, 1000) n"
            )
            forwarded = socket.forwarded
            await until(lambda: socket.forwarded > forwarded + 100_000)
            assert follower.messages == [message for message in follower.messages if "seq" not in message]
            socket.cut()
            socket.throttle(None)
            await until(lambda: len(follower.seqs) == 1000, timeout=TIMEOUT)
            batches = [line for line in follower.lines if line["kind"] == "delivery" and len(line["messages"]) > 1]
            assert [len(line["messages"]) for line in batches] == [1000]
            assert [message["opportunityId"] for message in batches[0]["messages"]] == [f"n{n}" for n in range(1, 1001)]


@pytest.mark.parametrize("skew", [0, 86_400_000, -86_400_000])
async def test_a_token_is_renewed_in_band_with_any_clock_skew(environment: Environment, skew: int) -> None:
    async with environment.follower(ttl=4, skew=skew) as follower:
        await follower.send(follow=await snapshot(environment.api))
        await follower.wait_for_status("live", "websocket")
        accepted = environment.socket.accepted
        await until(lambda: follower.count("token") == 3, timeout=TIMEOUT)
        await environment.write(3)
        await environment.caught_up(follower)
        assert environment.socket.accepted == accepted
        assert follower.transports == ["websocket"]


@pytest.mark.parametrize("transport", ["sse", "polling"])
async def test_an_expired_token_is_replaced(environment: Environment, transport: str) -> None:
    async with environment.follower({"firstTransport": transport}, ttl=3) as follower:
        await follower.send(follow=await snapshot(environment.api))
        await follower.wait_for_status("live", transport)
        await until(lambda: follower.count("token") == 4, timeout=TIMEOUT)
        await environment.write(3)
        await environment.caught_up(follower)
        assert follower.transports == [transport]


async def test_without_a_valid_token_it_ends_with_the_problem(environment: Environment) -> None:
    async with environment.follower(secret="another secret, which is long enough for HS256 as well") as follower:
        await follower.send(follow=await snapshot(environment.api))
        await follower.wait_for_status("ended")
        assert follower.statuses[-1]["problem"]["code"] == "unauthenticated"
        assert follower.count("token") == 2


@pytest.mark.parametrize("transport", ["websocket", "sse", "polling"])
async def test_a_cursor_of_another_history_is_reset(environment: Environment, transport: str) -> None:
    cursor = await snapshot(environment.api)
    await environment.database.execute("SELECT feed.reset_feed('test')")
    async with environment.follower({"firstTransport": transport}) as follower:
        await follower.send(follow=cursor)
        await follower.wait_for_status("live", transport)
        await until(lambda: any(message["type"] == "reset" for message in follower.messages), timeout=TIMEOUT)
        (reset,) = (message for message in follower.messages if message["type"] == "reset")
        assert reset["reason"] == "foreign"
        await follower.send(follow=await snapshot(environment.api))
        last = await environment.write(3)
        await follower.wait_for_version(last)
        await follower.send(follow=cursor)
        await until(lambda: follower.count("refused") == 1, timeout=TIMEOUT)
        assert follower.lines[-1] | {"reason": "foreign", "type": "cursor-reset"} == follower.lines[-1]


async def test_a_second_board_catches_up_with_the_stream(environment: Environment) -> None:
    early = await snapshot(environment.api)
    await environment.write(2)
    async with environment.follower() as follower:
        await follower.send(follow=await snapshot(environment.api))
        await follower.wait_for_status("live", "websocket")
        await follower.send(follow=early)
        await until(lambda: follower.count("followed") == 2, timeout=TIMEOUT)
        (state,) = (message for message in follower.messages if message["type"] == "state")
        assert [(card["id"], card["version_number"]) for card in state["opportunities"]] == [("o1", 3)]
        await environment.write(1)
        await environment.caught_up(follower)


@pytest.mark.parametrize("transport", ["websocket", "sse", "polling"])
async def test_editing_presence_works_over_each_transport(environment: Environment, transport: str) -> None:
    cursor = await snapshot(environment.api)
    async with (
        environment.follower({"firstTransport": transport, "timing": {"presenceRenewal": 500}}) as ana,
        environment.follower({"firstTransport": transport}, user="bruno") as bruno,
    ):
        for follower in (ana, bruno):
            await follower.send(follow=cursor, board="b1")
            await follower.wait_for_status("live", transport)
        await ana.send(send={"type": "user_editing", "opportunityId": "o1", "baseVersion": 1})
        await until(lambda: bruno.presence.get("o1"), timeout=TIMEOUT)
        (seen,) = bruno.presence["o1"]
        assert (seen["userId"], seen["action"], seen["baseVersion"]) == ("ana", "editing", 1)
        await ana.send(send={"type": "user_stopped_editing", "opportunityId": "o1"})
        await until(lambda: bruno.presence == {}, timeout=TIMEOUT)


async def test_presence_moves_with_the_transport_and_ends_with_the_client(environment: Environment) -> None:
    async def leases() -> list[str]:
        rows = await environment.database.execute("SELECT connection FROM feed.user_presence ORDER BY connection")
        return [row["connection"] for row in rows]

    async with environment.follower() as follower:
        await follower.send(follow=await snapshot(environment.api))
        await follower.wait_for_status("live", "websocket")
        await follower.send(send={"type": "user_editing", "opportunityId": "o1", "baseVersion": 1})
        await until(leases, timeout=TIMEOUT)
        (over_socket,) = await leases()
        environment.socket.refuse()
        environment.socket.cut()
        await follower.wait_for_status("live", "sse")

        async def over_http() -> bool:
            return await leases() == ["http:ana"]

        await until(over_http, timeout=TIMEOUT)
        await environment.socket.start()
        await follower.wait_for_status("live", "websocket")

        async def over_another_socket() -> bool:
            now = await leases()
            return len(now) == 1 and now[0] not in {"http:ana", over_socket}

        await until(over_another_socket, timeout=TIMEOUT)
        await follower.send(stop=True)

        async def no_leases() -> bool:
            return await leases() == []

        await until(no_leases, timeout=TIMEOUT)
        await follower.wait_for_status("idle")
