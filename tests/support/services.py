"""Runs the feed service and the API in the test's event loop, each on its own port, and opens clients to them."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from api.server import ApiServer
from db.engine import create_engine
from db.settings import Settings
from feed.access.tokens import Tokens
from feed.http.server import FeedServer
from feed.runtime import Runtime
from tests.support.database import Database
from tests.support.streams import Client, EventStreamClient, Message, WebSocketClient

SECRET = "a secret that is long enough for HS256, and for nothing else"
ORIGIN = "http://board.example"

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Unused, but passed so that httpx does not load all CA certificates for each client, which takes 50 ms."""

PEOPLE_SQL = """
INSERT INTO users (id, name) VALUES ('ana', 'Ana'), ('bruno', 'Bruno'), ('carla', 'Carla');
INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]'), ('b2', 'Two', '[]');
INSERT INTO feed.board_members (board_id, user_id, role)
VALUES ('b1', 'ana', 'editor'), ('b1', 'bruno', 'editor'), ('b2', 'bruno', 'viewer');
INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o1', 'b1', 'First', 'new');
"""
"""Ana is a member of b1, Bruno of both boards, Carla of none. o1 is a card on b1."""


async def add_people(database: Database) -> None:
    async with await database.connect() as conn:
        await conn.execute(PEOPLE_SQL)


class Services:
    """Start each service on first use; a restarted service keeps its port."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tokens = Tokens(settings)
        self.clients: list[Client] = []
        self._feed: FeedServer | None = None
        self._feed_runtime: Runtime | None = None
        self._api: ApiServer | None = None
        self._api_runtime: Runtime | None = None
        self._engine: AsyncEngine | None = None
        self._feed_port = 0
        self._api_port = 0
        self._starting = asyncio.Lock()

    async def feed(self) -> int:
        """Start the feed service if it is not running. Returns its port."""
        async with self._starting:
            return await self._start_feed()

    async def api(self) -> int:
        """Start the API if it is not running. Returns its port."""
        async with self._starting:
            return await self._start_api()

    async def _start_feed(self) -> int:
        if self._feed is None:
            settings = self.settings.model_copy(update={"feed_port": self._feed_port})
            self._feed_runtime = Runtime(settings, self.tokens)
            self._feed = FeedServer(settings, self._feed_runtime)
            await self._feed.start()
            self._feed_port = self._feed.port
        return self._feed_port

    async def _start_api(self) -> int:
        if self._api is None:
            self._engine = create_engine(self.settings.database or "", size=3)
            self._api_runtime = Runtime(self.settings, self.tokens, name="api")
            await self._api_runtime.start()
            app = create_app(self.settings, engine=self._engine, tokens=self.tokens, runtime=self._api_runtime)
            self._api = ApiServer(app, host="127.0.0.1", port=self._api_port, drain_timeout=3)
            await self._api.start()
            self._api_port = self._api.port
        return self._api_port

    async def runtime(self, transport: str) -> Runtime:
        """Return the runtime that serves a transport."""
        await (self.api() if transport == "api-events" else self.feed())
        runtime = self._api_runtime if transport == "api-events" else self._feed_runtime
        assert runtime is not None
        return runtime

    @property
    def running(self) -> tuple[Runtime, ...]:
        return tuple(runtime for runtime in (self._feed_runtime, self._api_runtime) if runtime is not None)

    async def stop(self) -> None:
        """Stop the services. Clients keep the messages they have read."""
        if self._feed is not None:
            await self._feed.stop()
        if self._api is not None and self._api_runtime is not None and self._engine is not None:
            self._api_runtime.drain()
            await self._api.stop()
            await self._api_runtime.stop()
            await self._engine.dispose()
        self._feed = self._feed_runtime = self._api = self._api_runtime = self._engine = None

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self.clients))
        await self.stop()

    def token(self, user: str = "ana", ttl: float = 600) -> str:
        return self.tokens.issue(user, user.title(), ttl)

    async def open(
        self,
        transport: str,
        cursor: str | None = None,
        *,
        user: str = "ana",
        boards: list[str] | None = None,
        collapse: bool = False,
        token: str | None = None,
        buffer: int | None = None,
        wait_for_auth: bool = True,
    ) -> Client:
        """Open a stream and, unless `wait_for_auth` is false, read its auth_success."""
        token = token or self.token(user)
        client: Client
        if transport.startswith("websocket"):
            client = await WebSocketClient.connect(
                await self.feed(),
                token,
                user,
                cursor=cursor,
                boards=boards,
                batch=transport.endswith("batch"),
                collapse=collapse,
                buffer=buffer,
            )
            self.clients.append(client)
        else:
            parameters = [f"boards={','.join(boards)}"] if boards is not None else []
            query = "?" + "&".join(parameters + ["collapse=true"] * collapse)
            headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": cursor} if cursor is not None else {})
            client = await self.request_stream(transport, query, headers=headers, buffer=buffer)
        if wait_for_auth:
            await client.next("auth_success")
        return client

    async def request_stream(
        self, transport: str, query: str = "", *, headers: dict[str, str] | None = None, buffer: int | None = None
    ) -> EventStreamClient:
        """Request an event stream with exactly these headers and this query."""
        port = await (self.api() if transport == "api-events" else self.feed())
        path = "/api/events" if transport == "api-events" else "/sse"
        client = await EventStreamClient.connect(port, path + query, headers=headers, buffer=buffer)
        self.clients.append(client)
        return client

    @asynccontextmanager
    async def api_client(self, user: str = "ana") -> AsyncIterator[httpx.AsyncClient]:
        """Yield an HTTP client that is authenticated as `user`."""
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{await self.api()}",
            headers={"Authorization": f"Bearer {self.token(user)}"},
            trust_env=False,
            verify=_NO_TLS,
        ) as client:
            yield client


def summaries(messages: list[Message]) -> list[tuple[str, str | None]]:
    """Reduce each message to its type and the id of its row or board."""
    names = ("opportunityId", "key", "boardId")
    return [(m.type, next((m.body[name] for name in names if name in m.body), None)) for m in messages]


class Serve(Protocol):
    """The type of the fixture `serve`."""

    def __call__(self, **settings: Any) -> Awaitable[Services]: ...


@asynccontextmanager
async def serving(database: Database, **settings: Any) -> AsyncIterator[Services]:
    """Run services with these settings and close everything at the end."""
    services = Services(database.settings(**{"jwt_secret": SECRET, "origins": (ORIGIN,)} | settings))
    try:
        yield services
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await services.close()
