"""The feed service with all that it stands on: from nothing to a port that answers, and back."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.settings import Settings
from feed.http.server import FeedServer
from feed.runtime import Runtime
from feed.tokens import Tokens


@asynccontextmanager
async def serving(settings: Settings, tokens: Tokens) -> AsyncIterator[FeedServer]:
    """Serve while the block runs. Raises OSError where the port is taken, and what Runtime.start raises."""
    server = FeedServer(settings, Runtime(settings, tokens))
    try:
        await server.start()
    except OSError as error:
        where = f"port {settings.feed_port} of {settings.host}"
        if error.errno == errno.EADDRINUSE:
            raise OSError(f"{where} is in use: set BOARDCAST_FEED_PORT") from None
        raise OSError(f"cannot listen on {where}: {error.strerror}") from None
    try:
        yield server
    finally:
        await server.stop()
