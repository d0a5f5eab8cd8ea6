"""What runs with other rights than the writer's has no more than it needs, and an application's code gains nothing by it."""

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
from tests.db.support import Connection, logged, mark, refusal, rows, told, value
from tests.support.database import Database, create

OWNERS = {"feed.row_image(record)": "feed_sandbox"}
"""All other functions, and all that is in schema feed, are feed_owner's."""

# What code that capture runs may try. Each fails, as it does when the owner of the table tries it by hand.
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
    "CREATE TABLE feed.mine (x int)",
    "CREATE FUNCTION feed.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION feed.notify(seq bigint, relation text, op text) RETURNS void LANGUAGE sql AS 'SELECT'",
    "DROP FUNCTION feed.notify(bigint, text, text)",
    "CREATE OR REPLACE FUNCTION feed.capture() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "DROP FUNCTION feed.capture() CASCADE",
    "ALTER FUNCTION feed.row_image(record) SECURITY INVOKER",
    "ALTER FUNCTION feed.row_image(record) SET SCHEMA app",
    "DROP FUNCTION feed.row_image(record)",
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
                found := (found::jsonb || jsonb_build_object(attempt, 'done by ' || current_user))::json;
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
DENIED = {"42501", "42P01", "55006"}
"""Not allowed; a relation that cannot be seen; in use."""


async def test_who_owns_what_in_the_schema(db: Connection) -> None:
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


async def test_functions_with_other_rights_find_only_what_they_mean(db: Connection) -> None:
    found = await rows(
        db,
        "SELECT proname AS name, proconfig AS settings FROM pg_proc WHERE pronamespace = 'feed'::regnamespace AND prosecdef",
    )
    assert {row["name"] for row in found} == {
        "capture",
        "identify",
        "log_partitions",
        "maintain",
        "make_partition",
        "prune",
        "row_image",
    }
    for row in found:
        if row["name"] == "row_image":
            continue  # it qualifies every name instead; see there
        (path,) = [each for each in row["settings"] or [] if each.startswith("search_path=")]
        assert path in {"search_path=pg_catalog, feed, pg_temp", "search_path=pg_catalog, pg_temp"}, row["name"]


async def test_their_owners_are_nobody(db: Connection) -> None:
    for role in ("feed_owner", "feed_sandbox"):
        (attributes,) = await rows(db, "SELECT * FROM pg_roles WHERE rolname = %s", (role,))
        has = {name for name, has in attributes.items() if has is True and name != "rolinherit"}
        assert has == set(), role
        assert (
            await rows(db, "SELECT roleid::regrole FROM pg_auth_members WHERE member = %s::text::regrole", (role,))
            == []
        )
        # Of what is not in schema feed (parts of tables are where the table is) they own nothing.
        elsewhere = """
            SELECT i.type, i.identity
            FROM pg_shdepend AS d CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS i
            WHERE d.refobjid = %s::text::regrole AND d.deptype = 'o'
              AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND coalesce(i.schema, '') <> 'feed' AND i.identity <> 'feed'
        """
        assert await rows(db, elsewhere, (role,)) == []


