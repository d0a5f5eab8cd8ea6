"""Writes through the API: PATCH with If-Match, new cards, deletions."""

import random
import time
from typing import Any

import aiohttp

from tests.chaos.model import Transaction
from tests.chaos.world import schema
from tests.chaos.world.world import World
from tests.chaos.writers.session import Session

_TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=5)


class Requests:
    """Sends requests to both APIs, and records each status for the checks of the services."""

    def __init__(self, world: World, rng: random.Random, name: str) -> None:
        self._world = world
        self._rng = rng
        self._names = Session(world, rng, name)
        headers = {"Authorization": f"Bearer {world.token(schema.REST)}"}
        self._http = aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers)

    async def close(self) -> None:
        await self._http.close()

    async def write(self) -> None:
        roll = self._rng.random()
        if roll < 0.75:
            await self._patch()
        elif roll < 0.9:
            await self._post()
        else:
            await self._delete()

    async def _patch(self) -> None:
        card = self._names.card()
        record = self._names.begin("rest-patch", via="rest")
        etag = await self._etag(record, card)
        if etag is not None:
            body = {"title": f"By the API {self._rng.randint(1, 10**6)}", "probability": self._rng.randint(0, 100)}
            await self._send(record, "PATCH", f"/api/opportunities/{card}", json=body, headers={"If-Match": etag})

    async def _post(self) -> None:
        record = self._names.begin("rest-post", via="rest")
        body = {
            "id": self._names.card(),
            "board_id": self._rng.choice(["b1", "b2", "b3", "b4"]),
            "title": "New",
            "phase": "new",
        }
        body["id"] = f"{body['id']}-{self._rng.randint(1, 20)}-rest"
        await self._send(record, "POST", "/api/opportunities", json=body)

    async def _delete(self) -> None:
        card = f"{self._names.card()}-{self._rng.randint(1, 20)}-rest"
        record = self._names.begin("rest-delete", via="rest")
        etag = await self._etag(record, card)
        if etag is not None:
            await self._send(record, "DELETE", f"/api/opportunities/{card}", headers={"If-Match": etag})

    async def _etag(self, record: Transaction, card: str) -> str | None:
        """The card's ETag from the API; without one, the write is given up."""
        status, etag = await self._ask("GET", f"/api/opportunities/{card}")
        if status != 200 or etag is None:
            record.outcome, record.ended, record.error = "fail", time.monotonic(), f"GET answered {status}"
            return None
        return etag

    async def _send(self, record: Transaction, method: str, path: str, **request: Any) -> None:
        request["headers"] = {**request.get("headers", {}), "X-Mutation-Id": record.tag}
        status, _ = await self._ask(method, path, **request)
        record.ended = time.monotonic()
        if status is None or status >= 500:
            record.error = f"{method} answered {status}"  # unknown: it may have been committed
        elif status >= 400:
            record.outcome, record.error = "fail", f"{method} answered {status}"
        else:
            record.outcome = "ok"

    async def _ask(self, method: str, path: str, **request: Any) -> tuple[int | None, str | None]:
        """Return the status and the ETag; the status is None without a response."""
        endpoint = self._rng.choice([each for each in self._world.endpoints() if each.api is not None])
        started = time.monotonic()
        status = None
        try:
            async with self._http.request(method, f"{endpoint.api}{path}", **request) as answer:
                await answer.read()
                status = answer.status
                return status, answer.headers.get("ETag")
        except (TimeoutError, aiohttp.ClientError, OSError):
            return None, None
        finally:
            self._world.answers.append((started, time.monotonic(), f"{method} {path} of {endpoint.name}", status or 0))
