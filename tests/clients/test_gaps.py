"""A lost change is detected at the next checkpoint, repaired by a snapshot, and reported with its cause."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import pytest

from tests.clients.boards import Boards, Client, cards, prepare_board, table
from tests.clients.follower import TIMEOUT
from tests.support.database import Database
from tests.support.services import Serve
from tests.support.until import until

CHECKPOINT_INTERVAL = 0.05


@asynccontextmanager
async def _board(serve: Serve, database: Database, node: str, bundle: str, transport: str) -> AsyncIterator[Client]:
    """ana's client with an open board that has received its first checkpoint."""
    services = await serve(checkpoint_interval=CHECKPOINT_INTERVAL, read_interval=0.1)
    await prepare_board(database)
    await database.execute(
        "INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o2', 'b1', 'Second', 'new')"
    )
    addresses = {"feed": f"http://127.0.0.1:{await services.feed()}", "api": f"http://127.0.0.1:{await services.api()}"}
    async with Boards().start(node, bundle) as boards:
        client = await boards.client("ana", addresses | {"firstTransport": transport})
        await database.execute("UPDATE opportunities SET title = 'logged' WHERE id = 'o2'")
        metrics = (await services.runtime("api-events" if transport == "sse" else "websocket")).metrics
        await until(lambda: metrics.registry.get_sample_value("boardcast_checkpoints_total"), what="a checkpoint")
        yield client


async def _bypass_triggers(database: Database, statement: LiteralString) -> None:
    async with await database.connect(autocommit=False) as writer:
        await writer.execute("SET LOCAL session_replication_role = replica")
        await writer.execute(statement)


async def _converge(client: Client, database: Database, touch: LiteralString | None = None) -> None:
    async def equal() -> bool:
        if touch is not None:
            await database.execute(touch)
        return cards(await client.state()) == await table(database)

    await until(equal, timeout=TIMEOUT, what="the board to equal the table")


async def _gap_reports(database: Database) -> list[dict[str, Any]]:
    async def reported() -> list[dict[str, Any]]:
        return await database.execute("SELECT user_id, board, cause, cards FROM feed.gaps WHERE user_id IS NOT NULL")

    found: list[dict[str, Any]] = await until(reported, timeout=TIMEOUT, what="a row of feed.gaps")
    return found


async def test_an_event_lost_in_transit(serve: Serve, database: Database, node: str, bundle: str) -> None:
    async with _board(serve, database, node, bundle, "websocket") as ana:
        await ana.drop_messages(1)
        await database.execute(
            "INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o3', 'b1', 'Lost', 'new')"
        )
        await _converge(ana, database)
        assert await _gap_reports(database) == [{"user_id": "ana", "board": "b1", "cause": "delivery", "cards": []}]
        await database.execute("UPDATE opportunities SET title = 'received' WHERE id = 'o3'")
        await _converge(ana, database)
        assert len(await _gap_reports(database)) == 1


@pytest.mark.parametrize("transport", ["websocket", "sse"])
async def test_a_version_changed_while_bypassing_the_triggers(
    serve: Serve, database: Database, node: str, bundle: str, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.integrity.checkpoints._RECOUNT_AFTER", 0.2)
    async with _board(serve, database, node, bundle, transport) as ana:
        await _bypass_triggers(
            database, "UPDATE opportunities SET title = 'bypassed', version_number = 8 WHERE id = 'o2'"
        )
        await _converge(ana, database, "UPDATE opportunities SET title = title || '.' WHERE id = 'o1'")
        (found, *_) = await _gap_reports(database)
        assert (found["cause"], found["cards"]) == ("unlogged", ["o2"])


async def test_a_missing_row_of_the_log(
    serve: Serve, database: Database, node: str, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.integrity.checkpoints._RECOUNT_AFTER", 0.2)
    async with _board(serve, database, node, bundle, "websocket") as ana:
        async with await database.connect(autocommit=False) as writer:
            await writer.execute(
                "INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o9', 'b1', 'Unlogged', 'new')"
            )
            await writer.execute("DELETE FROM feed.log WHERE key = 'o9'")
        await _converge(ana, database, "UPDATE opportunities SET title = title || '.' WHERE id = 'o1'")
        assert "o9" in (await ana.state())["opportunities"]
        (found, *_) = await _gap_reports(database)
        assert found["cause"] == "unlogged"
