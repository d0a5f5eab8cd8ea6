"""The API with everything it depends on, as a context manager: it serves while the block runs."""

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
    """Serve while the block runs. Raises OSError if the port is taken, and what Runtime.start raises."""
    engine = create_engine(settings.database or LIBPQ_URL)
    runtime = Runtime(settings, tokens, name="api")
    app = create_app(settings, engine=engine, tokens=tokens, runtime=runtime)
    server = ApiServer(app, host=settings.host, port=settings.api_port, drain_timeout=drain_timeout)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        stack.push_async_callback(runtime.stop)
        await runtime.start()
        stack.push_async_callback(server.stop)
        await server.start()
        yield server