async def test_the_sandbox_has_no_right(db: Connection) -> None:
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
        WHERE a.grantee = 'feed_sandbox'::regrole AND p.proname <> 'row_image'
        """,
    )
    assert found == []


@pytest.fixture
async def owner(db: Connection, database: Database) -> AsyncIterator[str]:
    """Who owns a fed table with a cast of their own, and no right to anything else."""
    name = f"{database.name}_owner"
    await db.execute(SQL("CREATE ROLE {}").format(Identifier(name)))
    await db.execute(SQL(CAST).format(owner=Identifier(name)))
    yield name
    await db.execute("RESET SESSION AUTHORIZATION")
    await db.execute(SQL("DROP OWNED BY {} CASCADE").format(Identifier(name)))
    await db.execute(SQL("DROP ROLE {}").format(Identifier(name)))


WRITES: tuple[LiteralString, ...] = (
    "INSERT INTO app.things VALUES ('1', 'warm')",
    "INSERT INTO app.things VALUES ('2', 'warm'), ('3', 'warm')",
    "UPDATE app.things SET mood = 'cold' WHERE id = '1'",
    "UPDATE app.things SET mood = 'cold'",
    "DELETE FROM app.things",
)


async def test_a_cast_of_the_owner_s_gains_them_nothing(db: Connection, owner: str) -> None:
    before = await mark(db)
    attacks = [attack.format(owner=f'"{owner}"') for attack in ATTACKS]
    await db.execute("SELECT set_config('app.attacks', %s, false)", (json.dumps(attacks),))
    await db.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(owner)))
    for write in WRITES:
        await db.execute("SELECT set_config('app.found', '', false)")
        await db.execute(write)
        found = json.loads(await value(db, "SELECT current_setting('app.found')"))
        assert {attack: found.get(attack) for attack in attacks if found.get(attack) not in DENIED} == {}, write
    by_hand = {attack: await refusal(db, SQL(attack)) for attack in ATTACKS if "{owner}" not in attack}  # type: ignore[arg-type]
    assert {attack: state for attack, state in by_hand.items() if state not in DENIED} == {}
    await db.execute("RESET SESSION AUTHORIZATION")
    # The rows of one statement are in whatever order they were met.
    assert sorted(await told(db, before)) == [
        *[("delete", each, None) for each in "123"],
        *[("insert", each, None) for each in "123"],
        *[("update", each, None) for each in "123"],
    ]
    assert {row["relation"] for row in await logged(db, before)} == {"app.things"}


async def see(db: Connection) -> tuple[str, str, str | None]:
    (found,) = await rows(db, "SELECT status, found, fix FROM feed.health WHERE topic = 'ownership'")
    return found["status"], found["found"], found["fix"]


async def attack(db: Connection, owner: str, statement: str, write: LiteralString) -> str:
    """Let the cast try a statement in a write; what came of it."""
    await db.execute("SELECT set_config('app.attacks', %s, false)", (json.dumps([statement]),))
    await db.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(owner)))
    try:
        await db.execute(write)
        return str(json.loads(await value(db, "SELECT current_setting('app.found')"))[statement])
    finally:
        await db.execute("RESET SESSION AUTHORIZATION")


async def test_code_in_the_sandbox_is_not_let_out_where_everybody_sees_the_schema(db: Connection, owner: str) -> None:
    await db.execute("GRANT USAGE ON SCHEMA feed TO PUBLIC")
    done = await attack(db, owner, "ALTER FUNCTION feed.row_image(record) SECURITY INVOKER", WRITES[0])
    assert done == "done by feed_sandbox"
    with pytest.raises(errors.ObjectNotInPrerequisiteState, match="must not run as feed_owner"):
        await attack(db, owner, "DELETE FROM feed.log", WRITES[1])
    status, found, fix = await see(db)
    assert (status, found) == ("bad", "feed.row_image(record) was altered or dropped")
    assert fix is not None
    await db.execute(fix.encode())
    assert await attack(db, owner, "DELETE FROM feed.log", WRITES[1]) in DENIED


async def test_code_in_the_sandbox_can_make_writes_fail_and_that_is_said(db: Connection, owner: str) -> None:
    """A role can drop what it owns without naming it. Nothing goes past the log then: nothing is written."""
    assert await attack(db, owner, "DROP OWNED BY CURRENT_USER CASCADE", WRITES[0]) == "done by feed_sandbox"
    with pytest.raises(errors.UndefinedFunction, match="row_image"):
        await attack(db, owner, "SELECT 1", WRITES[1])
    assert (await see(db))[:2] == ("bad", "feed.row_image(record) was altered or dropped")


@pytest.mark.parametrize(
    ("done", "status", "said"),
    [
        ("ALTER FUNCTION feed.capture() OWNER TO CURRENT_USER", "bad", "feed.capture() is owned by boardcast"),
        ("ALTER FUNCTION feed.maintain() OWNER TO CURRENT_USER", "bad", "feed.maintain() is owned by boardcast"),
        ("ALTER TABLE feed.log_2 OWNER TO CURRENT_USER", "warning", "feed.log_2 is owned by boardcast"),
    ],
)
async def test_what_belongs_to_another_is_named_and_given_back(
    db: Connection, done: LiteralString, status: str, said: str
) -> None:
    await db.execute(done)
    found = await see(db)
    assert found[:2] == (status, said)
    assert found[2] is not None
    await db.execute(found[2].encode())
    assert await see(db) == (
        "ok",
        "application code runs as feed_sandbox, everything else is owned by feed_owner",
        None,
    )


async def test_partitions_belong_to_the_log_s_owner_whoever_makes_them(db: Connection) -> None:
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
    """A role that is no superuser and owns a database; its name, and the address of the database."""
    name = f"migrator_{os.urandom(4).hex()}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'x' {}").format(Identifier(name), SQL(options)))
        create(server.url("postgres"), name)
        admin.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(name), Identifier(name)))
        try:
            yield name, make_conninfo(server.url(name), user=name, password="x")
        finally:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
            admin.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def test_an_owner_without_superuser_migrates_feeds_keeps_and_goes(server: EmbeddedPostgres, template: str) -> None:
    with migrator(server) as (name, url):
        with pytest.raises(errors.InsufficientPrivilege, match="the owner of objects") as told_so:
            migrate.upgrade(url)
        assert told_so.value.diag.message_hint == f"As a superuser, run GRANT feed_owner, feed_sandbox TO {name}."
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


def test_in_a_cluster_of_its_own(binaries: Path | None, memory: Path | None) -> None:
    """The roles are not there yet: an administrator who may make roles needs no superuser. Roles that have rights are refused."""
    with ephemeral_postgres({"fsync": "off"}, binaries=binaries, within=memory) as own:
        for options in ("LOGIN", "CREATEROLE", "BYPASSRLS", "IN ROLE pg_read_all_data"):
            with psycopg.connect(own.url("postgres"), autocommit=True) as admin:
                admin.execute(SQL("CREATE ROLE feed_owner {}").format(SQL(options)))
                with pytest.raises(errors.InvalidRoleSpecification, match="more privileges than they need"):
                    migrate.upgrade(own.url("postgres"))
                admin.execute("DROP ROLE feed_owner")
        with migrator(own, "CREATEROLE") as (_, url):
            migrate.upgrade(url)
            with psycopg.connect(url, autocommit=True) as conn:
                conn.execute("INSERT INTO boards (id, name, phases) VALUES ('b1', 'One', '[]')")
                assert conn.execute("SELECT op, key FROM feed.log ORDER BY seq DESC LIMIT 1").fetchone() == (
                    "insert",
                    "b1",
                )
            migrate.downgrade(url)
