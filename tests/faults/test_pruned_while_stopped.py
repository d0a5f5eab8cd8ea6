"""A process that was suspended while the log was pruned past its head resets its clients."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from db.changelog import retention
from db.connection import PsycopgConnection
from tests.support.database import Database
from tests.support.services import add_people, serving
from tests.support.streams import TRANSPORTS
from tests.support.until import until


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_clients_are_reset_when_the_log_was_pruned_past_the_head_of_a_suspended_tailer(
    database: Database, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    await add_people(database)
    async with serving(database) as services:
        runtime = await services.runtime(transport)
        client = await services.open(transport)
        resumed, suspended = asyncio.Event(), asyncio.Event()

        async def suspend() -> None:
            suspended.set()
            await resumed.wait()

        # Like a suspended process: its connection stays open, and it continues where it was, without a prefetch.
        monkeypatch.setattr(runtime.tailer, "_wait_for_wake", suspend)
        monkeypatch.setattr(runtime.tailer.prefetch, "_send", lambda: None)
        runtime.tailer.wake()
        await asyncio.wait_for(suspended.wait(), 10)
        await database.execute("UPDATE opportunities SET notes = 'never read' WHERE id = 'o1'")
        await database.execute("SELECT feed.rotate_partition()")
        await database.execute("UPDATE opportunities SET notes = 'read' WHERE id = 'o1'")
        async with await PsycopgConnection.connect(database.url, autocommit=True) as conn:

            async def pruned() -> bool:
                dropped = await retention.prune(conn, datetime.now(UTC) + timedelta(days=1))
                return dropped.partition == "feed.log_1"

            await until(pruned, timeout=10)
        monkeypatch.undo()
        resumed.set()
        reset = await client.next("reset", "opportunity_updated")
        assert (reset.type, reset.body.get("reason")) == ("reset", "pruned")
