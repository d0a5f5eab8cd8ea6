"""The API on the test's own database, with the users and boards of the demo."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from api.app import create_app
from api.state import app_state
from db.engine import create_engine
from feed.access.tokens import Tokens
from feed.runtime import Runtime
from tests.api.harness import SECRET, Api
from tests.support.database import Database


@pytest.fixture
async def api(demo_database: Database) -> AsyncIterator[Api]:
    database = demo_database
    settings = database.settings(jwt_secret=SECRET, demo=True)
    engine = create_engine(database.url, size=5)
    tokens = Tokens(settings)
    app = create_app(settings, engine=engine, tokens=tokens, runtime=None)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        yield Api(database, settings, engine, tokens, app, stack)


@pytest.fixture
async def runtime(api: Api) -> AsyncIterator[Runtime]:
    """A feed runtime in the API's process."""
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
    """A user with a valid token and no board."""
    return await api.user("zeca")
