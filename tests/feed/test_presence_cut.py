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


@pytest.mark.parametrize("step", ["renew", "claim"])
async def test_a_lease_that_is_released_while_it_is_renewed_does_not_come_back(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr("feed.presence.tracker._RENEW_INTERVAL", 0.1)

    async def renewed_once() -> bool:
        return bool(await database.execute("SELECT FROM feed.user_presence WHERE last_activity > started_at"))

    async def no_lease() -> bool:
        return not await database.execute("SELECT FROM feed.user_presence WHERE opportunity_id = 'o1'")

    client = await services.open("websocket", user="bruno")
    assert isinstance(client, WebSocketClient)
    await client.send({"type": "user_editing", "opportunityId": "o1"})
    await until(renewed_once)  # so that no statement of the first claim is still running
    real, renewing, proceed = getattr(presence, step), asyncio.Event(), asyncio.Event()

    async def slow(*arguments: object) -> object:
        renewing.set()
        await proceed.wait()
        return await real(*arguments)

    monkeypatch.setattr(f"db.presence.{step}", slow)
    if step == "claim":  # a lease that was lost is taken again
        await database.execute("DELETE FROM feed.user_presence")
    async with asyncio.timeout(8):
        await renewing.wait()
    await client.send({"type": "user_stopped_editing", "opportunityId": "o1"})
    await client.send({"type": "ping"})
    await client.next("pong")
    await until(no_lease)
    renewed = asyncio.Event()
    expire = presence.expire

    async def after(*arguments: object) -> None:
        await expire(*arguments)  # type: ignore[arg-type]
        renewed.set()

    monkeypatch.setattr("db.presence.expire", after)
    proceed.set()
    async with asyncio.timeout(8):
        await renewed.wait()
    assert await no_lease()
