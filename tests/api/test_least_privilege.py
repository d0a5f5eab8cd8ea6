"""The API, with the feed in its process, runs with only the privileges of the role feed_app."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import psycopg
import pytest
from psycopg import sql

from api.app import create_app
from api.state import app_state
from db.engine import create_engine
from feed.runtime import Runtime
from tests.api.harness import Api
from tests.support.database import Database


@pytest.fixture
async def restricted(api: Api) -> AsyncIterator[Api]:
    login = f"{api.database.name}_api"
    async with await api.database.connect() as conn:
        await conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(login)))
        await conn.execute(sql.SQL("GRANT feed_app TO {}").format(sql.Identifier(login)))
    url = f"postgresql://{login}:x@{api.database.url.rpartition('@')[2]}"
    settings = api.settings.model_copy(update={"database_url": url})
    async with AsyncExitStack() as stack:
        engine, runtime = create_engine(url), Runtime(settings, api.tokens, "api")
        stack.push_async_callback(engine.dispose)
        await runtime.start()
        stack.push_async_callback(runtime.stop)
        app = create_app(settings, engine=engine, tokens=api.tokens, runtime=runtime)
        stack.push_async_callback(app_state(app).stop)
        yield Api(Database(url, api.database.name), settings, engine, api.tokens, app, stack)
    async with await api.database.connect() as conn:
        await conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


async def test_feed_app_can_do_everything_the_api_does(restricted: Api) -> None:
    ana = await restricted.user("ana")
    card = await restricted.card(id="made-by-a-client", notes="a\nb\nc")
    path = f"/api/opportunities/{card['id']}"
    assert (await ana.get("/api/start")).json()["snapshot"]["board"]["id"] == "vendas"
    assert (await ana.put(f"{path}/presence", json={"baseVersion": 1})).status_code == 204
    assert await restricted.database.execute("SELECT user_id, behind FROM feed.editing") == [
        {"user_id": "ana", "behind": False}
    ]
    assert (await ana.patch(path, json={"notes": "A\nb\nc"}, headers={"If-Match": '"v1"'})).is_success
    merge = {"clientVersion": 1, "serverVersion": 2, "resolution": "merge", "clientData": {"notes": "a\nb\nC"}}
    assert (await ana.post(f"{path}/resolve-conflict", json=merge)).json()["notes"] == "A\nb\nC"
    assert (await ana.post(f"{path}/versions/1/restore", headers={"If-Match": '"v3"'})).json()["notes"] == "a\nb\nc"
    assert (await ana.delete(path, headers={"If-Match": '"v4"'})).status_code == 204
    assert (await ana.post(f"{path}/versions/4/restore")).json()["version_number"] == 5
    assert len((await ana.get(f"{path}/versions")).json()["versions"]) == 5
    assert (await ana.post("/api/events/ticket")).status_code == 201
    assert (await ana.get("/api/sync/opportunities")).status_code == 200
    assert (await ana.get("/readyz")).json()["checks"]["database"] == "ok"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await restricted.database.execute("DELETE FROM feed.log")
