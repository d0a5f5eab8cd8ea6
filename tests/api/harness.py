"""The API without a socket, and a check of the problem it answered with."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from api.http.problems import PROBLEMS
from db.settings import Settings
from feed.access.tokens import Tokens
from tests.support.database import Database

SECRET = "a secret that is long enough for HS256, and for nothing else"
HOST = "127.0.0.1:8000"
OPEN_PHASE = {"id": "new", "name": "New"}
WON_PHASE = {"id": "won", "name": "Won", "kind": "won", "color": "green", "probability": 100}


@dataclass
class Api:
    database: Database
    settings: Settings
    engine: AsyncEngine
    tokens: Tokens
    app: Starlette
    stack: AsyncExitStack
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def client(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app)
        client = httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", headers=headers)
        return await self.stack.enter_async_context(client)

    async def user(self, name: str, *roles: str) -> httpx.AsyncClient:
        if name not in self.clients:
            token = self.tokens.issue(name, name.title(), timedelta(minutes=5), roles)
            self.clients[name] = await self.client(Authorization=f"Bearer {token}")
        return self.clients[name]

    async def card(self, **fields: Any) -> dict[str, Any]:
        """Create a card as ana."""
        ana = await self.user("ana")
        body = {"board_id": "vendas", "phase": "proposal", "title": "A deal"} | fields
        response = await ana.post("/api/opportunities", json=body)
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created


def problem(response: httpx.Response, slug: str) -> dict[str, Any]:
    """Check that the response is this problem, and return its body."""
    body: dict[str, Any] = response.json()
    assert body["type"] == f"/problems/{slug}", response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.status_code == body["status"] == PROBLEMS[slug].status
    assert body["title"] == PROBLEMS[slug].title
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body


async def new_board(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Create a board with two phases."""
    answer = await client.post("/api/boards", json={"name": "Board", "phases": [OPEN_PHASE, WON_PHASE]} | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["ETag"] == '"v1"'
    assert answer.headers["Location"] == f"/api/boards/{made['id']}"
    return made
