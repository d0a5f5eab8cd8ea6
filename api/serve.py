"""The API with all that it stands on: from nothing to a port that answers, and back."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from api.app import create_app
from api.server import ApiServer
from db.engine import create_engine
from db.settings import LIBPQ_URL, Settings
from feed.access.tokens import Tokens
from feed.runtime import Runtime


@asynccontextmanager
async def serving(settings: Settings, tokens: Tokens, *, drain_timeout: float) -> AsyncIterator[ApiServer]:
    """Serve while the block runs. Raises OSError where the port is taken, and what Runtime.start raises."""
    engine = create_engine(settings.database or LIBPQ_URL)
    hub = Runtime(settings, tokens, name="api")
    app = create_app(settings, engine=engine, tokens=tokens, hub=hub)
    server = ApiServer(app, host=settings.host, port=settings.api_port, drain_timeout=drain_timeout)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        stack.push_async_callback(hub.stop)
        await hub.start()
        stack.push_async_callback(server.stop)
        await server.start()
        yield server
