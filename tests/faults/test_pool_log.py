"""The API's pool logs a connection that the database ended as a warning, and an internal error with its traceback."""

import logging

import pytest
from sqlalchemy.util import greenlet_spawn
from structlog.testing import capture_logs

from db.engine import create_engine
from tests.support.database import Database


async def _terminate_backends(database: Database) -> None:
    await database.execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_a_connection_lost_before_its_return_is_a_warning(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    engine = create_engine(database.url, size=1)
    try:
        connection = await engine.raw_connection()
        await greenlet_spawn(lambda: connection.cursor().execute("SELECT 1"))
        await _terminate_backends(database)
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


async def test_an_internal_error_stays_an_error(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(database.url, size=1)
    try:
        connection = await engine.raw_connection()
        with monkeypatch.context() as patch:
            patch.setattr(engine.sync_engine.dialect, "do_rollback", _fail)
            await greenlet_spawn(connection.close)
        (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert record.exc_info is not None
        assert "a bug" in str(record.exc_info[1])
    finally:
        await engine.dispose()


def _fail(connection: object) -> None:
    raise ValueError("a bug")
