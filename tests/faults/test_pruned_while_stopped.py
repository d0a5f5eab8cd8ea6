"""A reader that is stopped while the log is pruned past its own cursor: its clients are told that something is gone."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from db.changelog import retention
from db.connection import PsycopgConnection
from tests.support.database import Database
from tests.support.services import people, serving
from tests.support.streams import TRANSPORTS
from tests.support.until import until


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_clients_are_reset_when_their_reader_was_stopped_while_the_log_was_pruned(
    database: Database, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    await people(database)
    async with serving(database) as services:
        hub = await services.hub(transport)
        client = await services.open(transport)
        goes_on, stopped = asyncio.Event(), asyncio.Event()

        async def stop() -> None:
            stopped.set()
            await goes_on.wait()

        # As a process that is suspended: its connection stays, and it goes on where it was, having asked for nothing.
        monkeypatch.setattr(hub.tailer, "_wait_for_wake", stop)
        monkeypatch.setattr(hub.tailer.prefetch, "_send", lambda: None)
        hub.tailer.wake()
        await asyncio.wait_for(stopped.wait(), 10)
        await database.execute("UPDATE opportunities SET notes = 'never read' WHERE id = 'o1'")
        await database.execute("SELECT feed.rotate_partition()")
        await database.execute("UPDATE opportunities SET notes = 'read' WHERE id = 'o1'")
        async with await PsycopgConnection.connect(database.url, autocommit=True) as conn:

            async def pruned() -> bool:
                dropped = await retention.prune(conn, datetime.now(UTC) + timedelta(days=1))
                return dropped.partition == "feed.log_1"

            await until(pruned, timeout=10)
        monkeypatch.undo()
        goes_on.set()
        reset = await client.next("reset", "opportunity_updated")
        assert (reset.type, reset.body.get("reason")) == ("reset", "pruned")
