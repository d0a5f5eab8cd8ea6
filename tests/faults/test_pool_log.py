"""What the API's pool logs: a connection that the database ended is a warning; a fault of ours is an error with its traceback."""

import logging

import pytest
from sqlalchemy.util import greenlet_spawn
from structlog.testing import capture_logs

from db.engine import create_engine
from tests.support.database import Database


async def _end_backends(database: Database) -> None:
    await database.execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_a_connection_lost_before_it_is_given_back(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    engine = create_engine(database.url, size=1)
    try:
        connection = await engine.raw_connection()
        await greenlet_spawn(lambda: connection.cursor().execute("SELECT 1"))
        await _end_backends(database)
        with capture_logs() as ours:
            await greenlet_spawn(connection.close)
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
        (line,) = ours
        assert (line["event"], line["log_level"]) == ("database connection lost", "warning")
        assert "terminating connection" in line["error"]
        async with engine.connect() as again:
            await again.exec_driver_sql("SELECT 1")
    finally:
        await engine.dispose()


async def test_a_mistake_of_ours_stays_an_error(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(database.url, size=1)
    try:
        connection = await engine.raw_connection()
        with monkeypatch.context() as patch:
            patch.setattr(engine.sync_engine.dialect, "do_rollback", _mistaken)
            await greenlet_spawn(connection.close)
        (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert record.exc_info is not None
        assert "a mistake" in str(record.exc_info[1])
    finally:
        await engine.dispose()


def _mistaken(connection: object) -> None:
    raise ValueError("a mistake")
