"""The API on a database of the test's own, with the demo's people and boards."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from api.app import create_app
from api.state import app_state
from db import demo
from db.engine import create_engine
from feed.access.tokens import Tokens
from feed.runtime import Runtime
from tests.api.harness import SECRET, Api
from tests.support.database import Database


@pytest.fixture
async def api(database: Database) -> AsyncIterator[Api]:
    settings = database.settings(jwt_secret=SECRET, demo=True)
    engine = create_engine(database.url, size=5)
    await demo.seed(engine)
    tokens = Tokens(settings)
    app = create_app(settings, engine=engine, tokens=tokens, runtime=None)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        yield Api(database, settings, engine, tokens, app, stack)


@pytest.fixture
async def runtime(api: Api) -> AsyncIterator[Runtime]:
    """The feed in the API's process."""
    runtime = Runtime(api.settings, api.tokens, "api")
    await runtime.start()
    api.app = create_app(api.settings, engine=api.engine, tokens=api.tokens, runtime=runtime)
    yield runtime
    await app_state(api.app).stop()
    await runtime.stop()


@pytest.fixture
async def ana(api: Api) -> httpx.AsyncClient:
    """An editor of both boards."""
    return await api.user("ana")


@pytest.fixture
async def diego(api: Api) -> httpx.AsyncClient:
    """A viewer of both boards."""
    return await api.user("diego")


@pytest.fixture
async def stranger(api: Api) -> httpx.AsyncClient:
    """A good token, and no board."""
    return await api.user("zeca")
