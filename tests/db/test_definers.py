"""Functions that run with other privileges than the writer's have no more than they need, and give none to application code."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from db import migrate
from db.embedded.server import EmbeddedPostgres, ephemeral_postgres
from tests.db.support import Connection, log_rows, logged_changes, newest_seq, rows, sqlstate_of, value
from tests.support.database import Database, create_database

SANDBOXED = ("row_image", "typed_image", "value_image")
OWNERS = {
    "feed.row_image(record)": "feed_sandbox",
    "feed.typed_image(anyelement,jsonb)": "feed_sandbox",
    "feed.value_image(anyelement)": "feed_sandbox",
}
"""All other objects in schema feed are owned by feed_owner."""

# What application code might try when capture runs it. Each fails, as it does when the table's owner tries it directly.
ATTACKS: tuple[LiteralString, ...] = (
    "ALTER ROLE {owner} SUPERUSER",
    "ALTER ROLE feed_sandbox SUPERUSER",
    "GRANT pg_read_all_data TO {owner}",
    "GRANT feed_owner TO {owner}",
    "GRANT feed_sandbox TO {owner}",
    "SET ROLE feed_owner",
    "SELECT * FROM secrets",
    "SELECT * FROM opportunities",
    "UPDATE opportunities SET title = 'x'",
    "SELECT * FROM feed.log",
    "UPDATE feed.log SET actor = 'x'",
    "DELETE FROM feed.log",
    "TRUNCATE feed.log",
    "LOCK feed.log IN ACCESS EXCLUSIVE MODE",
    "DROP TABLE feed.log_1",
    "DELETE FROM feed.log_1",
    "ALTER TABLE feed.log DETACH PARTITION feed.log_1",
    "INSERT INTO feed.log (relation, op, actor, db_user, pid) VALUES ('x', 'insert', 'x', 'x', 1)",
    "INSERT INTO feed.log (seq, relation, op, actor, db_user, pid) VALUES (1000000, 'x', 'insert', 'x', 'x', 1)",
    "INSERT INTO feed.log (xid, relation, op, actor, db_user, pid) VALUES ('3', 'x', 'insert', 'x', 'x', 1)",
    "INSERT INTO feed.log (at, relation, op, actor, db_user, pid) VALUES (now(), 'x', 'insert', 'x', 'x', 1)",
    "INSERT INTO feed.log (partition_number, relation, op, actor, db_user, pid) VALUES (2, 'x', 'insert', 'x', 'x', 1)",
    "SELECT setval('feed.log_seq', 1)",
    "SELECT setval('feed.partition_number', 9)",
    "SELECT setval('feed.partition_xid', 9)",
    "SELECT setval('feed.notify_suppressed_until', 9007199254740991)",
    "SELECT * FROM feed.tickets",
    "INSERT INTO feed.tickets VALUES ('h', 'ana', 'Ana', '[]', now(), now())",
    "UPDATE feed.identity SET feed_id = 'x'",
    "UPDATE feed.maintenance SET retention = '1 s'",
    "INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', 'off')",
    "SELECT feed.prune(now())",
    "SELECT feed.maintain()",
    "SELECT feed.rotate_partition()",
    "SELECT feed.make_partition(9)",
    "SELECT feed.reset_feed()",
    "SELECT feed.identify()",
    "SELECT feed.set_capture(false)",
    "SELECT feed.set_seal(false)",
    "SELECT feed.seal()",
    "DELETE FROM feed.seals",
    "CREATE TABLE feed.mine (x int)",
    "CREATE FUNCTION feed.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION feed.version_number(image jsonb) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "DROP FUNCTION feed.version_number(jsonb)",
    "CREATE OR REPLACE FUNCTION feed.capture() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "DROP FUNCTION feed.capture() CASCADE",
    "ALTER FUNCTION feed.row_image(record) SECURITY INVOKER",
    "ALTER FUNCTION feed.row_image(record) SET SCHEMA app",
    "DROP FUNCTION feed.row_image(record)",
    "DROP FUNCTION feed.value_image(anyelement)",
    "GRANT EXECUTE ON FUNCTION feed.row_image(record) TO PUBLIC",
    "REASSIGN OWNED BY CURRENT_USER TO {owner}",
    "DROP SCHEMA feed CASCADE",
)

CAST = """
    CREATE SCHEMA app AUTHORIZATION {owner};
    CREATE TABLE secrets (secret text);
    SET SESSION AUTHORIZATION {owner};
    CREATE TYPE app.mood AS ENUM ('warm', 'cold');
    CREATE FUNCTION app.attack(mood app.mood) RETURNS json LANGUAGE plpgsql AS $attack$
    DECLARE
        attempt text;
        found json := '{{}}';
    BEGIN
        FOR attempt IN SELECT json_array_elements_text(current_setting('app.attacks')::json) LOOP
            BEGIN
                EXECUTE attempt;
                found := (found::jsonb || jsonb_build_object(attempt, 'succeeded as ' || current_user))::json;
            EXCEPTION WHEN OTHERS THEN
                found := (found::jsonb || jsonb_build_object(attempt, sqlstate))::json;
            END;
        END LOOP;
        PERFORM set_config('app.found', found::text, false);
        RETURN to_json(mood::text);
    END
    $attack$;
    CREATE CAST (app.mood AS json) WITH FUNCTION app.attack(app.mood);
    CREATE TABLE app.things (id text PRIMARY KEY, mood app.mood);
    RESET SESSION AUTHORIZATION;
    SELECT feed.attach('app.things');
