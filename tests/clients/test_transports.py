"""web/client against the real services: every change arrives once and in order, whichever transport delivers it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.follower import PATIENCE, Follower, snapshot
from tests.support.database import Database
from tests.support.gateway import Gateway
from tests.support.load import version, writing
from tests.support.proxy import Proxy
from tests.support.services import Serve, Services
from tests.support.until import until

EVENTS = "/api/events"


@dataclass
class World:
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

    def follower(self, options: dict[str, Any] | None = None, **given: Any) -> Any:
        return Follower().start(self.node, self.bundle, self.options | (options or {}), **given)

    async def write(self, number: int = 1) -> int:
        """Change o1 so often; its version then."""
        for _ in range(number):
            await self.database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id = 'o1'")
        return await version(self.database)

    async def caught_up(self, follower: Follower) -> None:
        """Wait until all that was written is known, and look whether it came as it should."""
        await follower.knows(await version(self.database))
        assert follower.gaps() == []
        assert len(set(follower.seqs)) == len(follower.seqs)
        assert not [message for message in follower.messages if message["type"] == "reset"]


@pytest.fixture
async def world(serve: Serve, database: Database, node: str, bundle: str) -> AsyncIterator[World]:
    feed, api = await serve(), await serve()
    async with AsyncExitStack() as stack:
        socket = await stack.enter_async_context(Proxy("127.0.0.1", await feed.feed()))
        gateway = await stack.enter_async_context(Gateway(await api.api()))
        yield World(node, bundle, database, feed, api, socket, gateway)


async def test_it_follows_a_snapshot(world: World) -> None:
    cursor = await snapshot(world.api)
    await world.write(3)
    async with world.follower() as follower:
        await follower.tell(follow=cursor)
        await follower.shows("live", "websocket")
        await world.write(3)
        await world.caught_up(follower)
        assert follower.delivered == [2, 3, 4, 5, 6, 7]
        await until(lambda: follower.statuses[-1]["latency"] is not None)
        assert 0 < follower.statuses[-1]["latency"] < 1000


async def test_down_to_polling_and_up_again_while_somebody_writes(world: World) -> None:
    cursor = await snapshot(world.api)
    async with world.follower() as follower:
        async with writing(world.database, pause=0.01):
            await follower.tell(follow=cursor)
            await follower.shows("live", "websocket")
            world.socket.refuse()
            world.socket.cut()
            await follower.shows("live", "sse")
            world.gateway.shut.add(EVENTS)
            world.gateway.cut()
            await follower.shows("live", "polling")
            await until(lambda: any(message["type"] == "state" for message in follower.messages), timeout=PATIENCE)
            world.gateway.shut.clear()
            await follower.shows("live", "sse")
            await world.socket.start()
            await follower.shows("live", "websocket")
        await world.caught_up(follower)
        assert follower.transports == ["websocket", "sse", "polling", "sse", "websocket"]


@pytest.mark.parametrize("transport", ["websocket", "sse", "polling"])
async def test_through_cuts_and_a_restart_of_everything(world: World, transport: str) -> None:
    async with world.follower({"firstTransport": transport}) as follower:
        await follower.tell(follow=await snapshot(world.api))
        await follower.shows("live", transport)
        for _ in range(3):
            await world.write(3)
            world.socket.cut()
            world.gateway.cut()
            await world.write(3)
            await world.caught_up(follower)
        await world.feed.stop()
        await world.api.stop()
        await follower.shows("offline")
        await world.write(3)
        await world.feed.feed()
        await world.api.api()
        await follower.shows("live", transport)
        await world.write(3)
        await world.caught_up(follower)


async def test_a_goodbye_is_honoured(world: World) -> None:
    async with world.follower() as follower:
        await follower.tell(follow=await snapshot(world.api))
        await follower.shows("live", "websocket")
        accepted = world.socket.accepted
        await world.feed.stop()
        await follower.shows("live", "sse")
        await world.feed.feed()
        await world.write(3)
        await world.caught_up(follower)
        assert world.socket.accepted == accepted, "it came back before it was to"
        await follower.shows("live", "websocket")
        await world.write(3)
        await world.caught_up(follower)


async def test_a_proxy_that_holds_streams_back_is_stepped_over(world: World) -> None:
    world.gateway.buffers = True
    world.socket.refuse()
    cursor = await snapshot(world.api)
    async with world.follower() as follower:
        async with writing(world.database, pause=0.02):
            await follower.tell(follow=cursor)
            await follower.shows("live", "polling")
            assert EVENTS in world.gateway.asked
            world.gateway.buffers = False
            await follower.shows("live", "sse")
        await world.caught_up(follower)


@pytest.mark.parametrize("transport", ["websocket", "sse"])
async def test_a_stream_that_is_silent_is_dead(
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
            await follower.tell(follow=await snapshot(services))
            await follower.shows("live", transport)
            (socket if transport == "websocket" else stream).hang()
            await database.execute("UPDATE opportunities SET notes = 'unheard' WHERE id = 'o1'")
            await until(lambda: follower.statuses[-1]["transport"] != transport, timeout=PATIENCE)
            await socket.resume()
            await stream.resume()
            await follower.shows("live", transport)
            await follower.knows(2)
            assert follower.delivered == [2]


async def test_a_client_over_a_websocket_shows_what_it_has_applied(
    serve: Serve, database: Database, node: str, bundle: str
) -> None:
    services = await serve()
    options = {"api": f"http://127.0.0.1:{await services.api()}", "feed": f"http://127.0.0.1:{await services.feed()}"}
    async with Follower().start(node, bundle, options | {"timing": {"ping": 300}}) as follower:
        await follower.tell(follow=await snapshot(services))
        await follower.shows("live", "websocket")
        await database.execute("UPDATE opportunities SET notes = 'B' WHERE id = 'o1'")
        await follower.knows(2)
        hub = await services.hub("websocket")
        cursor = str(hub.tailer.head)
        await until(
            lambda: [(ack.cursor, ack.clients) for ack in hub.client_positions.summary()] == [(cursor, 1)],
            timeout=PATIENCE,
        )


async def test_a_cut_inside_a_batch_shows_nothing_of_it(
    serve: Serve, database: Database, node: str, bundle: str
) -> None:
    services = await serve(chunk_rows=50)
    api = await services.api()
    async with Proxy("127.0.0.1", await services.feed()) as socket:
        options = {"api": f"http://127.0.0.1:{api}", "feed": f"http://127.0.0.1:{socket.port}"}
        async with Follower().start(node, bundle, options) as follower:
            await follower.tell(follow=await snapshot(services))
            await follower.shows("live", "websocket")
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
            await until(lambda: len(follower.seqs) == 1000, timeout=PATIENCE)
            whole = [line for line in follower.lines if line["kind"] == "delivery" and len(line["messages"]) > 1]
            assert [len(line["messages"]) for line in whole] == [1000]
            assert [message["opportunityId"] for message in whole[0]["messages"]] == [f"n{n}" for n in range(1, 1001)]


@pytest.mark.parametrize("skew", [0, 86_400_000, -86_400_000])
async def test_a_token_is_renewed_in_band_whatever_the_clock_says(world: World, skew: int) -> None:
    async with world.follower(ttl=4, skew=skew) as follower:
        await follower.tell(follow=await snapshot(world.api))
        await follower.shows("live", "websocket")
        accepted = world.socket.accepted
        await until(lambda: follower.count("token") == 3, timeout=PATIENCE)
        await world.write(3)
        await world.caught_up(follower)
        assert world.socket.accepted == accepted
        assert follower.transports == ["websocket"]


@pytest.mark.parametrize("transport", ["sse", "polling"])
async def test_a_token_that_ends_is_followed_by_another(world: World, transport: str) -> None:
    async with world.follower({"firstTransport": transport}, ttl=3) as follower:
        await follower.tell(follow=await snapshot(world.api))
        await follower.shows("live", transport)
        await until(lambda: follower.count("token") == 4, timeout=PATIENCE)
        await world.write(3)
        await world.caught_up(follower)
        assert follower.transports == [transport]


async def test_without_a_good_token_it_ends_and_says_why(world: World) -> None:
    async with world.follower(secret="another secret, which is long enough for HS256 as well") as follower:
        await follower.tell(follow=await snapshot(world.api))
        await follower.shows("ended")
        assert follower.statuses[-1]["problem"]["code"] == "unauthenticated"
        assert follower.count("token") == 2


@pytest.mark.parametrize("transport", ["websocket", "sse", "polling"])
async def test_a_cursor_that_cannot_be_resumed_from_is_reset(world: World, transport: str) -> None:
    cursor = await snapshot(world.api)
    await world.database.execute("SELECT feed.reset_feed('test')")
    async with world.follower({"firstTransport": transport}) as follower:
        await follower.tell(follow=cursor)
        await follower.shows("live", transport)
        await until(lambda: any(message["type"] == "reset" for message in follower.messages), timeout=PATIENCE)
        (reset,) = (message for message in follower.messages if message["type"] == "reset")
        assert reset["reason"] == "foreign"
        await follower.tell(follow=await snapshot(world.api))
        last = await world.write(3)
        await follower.knows(last)
        await follower.tell(follow=cursor)
        await until(lambda: follower.count("refused") == 1, timeout=PATIENCE)
        assert follower.lines[-1] | {"reason": "foreign", "type": "cursor-reset"} == follower.lines[-1]


async def test_a_second_board_is_brought_up_to_where_the_stream_is(world: World) -> None:
    early = await snapshot(world.api)
    await world.write(2)
    async with world.follower() as follower:
        await follower.tell(follow=await snapshot(world.api))
        await follower.shows("live", "websocket")
        await follower.tell(follow=early)
        await until(lambda: follower.count("followed") == 2, timeout=PATIENCE)
        (state,) = (message for message in follower.messages if message["type"] == "state")
        assert [(card["id"], card["version_number"]) for card in state["opportunities"]] == [("o1", 3)]
        await world.write(1)
        await world.caught_up(follower)


@pytest.mark.parametrize("transport", ["websocket", "sse", "polling"])
async def test_who_edits_is_seen_over_each_transport(world: World, transport: str) -> None:
    cursor = await snapshot(world.api)
    async with (
        world.follower({"firstTransport": transport, "timing": {"presenceRenewal": 500}}) as ana,
        world.follower({"firstTransport": transport}, user="bruno") as bruno,
    ):
        for follower in (ana, bruno):
            await follower.tell(follow=cursor, board="b1")
            await follower.shows("live", transport)
        await ana.tell(send={"type": "user_editing", "opportunityId": "o1", "baseVersion": 1})
        await until(lambda: bruno.presence.get("o1"), timeout=PATIENCE)
        (seen,) = bruno.presence["o1"]
        assert (seen["userId"], seen["action"], seen["baseVersion"]) == ("ana", "editing", 1)
        await ana.tell(send={"type": "user_stopped_editing", "opportunityId": "o1"})
        await until(lambda: bruno.presence == {}, timeout=PATIENCE)


async def test_presence_moves_with_the_transport_and_ends_with_the_client(world: World) -> None:
    async def leases() -> list[str]:
        rows = await world.database.execute("SELECT connection FROM user_presence ORDER BY connection")
        return [row["connection"] for row in rows]

    async with world.follower() as follower:
        await follower.tell(follow=await snapshot(world.api))
        await follower.shows("live", "websocket")
        await follower.tell(send={"type": "user_editing", "opportunityId": "o1", "baseVersion": 1})
        await until(leases, timeout=PATIENCE)
        (by_socket,) = await leases()
        world.socket.refuse()
        world.socket.cut()
        await follower.shows("live", "sse")

        async def by_http() -> bool:
            return await leases() == ["http:ana"]

        await until(by_http, timeout=PATIENCE)
        await world.socket.start()
        await follower.shows("live", "websocket")

        async def by_another_socket() -> bool:
            now = await leases()
            return len(now) == 1 and now[0] not in {"http:ana", by_socket}

        await until(by_another_socket, timeout=PATIENCE)
        await follower.tell(stop=True)

        async def nobody() -> bool:
            return await leases() == []

        await until(nobody, timeout=PATIENCE)
        await follower.shows("idle")
