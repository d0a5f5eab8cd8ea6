"""What a feed measures is what happened: read as Prometheus does, from /metrics of services that run."""

import math
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import Serve, Services, serving
from tests.support.streams import RefusedError, WebSocketClient
from tests.support.until import until

Sample = Callable[..., Awaitable[float]]


async def scrape(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    return {
        (sample.name.removeprefix("boardcast_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(services: Services, transport: str = "websocket") -> Sample:
    """Ask the service behind a transport for one sample."""

    async def sample(name: str, **labels: str) -> float:
        port = await (services.api() if transport == "api-events" else services.feed())
        return (await scrape(port))[name, frozenset(labels.items())]

    return sample


@pytest.mark.parametrize(
    ("transport", "named"),
    [
        ("websocket", "websocket"),
        ("websocket-batch", "websocket-batch"),
        ("sse", "sse-chunked"),
        ("api-events", "sse"),
    ],
)
async def test_streams_events_and_their_bytes(
    services: Services, database: Database, transport: str, named: str
) -> None:
    sample = of(services, transport)
    clients = [await services.open(transport) for _ in range(3)]
    assert await sample("connections", transport=named) == await sample("active_connections") == 3
    assert await sample("recoveries_total", source="live") == 3
    before = await sample("delivered_bytes_total", transport=named)
    await database.execute("UPDATE opportunities SET title = 'B' WHERE id = 'o1'")
    sent = [len((await client.next_event()).raw) for client in clients]
    assert await sample("events_total", type="opportunity_updated") == 1
    assert await sample("deliveries_total", transport=named) == 3
    assert sum(sent) <= await sample("delivered_bytes_total", transport=named) - before <= sum(sent) + 3 * 400
    assert await sample("delivery_seconds_count") == 1
    await clients[0].close()
    await until(lambda: _is(sample("active_connections"), 2))


async def _is(asked: Awaitable[float], value: float) -> bool:
    return await asked == value


async def test_recoveries_by_source(services: Services, database: Database, transport: str) -> None:
    sample = of(services, transport)
    cursor = (await services.open(transport)).cursor
    await database.execute("UPDATE opportunities SET title = 'B' WHERE id = 'o1'")
    await (await services.open(transport, cursor=cursor)).next_event()
    await (await services.open(transport, cursor="nonsense")).next("presence_state")
    counted = {name: await sample("recoveries_total", source=name) for name in ("live", "buffer", "log", "reset")}
    assert counted == {"live": 1, "buffer": 1, "log": 0, "reset": 1}
    assert await sample("resets_total", reason="malformed") == 1
    await services.stop()
    client = await services.open(transport, cursor=cursor)
    await client.next_event()
    await client.next("presence_state")
    assert await sample("recoveries_total", source="log") == 1


@pytest.fixture(params=["websocket", "api-events"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_what_clients_say(services: Services) -> None:
    sample = of(services)
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    await client.send({"type": "user_editing", "opportunityId": "o1"})
    await client.next("user_editing")
    await client.send({"type": "ping"})
    await client.next("pong")
    await client.send({"type": "dance"})
    await client.next("error")
    said = {name: await sample("messages_total", type=name) for name in ("auth", "user_editing", "ping", "invalid")}
    assert said == {"auth": 1, "user_editing": 1, "ping": 1, "invalid": 1}
    assert await sample("presence_leases", action="editing") == 1
    assert await sample("presence_leases", action="viewing") == 0
    await client.close()
    await until(lambda: _is(sample("presence_leases", action="editing"), 0))


async def test_streams_that_do_not_begin(services: Services) -> None:
    for query in ("", "?ticket=unknown"):
        with pytest.raises(RefusedError):
            await services.knock("sse", query)
    sample = of(services)
    assert await sample("refused_total", problem="unauthenticated") == 1
    assert await sample("refused_total", problem="invalid-ticket") == 1


async def test_a_listener_that_hears_nothing_grows_old(database: Database) -> None:
    async with Proxy.before(database.url) as proxy:
        direct = proxy.through(database.url)
        async with serving(database, listen_database_url=direct) as services:
            sample = of(services)
            assert await sample("listener_up") == await sample("database_up") == 1
            assert await sample("listener_age_seconds") < 10
            assert await sample("log_idle_seconds") < 10
            proxy.hang()
            before = await sample("listener_age_seconds")
            await until(lambda: _above(sample("listener_age_seconds"), before + 1), timeout=20)
            await until(lambda: _above(sample("log_idle_seconds"), 2), timeout=20)
            await proxy.resume()


async def _above(asked: Awaitable[float], value: float) -> bool:
    return await asked > value


async def test_how_it_stands_with_the_database(services: Services) -> None:
    sample = of(services)
    await services.feed()
    await until(lambda: _above(sample("log_bytes"), 0), what="the first look")
    assert await sample("notify_queue_usage") == 0
    assert await sample("log_partitions") >= 3
    assert await sample("pool_connections", state="idle") + await sample("pool_connections", state="used") >= 1
    assert await sample("pool_waiting") == 0
    await until(lambda: _above(sample("read_pass_seconds_count"), 1))
    await until(lambda: _above(sample("loop_lag_seconds_count"), 0))
    assert math.isnan(await sample("replica_used"))


async def test_a_loop_that_is_held_up_shows_it(services: Services) -> None:
    sample = of(services)
    await services.feed()
    await until(lambda: _above(sample("loop_lag_seconds_count"), 0))
    late = await sample("loop_lag_seconds_count") - await sample("loop_lag_seconds_bucket", le="0.5")
    time.sleep(2)  # noqa: ASYNC251 - the fault

    async def shown() -> bool:
        found = await sample("loop_lag_seconds_count") - await sample("loop_lag_seconds_bucket", le="0.5")
        return found > late

    await until(shown)


async def test_every_writer_notifies_where_the_setting_says_so(serve: Serve) -> None:
    sample = of(await serve(notify_mode="always"))
    await until(lambda: _is(sample("pacer", boardcast_pacer="always"), 1))


async def test_an_instance_that_stops_says_so(services: Services) -> None:
    sample = of(services)
    assert await sample("draining") == 0
    (await services.hub("websocket")).drain()
    assert await sample("draining") == 1


async def test_two_services_in_one_process_measure_each_its_own(services: Services, database: Database) -> None:
    feed, api = of(services), of(services, "api-events")
    client = await services.open("websocket")
    await services.api()
    await database.execute("UPDATE opportunities SET title = 'B' WHERE id = 'o1'")
    await client.next_event()
    await until(lambda: _is(api("events_total", type="opportunity_updated"), 1))
    assert (await feed("active_connections"), await api("active_connections")) == (1, 0)
    assert await feed("deliveries_total", transport="websocket") == 1
    assert await api("deliveries_total", transport="sse") == 0
    assert await api("api_pool_connections", state="used") == 0
    assert await feed("build_info", service="feed", version=version("boardcast")) == 1
    assert await api("build_info", service="api", version=version("boardcast")) == 1


async def test_what_can_be_listed_is_there_before_it_happens(services: Services) -> None:
    found: dict[Any, float] = await scrape(await services.feed())
    for name, label, value in (
        ("resets_total", "reason", "foreign"),
        ("closed_total", "reason", "too_slow"),
        ("slow_clients_total", "outcome", "dropped"),
        ("gaps_total", "cause", "delivery"),
        ("refused_total", "problem", "overloaded"),
        ("events_total", "type", "opportunity_moved"),
        ("deliveries_total", "transport", "sse"),
    ):
        assert found[name, frozenset({(label, value)})] == 0, name