"""
DENIED = {"42501", "42P01", "55006", "25006"}
"""Insufficient privilege; relation not visible; object in use; read-only transaction."""


async def test_owners_of_the_objects_in_the_schema(db: Connection) -> None:
    found = await rows(
        db,
        """
        SELECT c.oid::regclass::text AS name, pg_get_userbyid(c.relowner) AS owner FROM pg_class AS c
        WHERE c.relnamespace = 'feed'::regnamespace
        UNION ALL
        SELECT p.oid::regprocedure::text, pg_get_userbyid(p.proowner) FROM pg_proc AS p WHERE p.pronamespace = 'feed'::regnamespace
        UNION ALL
        SELECT 'schema feed', pg_get_userbyid(n.nspowner) FROM pg_namespace AS n WHERE n.nspname = 'feed'
        """,
    )
    owners = {row["name"]: row["owner"] for row in found}
    assert len(owners) > 100
    assert {name: owner for name, owner in owners.items() if owner != OWNERS.get(name, "feed_owner")} == {}


async def test_security_definer_functions_fix_their_search_path(db: Connection) -> None:
    found = await rows(
        db,
        "SELECT proname AS name, proconfig AS settings FROM pg_proc WHERE pronamespace = 'feed'::regnamespace AND prosecdef",
    )
    assert {row["name"] for row in found} == {
        "capture",
        "forget_users",
        "identify",
        "log_partitions",
        "maintain",
        "make_partition",
        "prune",
        "seal",
        "suppress_notify",
        *SANDBOXED,
    }
    for row in found:
        if row["name"] in SANDBOXED:
            continue  # they qualify every name instead
        (path,) = [each for each in row["settings"] or [] if each.startswith("search_path=")]
        assert path in {"search_path=pg_catalog, feed, pg_temp", "search_path=pg_catalog, pg_temp"}, row["name"]


async def test_the_owner_roles_have_no_other_privileges(db: Connection) -> None:
    for role in ("feed_owner", "feed_sandbox"):
        (attributes,) = await rows(db, "SELECT * FROM pg_roles WHERE rolname = %s", (role,))
        has = {name for name, has in attributes.items() if has is True and name != "rolinherit"}
        assert has == set(), role
        assert (
            await rows(db, "SELECT roleid::regrole FROM pg_auth_members WHERE member = %s::text::regrole", (role,))
            == []
        )
        # They own nothing outside of schema feed.
        elsewhere = """
            SELECT i.type, i.identity
            FROM pg_shdepend AS d CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS i
            WHERE d.refobjid = %s::text::regrole AND d.deptype = 'o'
              AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND coalesce(i.schema, '') <> 'feed' AND i.identity <> 'feed'
        """
        assert await rows(db, elsewhere, (role,)) == []


async def test_the_sandbox_role_has_no_grants(db: Connection) -> None:
    found = await rows(
        db,
        """
        SELECT c.relname AS thing FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE a.grantee = 'feed_sandbox'::regrole
        UNION ALL
        SELECT t.attname FROM pg_attribute AS t CROSS JOIN LATERAL aclexplode(t.attacl) AS a
        WHERE a.grantee = 'feed_sandbox'::regrole
        UNION ALL
        SELECT n.nspname FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
        WHERE a.grantee = 'feed_sandbox'::regrole
        UNION ALL
        SELECT p.proname FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a
        WHERE a.grantee = 'feed_sandbox'::regrole AND p.proname <> ALL (%s)
        """,
        (list(SANDBOXED),),
    )
    assert found == []


@pytest.fixture
async def owner(db: Connection, database: Database) -> AsyncIterator[str]:
    """A role that owns an attached table with its own cast, and has no other privileges."""
    name = f"{database.name}_owner"
    await db.execute(SQL("CREATE ROLE {}").format(Identifier(name)))
    await db.execute(SQL(CAST).format(owner=Identifier(name)))
    yield name
    await db.execute("RESET SESSION AUTHORIZATION")
    await db.execute(SQL("DROP OWNED BY {} CASCADE").format(Identifier(name)))
    await db.execute(SQL("DROP ROLE {}").format(Identifier(name)))


# The later ones first try to end the read-only state.
WRITING = (
    "DROP OWNED BY CURRENT_USER CASCADE",
    "CREATE FUNCTION pg_temp.kept() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DROP OWNED BY CURRENT_USER CASCADE'",
    *(
        f"DO $$ BEGIN {undo}; DROP OWNED BY CURRENT_USER CASCADE; END $$"
        for undo in (
            "SET transaction_read_only = off",
            "SET LOCAL transaction_read_only = off",
            "SET TRANSACTION READ WRITE",
            "RESET transaction_read_only",
            "RESET ALL",
            "PERFORM set_config('transaction_read_only', 'off', false)",
            "BEGIN SET transaction_read_only = off; EXCEPTION WHEN OTHERS THEN NULL; END",
        )
    ),
)
WRITES: tuple[LiteralString, ...] = (
    "INSERT INTO app.things VALUES ('1', 'warm')",
    "INSERT INTO app.things VALUES ('2', 'warm'), ('3', 'warm')",
    "UPDATE app.things SET mood = 'cold' WHERE id = '1'",
    "UPDATE app.things SET mood = 'cold'",
    "DELETE FROM app.things",
)


async def test_a_table_owners_cast_gains_no_privileges(db: Connection, owner: str) -> None:
    before = await newest_seq(db)
    attacks = [attack.format(owner=f'"{owner}"') for attack in ATTACKS]
    await db.execute("SELECT set_config('app.attacks', %s, false)", (json.dumps(attacks),))
    await db.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(owner)))
    for write in WRITES:
        await db.execute("SELECT set_config('app.found', '', false)")
        await db.execute(write)
        found = json.loads(await value(db, "SELECT current_setting('app.found')"))
        assert {attack: found.get(attack) for attack in attacks if found.get(attack) not in DENIED} == {}, write
    by_hand = {attack: await sqlstate_of(db, SQL(attack)) for attack in ATTACKS if "{owner}" not in attack}  # type: ignore[arg-type]
    assert {attack: state for attack, state in by_hand.items() if state not in DENIED} == {}
    await db.execute("RESET SESSION AUTHORIZATION")
    # The order of the rows of one statement is not defined.
    assert sorted(await logged_changes(db, before)) == [
        *[("delete", each, None) for each in "123"],
        *[("insert", each, None) for each in "123"],
        *[("update", each, None) for each in "123"],
    ]
    assert {row["relation"] for row in await log_rows(db, before)} == {"app.things"}


async def ownership_health(db: Connection) -> tuple[str, str, str | None]:
    (found,) = await rows(db, "SELECT status, found, fix FROM feed.health WHERE topic = 'ownership'")
    return found["status"], found["found"], found["fix"]


async def attack(db: Connection, owner: str, statement: str, write: LiteralString, *, as_owner: bool = True) -> str:
    """Run a write whose cast tries `statement`; return the result of the attempt."""
    await db.execute("SELECT set_config('app.attacks', %s, false)", (json.dumps([statement]),))
    if as_owner:
        await db.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(owner)))
    try:
        await db.execute(write)
        return str(json.loads(await value(db, "SELECT current_setting('app.found')"))[statement])
    finally:
        await db.execute("RESET SESSION AUTHORIZATION")


async def test_sandboxed_code_cannot_escape_if_public_has_usage_on_the_schema(db: Connection, owner: str) -> None:
    await db.execute("GRANT USAGE ON SCHEMA feed TO PUBLIC")
    statement = "ALTER FUNCTION feed.row_image(record) SECURITY INVOKER"
    assert await attack(db, owner, statement, WRITES[0]) == "25006"
    await db.execute(statement)
    with pytest.raises(errors.ObjectNotInPrerequisiteState, match="must not run as feed_owner"):
        await attack(db, owner, "DELETE FROM feed.log", WRITES[1])
    status, found, fix = await ownership_health(db)
    assert (status, found) == ("bad", "feed.row_image(record) was altered or dropped")
    assert fix is not None
    await db.execute(fix.encode())
    assert await attack(db, owner, "DELETE FROM feed.log", WRITES[1]) in DENIED


@pytest.mark.parametrize("statement", WRITING)
@pytest.mark.parametrize("write", [WRITES[0], "SELECT feed.value_image(('warm')::app.mood)"])
async def test_sandboxed_code_writes_nothing(db: Connection, owner: str, statement: str, write: LiteralString) -> None:
    """A role can drop what it owns without naming it."""
    if "RESET transaction" in statement and db.info.server_version < 160_000:
        pytest.skip("PostgreSQL 15 lets a transaction reset that it is read-only")
    found = await attack(db, owner, statement, write, as_owner=write == WRITES[0])
    assert found in {"25001", "25006", "0A000"}  # the state cannot be ended, reset, or ignored
    assert (await ownership_health(db))[0] == "ok"


async def test_health_reports_a_sandbox_that_was_dropped(db: Connection) -> None:
    """Writes then fail instead of bypassing the log."""
    await db.execute(
        "DROP FUNCTION feed.row_image(record), feed.value_image(anyelement), feed.typed_image(anyelement, jsonb)"
    )
    with pytest.raises(errors.UndefinedFunction, match="row_image"):
        await db.execute("UPDATE opportunities SET title = 'x'")
    assert (await ownership_health(db))[:2] == ("bad", "feed.row_image(record) was altered or dropped; and 2 more")


@pytest.mark.parametrize(
    ("statement", "status", "finding"),
    [
        ("ALTER FUNCTION feed.capture() OWNER TO CURRENT_USER", "bad", "feed.capture() is owned by boardcast"),
        ("ALTER FUNCTION feed.maintain() OWNER TO CURRENT_USER", "bad", "feed.maintain() is owned by boardcast"),
        ("ALTER TABLE feed.log_2 OWNER TO CURRENT_USER", "warning", "feed.log_2 is owned by boardcast"),
    ],
)
async def test_objects_with_a_wrong_owner_are_reported_with_a_fix(
    db: Connection, statement: LiteralString, status: str, finding: str
) -> None:
    await db.execute(statement)
    found = await ownership_health(db)
    assert found[:2] == (status, finding)
    assert found[2] is not None
    await db.execute(found[2].encode())
    assert await ownership_health(db) == (
        "ok",
        "application code runs as feed_sandbox, everything else is owned by feed_owner",
        None,
    )


async def test_partitions_are_owned_by_feed_owner_whoever_creates_them(db: Connection) -> None:
    owner = """
        SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class
        WHERE relnamespace = 'feed'::regnamespace AND relname ~ '^log_'
    """
    await db.execute("SELECT feed.make_partition(3)")
    await db.execute(
        "INSERT INTO feed.log (partition_number, relation, op, actor, db_user, pid) VALUES (77, 'x', 'insert', 'x', 'x', 1)"
    )
    for _ in range(3):
        await db.execute("SELECT feed.prune(now() + interval '1 day')")
    assert await rows(db, owner) == [{"owner": "feed_owner"}]


@contextmanager
def migrator(server: EmbeddedPostgres, options: LiteralString = "") -> Iterator[tuple[str, str]]:
    """Create a role that is not a superuser and owns a database; yield its name and the database's URL."""
    name = f"migrator_{os.urandom(4).hex()}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'x' {}").format(Identifier(name), SQL(options)))
        create_database(server.url("postgres"), name)
        admin.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(name), Identifier(name)))
        try:
            yield name, make_conninfo(server.url(name), user=name, password="x")
        finally:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
            admin.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def test_a_database_owner_without_superuser_can_do_everything(server: EmbeddedPostgres, template: str) -> None:
    with migrator(server) as (name, url):
        with pytest.raises(errors.InsufficientPrivilege, match="the owner of objects") as refused:
            migrate.upgrade(url)
        assert refused.value.diag.message_hint == f"As a superuser, run GRANT feed_owner, feed_sandbox TO {name}."
        with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
            admin.execute(SQL("GRANT feed_owner, feed_sandbox TO {}").format(Identifier(name)))
        migrate.upgrade(url)
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("CREATE TABLE tasks (id int PRIMARY KEY)")
            conn.execute("SELECT feed.attach('tasks')")
            conn.execute("INSERT INTO tasks VALUES (1)")
            conn.execute("INSERT INTO opportunities (id) SELECT 'o1' WHERE false")
            assert conn.execute("SELECT relation, key FROM feed.trigger_log ORDER BY seq").fetchall()[-1] == (
                "tasks",
                "1",
            )
            conn.execute("SELECT feed.rotate_partition()")
            assert conn.execute("SELECT feed.maintain()").fetchone() == ("created feed.log_3",)
            assert conn.execute("SELECT (feed.prune(now() + interval '1 day')).partition").fetchone() == ("feed.log_1",)
            assert conn.execute("SELECT count(*) FROM opportunity_versions").fetchone() == (0,)
            assert conn.execute("SELECT count(*) > 10 FROM feed.health").fetchone() == (True,)
            conn.execute("SELECT feed.detach('tasks')")
        migrate.downgrade(url)
        migrate.upgrade(url)


def test_a_createrole_administrator_can_install_in_a_new_cluster(binaries: Path | None, ram_disk: Path | None) -> None:
    """If the roles do not exist yet, CREATEROLE is enough. Existing roles with more privileges are refused."""
    with ephemeral_postgres({"fsync": "off"}, binaries=binaries, within=ram_disk) as server:
        for options in ("LOGIN", "CREATEROLE", "BYPASSRLS", "IN ROLE pg_read_all_data"):
            with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
                admin.execute(SQL("CREATE ROLE feed_owner {}").format(SQL(options)))
                with pytest.raises(errors.InvalidRoleSpecification, match="more privileges than they need"):
                    migrate.upgrade(server.url("postgres"))
                admin.execute("DROP ROLE feed_owner")
        with migrator(server, "CREATEROLE") as (_, url):
            migrate.upgrade(url)
            with psycopg.connect(url, autocommit=True) as conn:
                conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]')")
                assert conn.execute("SELECT op, key FROM feed.log ORDER BY seq DESC LIMIT 1").fetchone() == (
                    "insert",
                    "b1",
                )
            migrate.downgrade(url)
