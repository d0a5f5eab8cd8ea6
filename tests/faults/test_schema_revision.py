"""Services compare the schema's revision with their own whenever they connect, not only when they start."""

import asyncio
from typing import Any

import httpx
import psycopg
import pytest

from db import migrate
from db.readiness import NotReadyError, code_revision
from tests.support.database import Database
from tests.support.services import Services, add_people, serving
from tests.support.until import until

TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name LIKE 'boardcast%'"
)


async def readiness(port: int) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/readyz", timeout=10)
    return answer.status_code, answer.json()


async def both_say(services: Services, reason: str) -> None:
    """Wait until the feed and the API are not ready for this reason."""
    feed, api = await services.feed(), await services.api()

    async def refused() -> bool:
        feed_status, feed_body = await readiness(feed)
        api_status, api_body = await readiness(api)
        return (
            (feed_status, api_status) == (503, 503)
            and reason in feed_body.get("database", "")
            and reason in api_body["checks"]["database"]
            and reason in api_body["checks"]["feed"]
        )

    await until(refused, timeout=30, what=f"both services to be not ready: {reason}")


async def both_ready(services: Services) -> None:
    feed, api = await services.feed(), await services.api()

    async def ready() -> bool:
        return [(await readiness(port))[0] for port in (feed, api)] == [200, 200]

    await until(ready, timeout=30, what="both services to be ready")


@pytest.mark.parametrize(
    ("revision", "reason"),
    [
        ("9999", f"the database has schema revision 9999, and this version knows only {code_revision()}: replace it"),
        ("0000", f"the database has schema revision 0000, and this version needs {code_revision()}: run"),
        (None, "the table feed.alembic_version does not name the revision of schema feed"),
    ],
)
async def test_a_service_that_reconnects_to_another_revision_is_not_ready_until_the_revisions_match(
    services: Services, database: Database, revision: str | None, reason: str
) -> None:
    client = await services.open("websocket")
    await both_ready(services)
    await database.execute("DELETE FROM feed.alembic_version")
    if revision is not None:
        await database.execute("INSERT INTO feed.alembic_version VALUES (%s)", [revision])
    await database.execute(TERMINATE)
    await both_say(services, reason)
    await database.execute("UPDATE opportunities SET title = 'Meanwhile' WHERE id = 'o1'")
    await database.execute("DELETE FROM feed.alembic_version")
    await database.execute("INSERT INTO feed.alembic_version VALUES (%s)", [code_revision()])
    await both_ready(services)
    assert (await client.next_event()).body["changes"]["title"] == "Meanwhile"


async def test_a_database_that_is_migrated_down_and_up_resets_the_clients(
    services: Services, database: Database
) -> None:
    client = await services.open("websocket")
    await both_ready(services)
    await asyncio.to_thread(migrate.downgrade, database.url)
    await both_say(services, "boardcast is not installed in this database")
    await asyncio.to_thread(migrate.upgrade, database.url)
    await both_ready(services)
    assert (await client.next("reset")).body["reason"] == "foreign"


async def test_a_request_to_another_revision_is_refused_as_unavailable(services: Services, database: Database) -> None:
    url = f"http://127.0.0.1:{await services.api()}"
    await both_ready(services)
    await database.execute("UPDATE feed.alembic_version SET version_num = '9999'")
    await database.execute(TERMINATE)
    await both_say(services, "9999")
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {services.token('ana')}"}) as http:
        answer = await http.get("/api/boards")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "database-unavailable")


async def test_a_service_does_not_start_on_another_revision(database: Database) -> None:
    await add_people(database)
    await database.execute("UPDATE feed.alembic_version SET version_num = '9999'")
    async with serving(database) as services:
        with pytest.raises(NotReadyError, match="schema revision 9999"):
            await services.feed()
        with pytest.raises(NotReadyError, match="schema revision 9999"):
            await services.api()


def test_the_revision_of_the_code_is_that_of_alembic() -> None:
    assert code_revision() == migrate.head()


async def test_a_dropped_alembic_table_is_created_again_by_the_migration(database: Database) -> None:
    await database.execute("DROP TABLE feed.alembic_version")
    await asyncio.to_thread(migrate.upgrade, database.url)
    async with await psycopg.AsyncConnection.connect(database.url) as conn:
        assert await (await conn.execute("SELECT version_num FROM feed.alembic_version")).fetchone() == (
            code_revision(),
        )
