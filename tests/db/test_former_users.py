"""Of a table that has the users no longer, boardcast keeps nothing: no privilege that it was granted for, and no trigger."""

from collections.abc import AsyncIterator
from typing import LiteralString

import pytest

from db import migrate
from tests.db.support import Connection, rows, value
from tests.support.database import Database

pytestmark = pytest.mark.any_version

APPLICATION: LiteralString = """
    CREATE SCHEMA crm; CREATE SCHEMA auth;
    CREATE TABLE public.users (id integer PRIMARY KEY, name text, email text);
    CREATE TABLE auth.people (id integer PRIMARY KEY, login text, nick text, secret text);
    CREATE TABLE crm.deals (id integer PRIMARY KEY, stage text, pipeline text);
    INSERT INTO public.users VALUES (1, 'Ana');
    INSERT INTO auth.people VALUES (1, 'ana');
    INSERT INTO crm.deals VALUES (1, 'new', 'eu');
"""
COLUMNS = {"phase": "stage", "board_id": "pipeline"}
GRANTS: LiteralString = """
    SELECT x.grantee::regrole::text || ': ' || x.privilege_type || coalesce(' ' || o.part, '') AS granted FROM (
        SELECT c.oid::regclass::text AS part, c.relacl AS acl FROM pg_class AS c
        WHERE c.oid IN ('public.users'::regclass, 'auth.people'::regclass)
        UNION ALL
        SELECT a.attrelid::regclass || '.' || a.attname, a.attacl FROM pg_attribute AS a
        WHERE a.attrelid IN ('public.users'::regclass, 'auth.people'::regclass)
        UNION ALL
        SELECT n.nspname, n.nspacl FROM pg_namespace AS n WHERE n.nspname = 'auth'
    ) AS o CROSS JOIN LATERAL aclexplode(o.acl) AS x WHERE x.grantee::regrole::text LIKE 'feed%' ORDER BY 1
"""
COLUMN_GRANTS = [
    f"{role}: {what}"
    for role in ("feed_app", "feed_dba")
    for what in ("SELECT auth.people.id", "SELECT auth.people.login", "USAGE auth")
]


@pytest.fixture
async def app(empty_database: Database) -> AsyncIterator[Connection]:
    async with await empty_database.connect() as conn:
        await conn.execute(APPLICATION)
        yield conn


async def grants(app: Connection) -> list[str]:
    return [row["granted"] for row in await rows(app, GRANTS)]


def adopt(database: Database, users: str | None = None, name: str = "login") -> list[str]:
    return migrate.adopt(database.url, "crm.deals", COLUMNS, users=users, user_columns={"name": name} if users else {})


async def test_its_grants_are_revoked(app: Connection, empty_database: Database) -> None:
    adopt(empty_database)
    assert await grants(app) == [
        *(f"feed_app: {each} users" for each in ("DELETE", "INSERT", "SELECT", "UPDATE")),
        "feed_dba: SELECT users",
    ]
    done = adopt(empty_database, "auth.people")
    assert "revoked SELECT ON public.users from feed_dba" in done
    assert await grants(app) == COLUMN_GRANTS
    assert migrate.mend(empty_database.url) == []
    adopt(empty_database, "public.users", "name")
    assert await grants(app) == [
        f"{role}: SELECT users.{column}" for role in ("feed_app", "feed_dba") for column in ("id", "name")
    ]
    assert migrate.mend(empty_database.url) == []


async def test_those_on_a_column_that_is_no_longer_read_are_revoked(app: Connection, empty_database: Database) -> None:
    adopt(empty_database, "auth.people")
    await app.execute("ALTER TABLE auth.people RENAME COLUMN login TO handle")
    adopt(empty_database, "auth.people", "nick")
    assert await grants(app) == [each.replace("login", "nick") for each in COLUMN_GRANTS]


async def test_what_the_application_granted_stays(app: Connection, empty_database: Database) -> None:
    migrate.upgrade(empty_database.url, feed_only=True)
    own = "GRANT SELECT ON users TO feed_app; GRANT SELECT (email) ON users TO feed_dba; GRANT USAGE ON SCHEMA auth TO feed_app"
    await app.execute(own)
    before = await grants(app)
    adopt(empty_database)
    adopt(empty_database, "auth.people")
    adopt(empty_database, "public.users", "name")
    await app.execute("CREATE VIEW crm.staff AS SELECT id, name FROM users")
    adopt(empty_database, "crm.staff", "name")
    assert await grants(app) == before


async def test_a_former_table_that_was_dropped_is_forgotten(app: Connection, empty_database: Database) -> None:
    adopt(empty_database, "auth.people")
    await app.execute("CREATE VIEW crm.staff AS SELECT id, name FROM users")
    await app.execute("DROP SCHEMA auth CASCADE")
    adopt(empty_database, "crm.staff", "name")
    assert migrate.mend(empty_database.url) == []
    assert "auth" not in str(await rows(app, "SELECT granted FROM feed.adopted"))


async def test_a_deletion_from_a_former_table_removes_no_membership(app: Connection, empty_database: Database) -> None:
    adopt(empty_database)
    assert "dropped trigger feed_forget_users on public.users" in adopt(empty_database, "auth.people")
    members = "SELECT count(*) FROM feed.board_members"
    await app.execute("DELETE FROM users")
    assert await value(app, members) == 1
    await app.execute("TRUNCATE users")
    assert await value(app, members) == 1
    await app.execute("DELETE FROM auth.people")
    assert await value(app, members) == 0


async def test_nothing_is_left_after_a_downgrade(app: Connection, empty_database: Database) -> None:
    adopt(empty_database)
    adopt(empty_database, "auth.people")
    await app.execute("GRANT USAGE ON SCHEMA auth TO feed_listener")
    assert migrate.downgrade(empty_database.url)
    assert await grants(app) == ["feed_listener: USAGE auth"]
