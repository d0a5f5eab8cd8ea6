"""A client that disconnects while its presence lease is being taken leaves no lease."""

import asyncio

import pytest

from db import presence
from tests.support.database import Database
from tests.support.services import Services
from tests.support.streams import WebSocketClient
from tests.support.until import until


async def test_a_lease_taken_for_a_disconnected_client_is_released(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, taken = presence.claim, asyncio.Event()

    async def slow(*arguments: object) -> set[presence.Place]:
        found = await real(*arguments)  # type: ignore[arg-type]
        taken.set()
        await asyncio.sleep(60)
        return found

    client = await services.open("websocket", user="bruno")
    assert isinstance(client, WebSocketClient)
    monkeypatch.setattr("db.presence.claim", slow)
    await client.send({"type": "user_editing", "opportunityId": "o1"})
    await taken.wait()
    monkeypatch.undo()
    client.cut()

    async def no_lease() -> bool:
        return not await database.execute("SELECT FROM feed.user_presence")

    # Long before the lease would expire.
    await until(no_lease, timeout=3)
