"""Two applications on one cluster: feed.health names a role that was granted a group role for one and can read the other."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from db import migrate
from db.embedded.server import EmbeddedPostgres
from tests.db.support import Connection
from tests.db.test_health import health, run_fix
from tests.support.database import Database, create_database

GROUPS = ("feed_app", "feed_listener", "feed_dba", "feed_owner")


@contextmanager
def login(database: Database, name: str, group: str) -> Iterator[str]:
    """Create a login role in a group, for this database; yield its name."""
    with psycopg.connect(database.url, autocommit=True) as admin:
        admin.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(Identifier(name)))
        admin.execute(SQL("GRANT {} TO {}").format(Identifier(group), Identifier(name)))
        try:
            yield name
        finally:
            for other in (
                row[0] for row in admin.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
            ):
                admin.execute(SQL("REVOKE ALL ON DATABASE {} FROM {}").format(Identifier(other), Identifier(name)))
            admin.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def read_log(database: Database, role: str) -> None:
    url = make_conninfo(database.url, user=role, password="x")
    with psycopg.connect(url) as conn:
        conn.execute("SELECT count(*) FROM feed.log")


@pytest.mark.parametrize("group", GROUPS)
async def test_a_role_of_one_application_that_can_read_the_other_is_reported_until_it_is_shut_out(
    db: Connection, database: Database, other_database: Database, group: str
) -> None:
    assert (await health(db, "roles"))["status"] == "ok", "two feeds without login roles"
    with login(database, f"{database.name} app", group) as role:
        read_log(other_database, role)
        found = await health(db, "roles")
        assert (found["status"], role in found["found"]) == ("warning", True)
        assert other_database.name in found["found"]
        async with await other_database.connect() as other:
            assert (await health(other, "roles"))["status"] == "warning", (
                "the other application's health reports it, too"
            )
        await db.execute(SQL("GRANT CONNECT ON DATABASE {} TO {}").format(Identifier(database.name), Identifier(role)))
        await run_fix(db, found["fix"])
        assert (await health(db, "roles"))["status"] == "ok"
        async with await other_database.connect() as other:
            assert (await health(other, "roles"))["status"] == "ok"
        read_log(database, role)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            read_log(other_database, role)


async def test_a_role_that_was_allowed_by_name_is_not_reported(
    db: Connection, database: Database, other_database: Database
) -> None:
    with login(database, f"{database.name}_both", "feed_dba") as role:
        for each in (database, other_database):
            await db.execute(SQL("GRANT CONNECT ON DATABASE {} TO {}").format(Identifier(each.name), Identifier(role)))
        assert (await health(db, "roles"))["status"] == "ok"


async def test_members_of_members_and_owners(db: Connection, database: Database, other_database: Database) -> None:
    with (
        login(database, f"{database.name}_team", "feed_app") as team,
        login(database, f"{database.name}_ana", team) as ana,
        login(database, f"{database.name}_boss", "feed_owner") as boss,
    ):
        for each in (database, other_database):
            await db.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(each.name), Identifier(boss)))
        found = (await health(db, "roles"))["found"]
        assert (team in found, ana in found, boss in found) == (True, True, False)
        for each in (database, other_database):
            await db.execute(SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(Identifier(each.name)))


@pytest.mark.parametrize("name", ["x" * 63, 'Ventas "ñandú" ' + "á" * 20, "-- '; x"])
async def test_copied_and_renamed_databases_with_any_name(
    db: Connection, database: Database, server: EmbeddedPostgres, name: str
) -> None:
    """A copy made with TEMPLATE has the privileges of its template."""
    admin_url = server.url("postgres")
    create_database(admin_url, "copied", "template_boardcast")
    with (
        login(database, f"{database.name}_app", "feed_app") as role,
        psycopg.connect(admin_url, autocommit=True) as admin,
    ):
        admin.execute(SQL("ALTER DATABASE copied RENAME TO {}").format(Identifier(name)))
        try:
            found = await health(db, "roles")
            assert (found["status"], role in found["found"]) == ("warning", True)
            admin.execute(SQL("GRANT CONNECT ON DATABASE {} TO {}").format(Identifier(database.name), Identifier(role)))
            if "--" not in name:  # run_fix would take it for a comment
                await run_fix(db, found["fix"])
                assert (await health(db, "roles"))["status"] == "ok"
        finally:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def test_a_migrating_role_that_cannot_create_roles_gets_instructions(
    binaries: None, server: EmbeddedPostgres, empty_database: Database
) -> None:
    with psycopg.connect(empty_database.url, autocommit=True) as admin:
        admin.execute("CREATE ROLE plain_migrator LOGIN PASSWORD 'x'")
        admin.execute(SQL("ALTER DATABASE {} OWNER TO plain_migrator").format(Identifier(empty_database.name)))
        admin.execute("ALTER ROLE feed_listener RENAME TO elsewhere")
        try:
            with pytest.raises(
                psycopg.errors.InsufficientPrivilege, match="plain_migrator cannot create role feed_listener"
            ) as raised:
                migrate.upgrade(make_conninfo(empty_database.url, user="plain_migrator", password="x"))
            assert "GRANT feed_owner, feed_sandbox TO plain_migrator" in (raised.value.diag.message_hint or "")
        finally:
            admin.execute("ALTER ROLE elsewhere RENAME TO feed_listener")
            admin.execute(SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(Identifier(empty_database.name)))
            admin.execute("DROP ROLE plain_migrator")
