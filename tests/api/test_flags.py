"""Clients without a stream learn of flag changes by a long poll."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from api import long_poll
from api.routes import flags
from api.state import app_state
from feed.runtime import Runtime
from tests.api.harness import Api, problem
from tests.support.until import until

KNOWN = "/api/flags?known="


@pytest.fixture(autouse=True)
def long_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long poll ends by its own timeout: one that is not woken fails at the timeout of all requests."""
    monkeypatch.setattr(flags, "_HOLD", 60)


@asynccontextmanager
async def held(api: Api, *polls_of: tuple[httpx.AsyncClient, str]) -> AsyncIterator[list[asyncio.Task[httpx.Response]]]:
    """Long polls that are waiting."""
    tasks = [asyncio.create_task(client.get(KNOWN + known)) for client, known in polls_of]
    polls = app_state(api.app).long_polls
    assert polls is not None
    await until(lambda: len(polls) == len(polls_of), what="all to wait")
    yield tasks
    for task in tasks:
        task.cancel()


async def set_flag(api: Api, value: str, user: str = "") -> None:
    scope = "user" if user else "everybody"
    await api.database.execute(
        "INSERT INTO feed.flags (flag, scope, user_id, value) VALUES ('realtime', %s, %s, %s)"
        " ON CONFLICT (flag, scope, user_id) DO UPDATE SET value = excluded.value",
        [scope, user, value],
    )


async def test_a_flag_change_answers_the_users_it_concerns(api: Api, runtime: Runtime) -> None:
    ana, bruno = await api.user("ana"), await api.user("bruno")
    async with held(api, (ana, "websocket"), (bruno, "websocket")) as (of_ana, of_bruno):
        await set_flag(api, "poll", "ana")
        assert (await of_ana).json() == {"realtime": "poll"}
        assert not of_bruno.done()
        await set_flag(api, "off")
        assert (await of_bruno).json() == {"realtime": "off"}
    answer = await ana.get("/api/flags")
    assert (answer.json(), answer.headers["Cache-Control"]) == ({"realtime": "poll"}, "no-store")


async def test_a_client_with_an_outdated_value_is_answered_at_once(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient
) -> None:
    assert (await ana.get(KNOWN + "off")).json() == {"realtime": "websocket"}


async def test_a_long_poll_ends_after_a_while(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flags, "_HOLD", 0.01)
    assert (await ana.get(KNOWN + "websocket")).json() == {"realtime": "websocket"}


async def test_beyond_the_limit_requests_do_not_wait(
    api: Api, runtime: Runtime, ana: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_poll, "_MAX_HELD", 1)
    async with held(api, (ana, "websocket")) as (first,):
        assert (await ana.get(KNOWN + "websocket")).json() == {"realtime": "websocket"}
        assert not first.done()


async def test_the_limit_of_one_user_does_not_affect_others(api: Api, runtime: Runtime, ana: httpx.AsyncClient) -> None:
    bruno = await api.user("bruno")
    async with held(api, *[(ana, "websocket")] * runtime.settings.max_user_connections) as of_ana:
        assert (await ana.get(KNOWN + "websocket")).json() == {"realtime": "websocket"}
        late = asyncio.create_task(bruno.get(KNOWN + "websocket"))
        polls = app_state(api.app).long_polls
        await until(lambda: polls is not None and len(polls) == len(of_ana) + 1, what="another user to wait")
        await set_flag(api, "off")
        assert [(await one).json() for one in (*of_ana, late)] == [{"realtime": "off"}] * (len(of_ana) + 1)


async def test_a_draining_instance_answers_its_long_polls(api: Api, runtime: Runtime, ana: httpx.AsyncClient) -> None:
    async with held(api, (ana, "websocket")) as (waits,):
        app_state(api.app).drain()
        assert (await waits).json() == {"realtime": "websocket"}
    assert (await ana.get(KNOWN + "websocket")).status_code == 200


async def test_a_feed_reset_rereads_the_flags(api: Api, runtime: Runtime, ana: httpx.AsyncClient) -> None:
    async with held(api, (ana, "websocket")) as (waits,):
        async with await api.database.connect() as conn:
            await conn.execute("SET session_replication_role = replica")  # bypass the triggers, as a restore does
            await conn.execute("INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', 'sse')")
            await conn.execute("SELECT feed.reset_feed()")
        assert (await waits).json() == {"realtime": "sse"}


async def test_unknown_values_and_unauthenticated_requests_are_refused(api: Api, ana: httpx.AsyncClient) -> None:
    problem(await ana.get(KNOWN + "pigeons"), "invalid-input")
    problem(await (await api.client()).get("/api/flags"), "unauthenticated")


async def test_long_polls_are_not_measured_as_slow_requests(api: Api, runtime: Runtime, ana: httpx.AsyncClient) -> None:
    await ana.get(KNOWN + "off")
    metrics = (await ana.get("/metrics")).text
    assert 'boardcast_http_requests_total{method="GET",route="/api/flags",status="200"} 1.0' in metrics
    assert 'boardcast_http_request_seconds_count{method="GET",route="/api/flags"}' not in metrics
