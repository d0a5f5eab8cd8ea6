"""A client that is cut off while its lease is being taken holds nothing afterwards."""

import asyncio

import pytest

from db import presence
from tests.support.database import Database
from tests.support.services import Services
from tests.support.streams import WebSocketClient
from tests.support.until import until


async def test_a_lease_taken_for_one_who_has_gone_is_given_back(
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

    async def nobody() -> bool:
        return not await database.execute("SELECT FROM user_presence")

    # Long before it would run out by itself.
    await until(nobody, timeout=3)
