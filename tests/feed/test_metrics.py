"""The metrics match what happened; they are scraped from /metrics of running services, as Prometheus does."""

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


def samples_of(services: Services, transport: str = "websocket") -> Sample:
    """A function that scrapes one sample from the service behind a transport."""

    async def sample(name: str, **labels: str) -> float:
        port = await (services.api() if transport == "api-events" else services.feed())
        return (await scrape(port))[name, frozenset(labels.items())]

    return sample


@pytest.mark.parametrize(
    ("transport", "label"),
    [
        ("websocket", "websocket"),
        ("websocket-batch", "websocket-batch"),
        ("sse", "sse-chunked"),
        ("api-events", "sse"),
    ],
)
async def test_connections_events_and_bytes_are_counted_by_transport(
    services: Services, database: Database, transport: str, label: str
) -> None:
    sample = samples_of(services, transport)
    clients = [await services.open(transport) for _ in range(3)]
    assert await sample("connections", transport=label) == await sample("active_connections") == 3
    assert await sample("recoveries_total", source="live") == 3
    before = await sample("delivered_bytes_total", transport=label)
    await database.execute("UPDATE opportunities SET title = 'B' WHERE id = 'o1'")
    sent = [len((await client.next_event()).raw) for client in clients]
    assert await sample("events_total", type="opportunity_updated") == 1
    assert await sample("deliveries_total", transport=label) == 3
    assert sum(sent) <= await sample("delivered_bytes_total", transport=label) - before <= sum(sent) + 3 * 400
    assert await sample("delivery_seconds_count") == 1
    await clients[0].close()
    await until(lambda: _is(sample("active_connections"), 2))


async def _is(sample: Awaitable[float], value: float) -> bool:
    return await sample == value


async def test_recoveries_are_counted_by_source(services: Services, database: Database, transport: str) -> None:
    sample = samples_of(services, transport)
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


async def test_client_messages_are_counted_by_type(services: Services) -> None:
    sample = samples_of(services)
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    await client.send({"type": "user_editing", "opportunityId": "o1"})
    await client.next("user_editing")
    await client.send({"type": "ping"})
    await client.next("pong")
    await client.send({"type": "dance"})
    await client.next("error")
    counted = {name: await sample("messages_total", type=name) for name in ("auth", "user_editing", "ping", "invalid")}
    assert counted == {"auth": 1, "user_editing": 1, "ping": 1, "invalid": 1}
    assert await sample("presence_leases", action="editing") == 1
    assert await sample("presence_leases", action="viewing") == 0
    await client.close()
    await until(lambda: _is(sample("presence_leases", action="editing"), 0))


async def test_refused_streams_are_counted_by_problem(services: Services) -> None:
    for query in ("", "?ticket=unknown"):
        with pytest.raises(RefusedError):
            await services.request_stream("sse", query)
    sample = samples_of(services)
    assert await sample("refused_total", problem="unauthenticated") == 1
    assert await sample("refused_total", problem="invalid-ticket") == 1


async def test_the_listener_age_grows_while_it_receives_nothing(database: Database) -> None:
    async with Proxy.for_url(database.url) as proxy:
        direct = proxy.rewrite_url(database.url)
        async with serving(database, listen_database_url=direct) as services:
            sample = samples_of(services)
            assert await sample("listener_up") == await sample("database_up") == 1
            assert await sample("listener_age_seconds") < 10
            assert await sample("log_idle_seconds") < 10
            proxy.hang()
            before = await sample("listener_age_seconds")
            await until(lambda: _above(sample("listener_age_seconds"), before + 1), timeout=20)
            await until(lambda: _above(sample("log_idle_seconds"), 2), timeout=20)
            await proxy.resume()


async def _above(sample: Awaitable[float], value: float) -> bool:
    return await sample > value


async def test_the_database_gauges_are_set(services: Services) -> None:
    sample = samples_of(services)
    await services.feed()
    await until(lambda: _above(sample("log_bytes"), 0), what="the first measurement")
    assert await sample("notify_queue_usage") == 0
    assert await sample("log_partitions") >= 3
    assert await sample("pool_connections", state="idle") + await sample("pool_connections", state="used") >= 1
    assert await sample("pool_waiting") == 0
    await until(lambda: _above(sample("read_pass_seconds_count"), 1))
    await until(lambda: _above(sample("loop_lag_seconds_count"), 0))
    assert math.isnan(await sample("replica_used"))


async def test_a_blocked_event_loop_shows_in_the_loop_lag(services: Services) -> None:
    sample = samples_of(services)
    await services.feed()
    await until(lambda: _above(sample("loop_lag_seconds_count"), 0))
    slow = await sample("loop_lag_seconds_count") - await sample("loop_lag_seconds_bucket", le="0.5")
    time.sleep(2)  # noqa: ASYNC251 - blocks the loop on purpose

    async def measured() -> bool:
        found = await sample("loop_lag_seconds_count") - await sample("loop_lag_seconds_bucket", le="0.5")
        return found > slow

    await until(measured)


async def test_the_pacer_gauge_shows_that_every_writer_notifies(serve: Serve) -> None:
    sample = samples_of(await serve(notify_mode="always"))
    await until(lambda: _is(sample("pacer", boardcast_pacer="always"), 1))


async def test_a_stopping_instance_reports_that_it_drains(services: Services) -> None:
    sample = samples_of(services)
    assert await sample("draining") == 0
    (await services.runtime("websocket")).drain()
    assert await sample("draining") == 1


async def test_two_services_in_one_process_have_separate_metrics(services: Services, database: Database) -> None:
    feed, api = samples_of(services), samples_of(services, "api-events")
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


async def test_known_labels_are_exported_with_zero(services: Services) -> None:
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
