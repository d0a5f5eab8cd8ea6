"""The services work the same whatever is set for their role, their database, or the server."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row

from db import migrate, session
from db.connection import Connection
from db.engine import create_engine
from feed.system.database import connect, pool
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.streams import TRANSPORTS

FOREIGN: dict[str, LiteralString] = {
    "DateStyle": "'SQL, DMY'",
    "IntervalStyle": "'sql_standard'",
    "TimeZone": "'Asia/Kolkata'",
    "array_nulls": "off",
    "bytea_output": "'escape'",
    "client_encoding": "'LATIN1'",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "'serializable'",
    "default_transaction_read_only": "on",
    "extra_float_digits": "-15",
    "idle_in_transaction_session_timeout": "'1ms'",
    "idle_session_timeout": "'1ms'",
    "lock_timeout": "'1ms'",
    "row_security": "off",
    "search_path": "'elsewhere'",
    "standard_conforming_strings": "off",
    "statement_timeout": "'1ms'",
    "transaction_timeout": "'200ms'",
    "transform_null_equals": "on",
}
"""Values that break something in a session that has them."""
WRITERS, WRITES = 8, 10


async def _plain(database: Database) -> AsyncConnection[dict[str, Any]]:
    """Connect with ordinary settings, as the tests do otherwise."""
    options = f"{session.with_settings({'options': ''})} -c search_path=public"
    return await AsyncConnection.connect(
        database.url, autocommit=True, row_factory=dict_row, options=options, client_encoding="utf8"
    )


async def _set_foreign(database: Database, **instead: LiteralString) -> None:
    async with await database.connect() as conn:
        known = {row["name"] async for row in await conn.execute("SELECT name FROM pg_settings")}
        for name in FOREIGN.keys() & known:
            statement = sql.SQL("ALTER DATABASE {} SET {} = ").format(
                sql.Identifier(database.name), sql.Identifier(name)
            )
            await conn.execute(statement + sql.SQL(instead.get(name, FOREIGN[name])))
    database.close_idle()


@pytest.fixture
async def plain(database: Database) -> AsyncIterator[AsyncConnection[dict[str, Any]]]:
    """A connection with ordinary settings to a database that has foreign ones."""
    await _set_foreign(database)
    async with await _plain(database) as conn:
        if conn.info.server_version >= 170_000:
            await conn.execute("SET transaction_timeout = 0")
        yield conn


async def _shown(execute: Any) -> dict[str, str]:
    return {row[0]: row[1] for row in await execute("SELECT name, setting FROM pg_settings")}


async def test_every_session_of_the_services_has_their_settings(
    database: Database, plain: AsyncConnection[dict[str, Any]]
) -> None:
    async def rows(conn: psycopg.AsyncConnection[Any], statement: LiteralString) -> list[Any]:
        return await (await conn.execute(statement)).fetchall()

    found = {}
    async with await connect(database.url, "direct") as direct:
        found["direct"] = await _shown(lambda statement: rows(direct, statement))
    async with pool(database.url, "pooled", 1) as pooled, pooled.connection() as conn:
        found["pooled"] = await _shown(lambda statement: rows(conn, statement))
    engine = create_engine(database.url, size=1)
    async with engine.connect() as sqlalchemy:
        found["engine"] = await _shown(sqlalchemy.exec_driver_sql)
    await engine.dispose()
    for kind, settings in found.items():
        for name, value in session.SETTINGS.items():
            assert settings[name].startswith({"60s": "60000"}.get(value, value)), name
        assert settings["transaction_isolation"] == "read committed"
        assert settings["transaction_read_only"] == settings["transaction_deferrable"] == "off"
        assert settings.get("transaction_timeout", "0") == "0"
        assert settings["client_encoding"] == "UTF8"
        # The feed's direct connections write to no table of the application, so no trigger needs its path.
        assert settings["search_path"] == ("pg_catalog" if kind == "direct" else "elsewhere")


async def test_an_unchanged_session_can_be_requested(
    database: Database, plain: AsyncConnection[dict[str, Any]]
) -> None:
    await plain.execute(sql.SQL("ALTER DATABASE {} RESET idle_session_timeout").format(sql.Identifier(database.name)))
    async with await Connection.connect(database.url, autocommit=True, own_settings=False) as conn:
        row = await (await conn.execute("SHOW default_transaction_isolation")).fetchone()
    assert row == ("serializable",)


@pytest.mark.parametrize("inherited", [True, False])
async def test_options_of_the_connection_are_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch, inherited: bool
) -> None:
    mine = "-c work_mem=7MB -c lock_timeout=1ms"
    monkeypatch.setenv("PGOPTIONS", mine if inherited else "-c work_mem=8MB")
    url = database.url if inherited else psycopg.conninfo.make_conninfo(database.url, options=mine)
    async with await connect(url, "test") as direct, await Connection.connect(url) as other:
        for conn in (direct, other):
            assert await (
                await conn.execute("SELECT current_setting('work_mem'), current_setting('lock_timeout')")
            ).fetchone() == (
                "7MB",
                "0",
            )


async def test_the_services_work_with_foreign_settings(serve: Serve, plain: AsyncConnection[dict[str, Any]]) -> None:
    services: Services = await serve()
    await plain.execute(
        "INSERT INTO opportunities (id, board_id, title, phase) "
        "SELECT 'w' || n, 'b1', 'ação', 'new' FROM generate_series(1, %s) AS n",
        [WRITERS],
    )
    clients = {transport: await services.open(transport) for transport in TRANSPORTS}

    async with services.api_client() as api:

        async def write(card: str) -> None:
            for number in range(WRITES):
                answer = await api.patch(
                    f"/api/opportunities/{card}",
                    json={"value": number + 0.25, "notes": "ação"},
                    headers={"If-Match": "*"},
                )
                assert answer.status_code == 200, answer.text

        await asyncio.gather(*(write(f"w{1 + number}") for number in range(WRITERS)))
        for client in clients.values():
            events = await client.collect(WRITERS * WRITES)
            assert events[-1].body["timestamp"].endswith("Z")

        assert (await api.get("/api/boards/b1")).json()["opportunities"][-1]["notes"] == "ação"
        assert (await api.put("/api/boards/b1/presence")).status_code == 204
        assert len((await api.get("/api/boards/b1/presence")).json()["presence"]) == 1
        polled = (await api.get("/api/sync/opportunities")).json()
        assert len(polled["opportunities"]) == WRITERS + 1
        assert (await api.get("/api/sync/opportunities", params={"since": polled["lastSync"]})).status_code == 200
        recently = await api.get("/api/sync/opportunities", params={"since": polled["opportunities"][0]["created_at"]})
        assert recently.status_code == 200, recently.text
        assert (await api.get("/api/opportunities/w1/versions")).json()["versions"][0]["version_number"] == WRITES + 1
        restored = await api.post("/api/opportunities/w1/versions/1/restore", headers={"If-Match": "*"})
        assert restored.status_code == 200, restored.text
        assert (await api.delete("/api/opportunities/w1", headers={"If-Match": "*"})).status_code == 204
        restored = await api.post("/api/opportunities/w1/versions/1/restore")
        assert restored.status_code == 201, restored.text
        ticket = (await api.post("/api/events/ticket")).json()["ticket"]
        again = await services.request_stream("sse", f"?ticket={ticket}&since={polled['lastSync']}")
        await again.next_event()
        assert (ready := await api.get("/readyz")).status_code == 200, ready.text

    token = services.tokens.issue("dba", "DBA", 60, ("dba",))
    async with services.api_client() as api:
        for path in ("/api/trigger-log", "/api/dba/overview"):
            answer = await api.get(path, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code in {200, 404}, answer.text
        log = (await api.get("/api/trigger-log", headers={"Authorization": f"Bearer {token}"})).json()
        assert json.dumps(log["changes"][0]["at"]).endswith('Z"') or "+00:00" in log["changes"][0]["at"]


async def test_a_database_with_foreign_settings_can_be_migrated(empty_database: Database) -> None:
    timeouts = {name: "'1s'" for name in FOREIGN if name.endswith("timeout")}
    await _set_foreign(empty_database, **timeouts)  # less than a migration takes, and more than to begin it
    migrate.upgrade(empty_database.url)
    async with await _plain(empty_database) as conn:
        found = await (await conn.execute("SELECT to_regclass('public.opportunities') IS NOT NULL AS there")).fetchone()
    assert found == {"there": True}
    migrate.downgrade(empty_database.url)
