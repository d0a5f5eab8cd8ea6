"""Each service says in the database that it runs, as long as it does."""

from typing import Any

import psycopg

from db.embedded import EmbeddedPostgres
from feed.runtime import Runtime
from feed.tokens import Tokens
from tests.support.database import Database
from tests.support.services import SECRET, Services
from tests.support.until import until


async def listeners(database: Database) -> dict[str, dict[str, Any]]:
    found = await database.execute("SELECT l.*, g.behind FROM feed.listeners AS l JOIN feed.lag AS g USING (instance)")
    return {row["service"]: row for row in found}


async def test_both_services_are_listed_with_their_clients_and_backends(services: Services, database: Database) -> None:
    await services.open("websocket")
    await services.open("sse", user="bruno")
    await services.open("api-events")
    await database.execute("UPDATE opportunities SET title = 'B'")
    (newest,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")

    async def listed() -> dict[str, dict[str, Any]] | None:
        found = await listeners(database)
        told = {service: (row["connections"], row["anchor"]) for service, row in found.items()}
        return found if told == {"feed": (2, newest["seq"]), "api": (1, newest["seq"])} else None

    found = await until(listed, timeout=10)
    for service, row in found.items():
        assert row["instance"] == (await services.hub("api-events" if service == "api" else "sse")).instance
        assert (row["alive"], row["ready"], row["listens"], row["behind"]) == (True, True, True, 0)
        assert row["cursor"] == str((await services.hub("api-events" if service == "api" else "sse")).tailer.cursor)
        assert row["sweeps"] > 0
        assert row["tailer"].startswith(("idle", "active"))
        assert row["listener"].startswith(("idle", "active"))
    backends = await database.execute(
        "SELECT pid, application_name FROM pg_stat_activity WHERE application_name ~ 'boardcast-(tailer|listener)'"
        " AND datname = current_database()"
    )
    assert {(row["pid"], row["application_name"]) for row in backends} == {
        (row[f"{part}_pid"], f"boardcast-{part}") for row in found.values() for part in ("tailer", "listener")
    }
    (health,) = await database.execute("SELECT count(*) AS n FROM feed.health WHERE status <> 'ok'")
    assert health["n"] == 0
    await services.stop()
    assert await database.execute("SELECT instance FROM feed.instances") == []


async def test_a_crash_of_the_server_empties_the_list_and_the_instances_fill_it(own_server: EmbeddedPostgres) -> None:
    database = Database(own_server.url(), "boardcast")
    runtime = Runtime(settings := database.settings(jwt_secret=SECRET), Tokens(settings))
    await runtime.start()
    try:
        await until(lambda: listeners(database), timeout=10)
        own_server.kill()
        await until(lambda: not runtime.tailer.up, timeout=10)
        assert runtime.tailer.backend is None
        own_server.start()

        async def back() -> bool:
            try:
                return (await listeners(database)).get("feed", {}).get("ready") is True
            except psycopg.Error:
                return False

        await until(back, timeout=30)
    finally:
        await runtime.stop()
    assert await listeners(database) == {}


async def test_a_list_that_cannot_be_written_is_no_fault(database: Database) -> None:
    """Where somebody has taken the table away, what clients are told does not depend on it."""
    await database.execute("DROP TABLE feed.instances CASCADE")
    runtime = Runtime(settings := database.settings(jwt_secret=SECRET), Tokens(settings))
    await runtime.start()
    await runtime.tailer.swept()
    assert runtime.ready
    await runtime.stop()
