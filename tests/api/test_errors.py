"""Errors of the server: the response says what to do next and reveals no internals."""

import time

import httpx
import psycopg
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import errors
from api.app import create_app
from api.http import operation
from api.http.problems import PROBLEMS
from api.state import app_state
from db.engine import create_engine
from feed.access.tokens import Tokens
from tests.api.harness import Api, problem
from tests.support.database import Database
from tests.support.proxy import Proxy


async def test_an_unreachable_database_is_a_503_until_it_is_back(api: Api) -> None:
    async with Proxy.for_url(api.database.url) as proxy:
        engine = create_engine(proxy.rewrite_url(api.database.url))
        api.stack.push_async_callback(engine.dispose)
        api.app = create_app(api.settings, engine=engine, tokens=api.tokens, runtime=None)
        ana = await api.user("ana")
        assert (await ana.get("/api/boards")).status_code == 200
        proxy.refuse()
        proxy.cut()
        for answer in (
            await ana.get("/api/boards"),
            await ana.get("/api/boards/vendas"),
            await ana.post("/api/opportunities", json={"board_id": "vendas", "phase": "won", "title": "x"}),
            await ana.get("/api/sync/opportunities"),
            await ana.post("/api/events/ticket"),
        ):
            problem(answer, "database-unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
        ready = await ana.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]) == (503, {"database": "unreachable"})
        assert (await ana.get("/healthz")).status_code == 200
        await proxy.resume()
        assert (await ana.get("/api/boards")).status_code == 200
        assert (await ana.get("/readyz")).json() == {"status": "ready", "checks": {"database": "ok"}}


async def test_a_database_that_hangs_is_a_timeout(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "HANDLER_TIMEOUT", 0.5)
    async with Proxy.for_url(api.database.url) as proxy:
        engine = create_engine(proxy.rewrite_url(api.database.url), size=1)
        api.stack.push_async_callback(engine.dispose)
        api.app = create_app(api.settings, engine=engine, tokens=api.tokens, runtime=None)
        ana = await api.user("ana")
        assert (await ana.get("/api/boards")).status_code == 200
        proxy.hang()
        begun = time.monotonic()
        problem(await ana.get("/api/boards"), "timeout")
        # The driver asks the server to cancel, which takes some seconds too.
        assert time.monotonic() - begun < 15
        await proxy.resume()
        assert (await ana.get("/api/boards")).status_code == 200


async def test_killed_connections_fail_no_request(api: Api, ana: httpx.AsyncClient) -> None:
    assert (await ana.get("/api/boards")).status_code == 200
    await api.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'boardcast-api' AND datname = current_database()"
    )
    assert (await ana.get("/api/boards")).status_code == 200


async def test_a_locked_row_is_busy(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    async with await psycopg.AsyncConnection.connect(api.database.url) as conn:
        await conn.execute("SELECT FROM opportunities WHERE id = %s FOR UPDATE", [card["id"]])
        answer = await ana.patch(path, json={"title": "y"}, headers={"If-Match": '"v1"'})
        problem(answer, "busy")
        assert "Retry-After" in answer.headers
        assert (await ana.get(path)).status_code == 200


async def test_an_unexpected_exception_is_a_500_without_details(api: Api) -> None:
    async def broken(request: Request) -> Response:
        raise LookupError("the secret is swordfish")

    api.app.router.routes.insert(0, Route("/broken", broken))
    client = await api.client(Origin="http://localhost:8000")
    answer = await client.get("/broken")
    problem(answer, "internal-error")
    assert "swordfish" not in answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:8000"


@pytest.mark.parametrize(
    ("sqlstate", "slug"),
    [
        ("23505", "conflict"),
        ("23503", "conflict"),
        ("23514", "invalid-input"),
        ("22021", "invalid-input"),
        ("22003", "invalid-input"),
        ("40001", "busy"),
        ("40P01", "busy"),
        ("55P03", "busy"),
        ("57014", "busy"),
        ("57P01", "database-unavailable"),
        ("53300", "database-unavailable"),
        ("08006", "database-unavailable"),
        ("25006", "database-unavailable"),
        ("42501", "internal-error"),
        ("42P01", "internal-error"),
    ],
)
def test_database_errors_are_mapped_by_sqlstate(sqlstate: str, slug: str) -> None:
    error = psycopg.errors.lookup(sqlstate)("secret detail")
    mapped = errors.problem_for(error)
    assert mapped.slug == slug
    assert mapped.detail is None


async def test_a_database_that_is_not_migrated_is_not_ready(empty_database: Database, api: Api) -> None:
    engine = create_engine(empty_database.url)
    api.stack.push_async_callback(engine.dispose)
    settings = empty_database.settings(jwt_secret="s" * 40)
    app = create_app(settings, engine=engine, tokens=Tokens(settings), runtime=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (
        503,
        {"database": "boardcast is not installed in this database: run `boardcast migrate`"},
    )


async def test_a_draining_instance_is_not_ready(api: Api) -> None:
    app_state(api.app).draining = True
    client = await api.client()
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["draining"] == "stopping"


async def test_requests_are_counted_by_route(api: Api, ana: httpx.AsyncClient) -> None:
    for _ in range(3):
        await ana.get("/api/opportunities/nope")
    text = (await ana.get("/metrics")).text
    counted = 'boardcast_http_requests_total{method="GET",route="/api/opportunities/{id}",status="404"} 3.0'
    assert counted in text


async def test_every_problem_is_documented(api: Api) -> None:
    client = await api.client()
    described = (await client.get("/openapi.json")).json()["x-problems"]
    assert {each["type"] for each in described} == {f"/problems/{slug}" for slug in PROBLEMS}
    for slug in PROBLEMS:
        answer = await client.get(f"/problems/{slug}")
        assert answer.headers["Location"] == f"/docs#problem-{slug}"
