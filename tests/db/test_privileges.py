"""The privileges of each role. No role can write to the log directly."""

from collections.abc import AsyncIterator
from typing import LiteralString

import pytest
from psycopg import sql

from tests.db.support import Connection, log_rows, newest_seq, rows, sqlstate_of, value
from tests.support.database import Database

GROUPS = ("feed_app", "feed_listener", "feed_dba")
ROLES = (*GROUPS, "writer", "nobody")
"""writer: an application with privileges on the CRM's tables only. nobody: the privileges of PUBLIC."""
DENIED = "42501"
NOT_UPDATABLE = "55000"
NO_TABLE = "42809"

# Statement: the roles that may run it. All others get SQLSTATE 42501.
RIGHTS: dict[LiteralString, set[str]] = {
    "SELECT * FROM opportunities": {"feed_app", "writer", "feed_listener", "feed_dba"},
    "INSERT INTO opportunities (board_id) VALUES ('b1')": {"feed_app", "writer"},
    "UPDATE opportunities SET title = 'x'": {"feed_app", "writer"},
    "DELETE FROM opportunities": {"feed_app", "writer"},
    "TRUNCATE opportunities": set(),
    "SELECT * FROM feed.boards": {"feed_app", "feed_listener", "feed_dba"},
    "UPDATE feed.boards SET name = 'x', phases = '[]', currency = 'EUR', archived_at = now()": {"feed_app"},
    "UPDATE feed.boards SET id = 'x'": set(),
    "UPDATE feed.boards SET version_number = 9": set(),
    "INSERT INTO feed.boards (id, name, phases, currency) VALUES ('x', 'X', '[]', 'EUR')": {"feed_app"},
    "INSERT INTO feed.boards (id, name, phases, version_number) VALUES ('x', 'X', '[]', 9)": set(),
    "DELETE FROM feed.boards": set(),
    "SELECT * FROM users": {"feed_app", "writer", "feed_dba"},
    "INSERT INTO users VALUES ('x')": {"feed_app", "writer"},
    "SELECT * FROM feed.board_members": {"feed_app", "feed_listener", "feed_dba"},
    "INSERT INTO feed.board_members VALUES ('b1', 'ana', 'viewer')": {"feed_app"},
    "UPDATE feed.board_members SET role = 'viewer'": {"feed_app"},
    "UPDATE feed.board_members SET user_id = 'x'": set(),
    "DELETE FROM feed.board_members": {"feed_app"},
    "SELECT * FROM feed.opportunity_versions": {"feed_app", "feed_dba"},
    "SELECT * FROM feed.editing": {"feed_app", "feed_dba"},
    "SELECT * FROM feed.user_presence": {"feed_app", "feed_listener", "feed_dba"},
    "DELETE FROM feed.user_presence": {"feed_app", "feed_listener"},
    "SELECT * FROM feed.log": {"feed_app", "feed_listener", "feed_dba"},
    "INSERT INTO feed.log (relation, op, actor, db_user, pid) VALUES ('x', 'insert', 'x', 'x', 1)": set(),
    "UPDATE feed.log SET actor = 'x'": set(),
    "DELETE FROM feed.log": set(),
    "TRUNCATE feed.log": set(),
    "SELECT * FROM feed.log_1": set(),
    "INSERT INTO feed.log_1 (seq, relation, op, actor, db_user, pid, partition_number)"
    " VALUES (0, 'x', 'insert', 'x', 'x', 1, 1)": set(),
    "UPDATE feed.log_1 SET actor = 'x'": set(),
    "DELETE FROM feed.log_1": set(),
    "TRUNCATE feed.log_1": set(),
    "TRUNCATE feed.log_default": set(),
    "DROP TABLE feed.log_1": set(),
    "ALTER TABLE feed.log DETACH PARTITION feed.log_1": set(),
    "SELECT nextval('feed.partition_number')": set(),
    "SELECT setval('feed.partition_xid', 1)": set(),
    "UPDATE feed.maintenance SET retention = '1 second'": set(),
    "SELECT feed.maintain()": {"feed_app", "feed_listener"},
    "SELECT feed.rotate_partition()": set(),
    "SELECT feed.make_partition(9)": set(),
    "SELECT nextval('feed.log_seq')": set(),
    "SELECT setval('feed.log_seq', 1)": set(),
    "LOCK feed.log IN ACCESS EXCLUSIVE MODE": set(),
    "SELECT * FROM feed.identity": {"feed_app", "feed_listener", "feed_dba"},
    "UPDATE feed.identity SET feed_id = 'x'": set(),
    "SELECT * FROM feed.tickets": {"feed_app", "feed_listener"},
    "DELETE FROM feed.tickets": {"feed_app", "feed_listener"},
    "UPDATE feed.tickets SET user_id = 'x'": set(),
    "SELECT * FROM feed.pacer": {"feed_app", "feed_listener", "feed_dba"},
    "UPDATE feed.pacer SET instance = 'x', pid = 1, until = now(), mode = 'x', notifications = 1, since = now()": {
        "feed_app",
        "feed_listener",
    },
    "UPDATE feed.pacer SET one = true": set(),
    "UPDATE feed.pacer SET muted = true": set(),
    "SELECT feed.set_notify(false)": set(),
    "SELECT feed.set_capture(false)": set(),
    "SELECT feed.set_seal(true)": set(),
    "SELECT feed.seal()": {"feed_app", "feed_listener"},
    "UPDATE feed.seals SET hash = 'x'": set(),
    "DELETE FROM feed.seals": set(),
    "INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', 'off')": set(),
    "DELETE FROM feed.flags": set(),
    "INSERT INTO feed.pacer (one) VALUES (false)": set(),
    "DELETE FROM feed.pacer": set(),
    "SELECT last_value FROM feed.notify_suppressed_until": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT setval('feed.notify_suppressed_until', 1)": set(),
    "SELECT feed.suppress_notify(1000)": {"feed_app", "feed_listener"},
    "ALTER SEQUENCE feed.notify_suppressed_until RESTART": set(),
    "SELECT * FROM feed.adopted": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT feed.identify()": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT * FROM feed.changes_since('1', '{}')": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT feed.changes('{}', '{}')": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT feed.row_key('{\"id\": 1}', '{id}')": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT feed.attach('opportunities')": set(),
    "SELECT feed.detach('opportunities')": set(),
    "SELECT feed.prune(now())": set(),
    "SELECT feed.reset_feed()": set(),
    "ALTER TABLE opportunities DISABLE TRIGGER ALL": set(),
    "SET session_replication_role = replica": set(),
}

# Each table and view: the roles that may SELECT, INSERT, UPDATE, DELETE (the whole row) and TRUNCATE it, by first letters.
EVERYBODY = dict.fromkeys(GROUPS, "S")
READERS = {"feed_app": "S", "feed_dba": "S"}
TABLES: dict[str, dict[str, str]] = {
    "adopted": EVERYBODY,
    "alembic_version": EVERYBODY,
    "attached": EVERYBODY,
    "board_members": {"feed_app": "SID", "feed_listener": "S", "feed_dba": "S"},
    "boards": {"feed_app": "SI", "feed_listener": "S", "feed_dba": "S"},
    "flags": EVERYBODY,
    "gap_reports": {"feed_app": "SI", "feed_listener": "SI", "feed_dba": "S"},
    "identity": EVERYBODY,
    "instances": {"feed_app": "SIUD", "feed_listener": "SIUD", "feed_dba": "S"},
    "log": EVERYBODY,
    "log_1": {},  # only through the log
    "log_2": {},
    "log_default": {},
    "maintenance": READERS,
    "opportunity_details": {"feed_app": "SIU", "feed_listener": "SIU", "feed_dba": "S"},
    "pacer": EVERYBODY,
    "seals": READERS,
    "delivery_journal": {"feed_app": "SID", "feed_listener": "SID", "feed_dba": "S"},
    "stage_changes": {"feed_app": "SI", "feed_listener": "SI", "feed_dba": "S"},
    "stage_reader": {"feed_app": "SU", "feed_listener": "SU", "feed_dba": "S"},
    "tickets": {"feed_app": "SID", "feed_listener": "SID"},
    "user_presence": {"feed_app": "SIUD", "feed_listener": "SIUD", "feed_dba": "S"},
}
VIEWS = dict.fromkeys(
    (
        "attached_tables",
        "client_positions",
        "editing",
        "gaps",
        "health",
        "indexes",
        "instance_status",
        "lag",
        "opportunity_versions",
        "retention",
        "trigger_log",
        "triggers",
    ),
    READERS,
)
UPDATABLE = {"gaps"}
"""Views that PostgreSQL can update, given the privilege."""

# Each function: the roles that may call it. Calls with NULL arguments have no effect.
FUNCTIONS: dict[str, set[str]] = {
    "feed.adopt(text,jsonb,text,jsonb)": set(),
    "feed.adopt_again(regclass,jsonb,text)": set(),
    "feed.adopt_table(text,jsonb,text,jsonb)": set(),
    "feed.adoption_obstacles(text,jsonb,text,jsonb)": set(),
    "feed.all_partitions(oid)": set(READERS),
    "feed.application_table(text)": set(),
    "feed.application_tables()": set(),
    "feed.attach(regclass,text,text,text[])": set(),
    "feed.attach_command(text,text[],text,text[])": set(READERS),
    "feed.begin_statement()": set(),
    "feed.board_index()": set(GROUPS),
    "feed.capture()": set(),
    "feed.card_details(text)": set(GROUPS),
    "feed.card_image(jsonb,jsonb)": set(GROUPS),
    "feed.card_names()": set(GROUPS),
    "feed.card_obstacles(regclass,jsonb)": set(),
    "feed.changed_columns(jsonb,jsonb)": set(),
    "feed.changes(jsonb,jsonb)": set(GROUPS),
    "feed.changes_since(xid8,xid8[],xid8,xid8[])": set(GROUPS),
    "feed.checkpoint(text,text)": set(READERS),
    "feed.checkpoint_seen(text,text)": set(GROUPS),
    "feed.columns_image(text[],jsonb[])": set(GROUPS),
    "feed.compact_change(oid,text,text,text,jsonb,jsonb)": set(),
    "feed.compact_changes(jsonb,jsonb,integer)": set(GROUPS),
    "feed.complete_image(text,text,bigint)": set(GROUPS),
    "feed.converts_safely(regclass)": set(GROUPS),
    "feed.created_partitions(oid)": set(READERS),
    "feed.current_columns(regclass,text[])": set(GROUPS),
    "feed.current_partition()": set(GROUPS),
    "feed.cursor_fault(text)": set(GROUPS),
    "feed.default_board()": set(GROUPS),
    "feed.detach(regclass)": set(),
    "feed.display_value(jsonb)": set(READERS),
    "feed.explain(bigint)": set(READERS),
    "feed.explain_cursor(text)": set(READERS),
    "feed.fed_columns(regclass)": set(READERS),
    "feed.field_columns()": set(GROUPS),
    "feed.field_names()": set(GROUPS),
    "feed.field_obstacles(regclass,jsonb)": set(),
    "feed.first_partition_since(xid8)": set(GROUPS),
    "feed.forget_users()": set(),
    "feed.has_seen(text,xid8)": set(READERS),
    "feed.hash_changes(bigint,xid8,bigint,xid8,bigint)": set(READERS),
    "feed.history(text,text)": set(READERS),
    "feed.identify()": set(GROUPS),
    "feed.image_after(text,text,bigint,text,jsonb,jsonb,integer)": set(GROUPS),
    "feed.image_before(text,text,bigint,text,jsonb,jsonb,integer)": set(GROUPS),
    "feed.inexact_columns(oid)": set(),
    "feed.json_text(text,oid)": set(GROUPS),
    "feed.key_obstacles(regclass,text[])": set(),
    "feed.later_triggers()": set(READERS),
    "feed.lock_tables(regclass[],text,interval)": set(),
    "feed.log_change(oid,text,text,text[],jsonb,jsonb,boolean,boolean,boolean)": set(),
    "feed.log_partitions()": set(READERS),
    "feed.log_reload(text,text)": set(),
    "feed.maintain()": {"feed_app", "feed_listener"},
    "feed.make_partition(bigint)": set(),
    "feed.mapped_column(regclass,jsonb)": set(GROUPS),
    "feed.marked_text(jsonb)": set(READERS),
    "feed.matches_any(text,oid,text)": set(GROUPS),
    "feed.mend()": set(),
    "feed.mend_boards()": set(),
    "feed.missing_stages()": set(),
    "feed.mend_columns()": set(),
    "feed.mend_former_users()": set(),
    "feed.mend_privileges()": set(),
    "feed.mend_rows(integer)": set(),
    "feed.mend_structure()": set(),
    "feed.mend_triggers()": set(),
    "feed.mend_versions()": set(),
    "feed.missing_column(regclass,jsonb,text[])": set(),
    "feed.missing_columns()": set(),
    "feed.names_author(text,text,text)": set(),
    "feed.needed_grants()": set(),
    "feed.new_id()": set(),
    "feed.normalize_image(regclass,jsonb)": set(READERS),
    "feed.note_adoption(regclass,jsonb,regclass,jsonb)": set(),
    "feed.note_closings(text[])": {"feed_app", "feed_listener"},
    "feed.note_columns()": set(),
    "feed.note_layouts()": set(),
    "feed.notify_presence()": set(),
    "feed.opportunities_of(text[])": set(GROUPS),
    "feed.opportunities_on(text[])": set(GROUPS),
    "feed.opportunities_page(text[],text,integer)": set(GROUPS),
    "feed.opportunities_table()": set(GROUPS),
    "feed.opportunity_image(jsonb,text,text,bigint)": set(GROUPS),
    "feed.opportunity_source()": set(GROUPS),
    "feed.parse_cursor(text)": set(GROUPS),
    "feed.plain_relations()": set(GROUPS),
    "feed.plain_text(text,oid)": set(GROUPS),
    "feed.prune(timestamp with time zone)": set(),
    "feed.read_stage_changes(integer,boolean)": {"feed_app", "feed_listener"},
    "feed.realtime(text)": set(READERS),
    "feed.redefined_columns(regclass)": set(READERS),
    "feed.refuse(text,text,text)": set(),
    "feed.relation_name(oid)": set(GROUPS),
    "feed.repair(regclass,text[])": set(),
    "feed.repair_rows()": set(),
    "feed.report_gap(text,text,text,text,text,bigint,text,bigint,text)": {"feed_app", "feed_listener"},
    "feed.require_adoptable(text,jsonb,text,jsonb)": set(),
    "feed.reset_feed(text)": set(),
    "feed.restored_columns(regclass,text[],text)": set(),
    "feed.rollout_bucket(text)": set(READERS),
    "feed.rotate_partition()": set(),
    "feed.row_hash(text,integer)": set(GROUPS),
    "feed.row_image(record)": set(GROUPS),
    "feed.row_json(anyelement)": set(GROUPS),
    "feed.row_key(jsonb,text[])": set(GROUPS),
    "feed.run_as_owner(regclass,text,text[],jsonb[])": set(),
    "feed.seal(integer)": {"feed_app", "feed_listener"},
    "feed.seal_hash(feed.seals,text)": set(READERS),
    "feed.seq_since(timestamp with time zone)": set(READERS),
    "feed.stage_kind(jsonb,text)": set(GROUPS),
    "feed.short_text(text)": {"feed_app", "feed_listener"},
    "feed.start_stage_changes()": {"feed_app", "feed_listener"},
    "feed.set_capture(boolean)": set(),
    "feed.mute_notify()": set(),
    "feed.suppress_notify(integer)": {"feed_app", "feed_listener"},
    "feed.set_notify(boolean)": set(),
    "feed.set_seal(boolean)": set(),
    "feed.short_key(text)": set(GROUPS),
    "feed.single_key(regclass)": set(GROUPS),
    "feed.sort_nested(text,bigint,bigint)": set(),
    "feed.stage_source()": set(),
    "feed.stored_image(jsonb)": set(GROUPS),
    "feed.table_layout(oid)": set(READERS),
    "feed.table_obstacles(regclass)": set(),
    "feed.tail(interval,text,text,text,text,integer)": set(READERS),
    "feed.trusted_type(oid)": set(GROUPS),
    "feed.trigger_arguments(bytea)": set(READERS),
    "feed.unsafe_columns(oid,text)": set(GROUPS),
    "feed.unsafe_rows(oid,text,text[],text[])": set(),
    "feed.user_columns()": set(GROUPS),
    "feed.user_names(text[])": set(READERS),
    "feed.user_obstacles(regclass,jsonb)": set(),
    "feed.users_table()": set(GROUPS),
    "feed.users_with_email(text)": {"feed_app"},
    "feed.valid_traceparent(text)": set(GROUPS),
    "feed.typed_image(anyelement,jsonb)": set(GROUPS),
    "feed.value_image(anyelement)": set(GROUPS),
    "feed.verify_log(regclass,text,integer)": set(READERS),
    "feed.verify_order()": set(READERS),
    "feed.verify_rows(regclass,xid8,text[],integer)": set(READERS),
    "feed.verify_seals(bigint,integer)": set(READERS),
    "feed.version_number(jsonb)": set(GROUPS),
    "feed.version_board()": set(),
    "feed.version_opportunity()": set(),
    "feed.versions_on(text)": set(GROUPS),
}


def statements(relation: str, column: str) -> dict[str, sql.Composed]:
    """Return a statement without effect for each privilege: with the privilege it succeeds."""
    forms = {
        "S": "SELECT * FROM feed.{0}",
        "I": "INSERT INTO feed.{0} ({1}) SELECT {1} FROM feed.{0} WHERE false",
        "U": "UPDATE feed.{0} SET {1} = {1} WHERE false",
        "D": "DELETE FROM feed.{0} WHERE false",
        "T": "TRUNCATE feed.{0}",
    }
    names = sql.Identifier(relation), sql.Identifier(column)
    return {right: sql.SQL(form).format(*names) for right, form in forms.items()}


def expected_sqlstate(role: str, relation: str, right: str) -> str | None:
    """Return the SQLSTATE that a role must get, or None if it has the privilege."""
    if right in (TABLES | VIEWS)[relation].get(role, ""):
        return None
    if relation in VIEWS and role in GROUPS:
        if right == "T":
            return NO_TABLE
        return DENIED if right == "S" or relation in UPDATABLE else NOT_UPDATABLE
    return DENIED


@pytest.fixture
async def logins_by_role(db: Connection, database: Database) -> AsyncIterator[dict[str, str]]:
    """Create a login role for each group. Roles are shared by the server, so their names contain the database's."""
    logins = {role: f"{database.name}_{role}" for role in ROLES}
    for role, login in logins.items():
        await db.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(login)))
        if role in GROUPS:
            await db.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(login)))
    crm = "GRANT SELECT, INSERT, UPDATE, DELETE ON users, opportunities TO {}"
    await db.execute(sql.SQL(crm).format(sql.Identifier(logins["writer"])))
    yield logins
    await db.execute("RESET SESSION AUTHORIZATION")
    for login in logins.values():
        await db.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(login)))
        await db.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


@pytest.mark.parametrize("role", ROLES)
async def test_the_privileges_of_each_role(db: Connection, logins_by_role: dict[str, str], role: str) -> None:
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(logins_by_role[role])))
    found = {statement: await sqlstate_of(db, statement) for statement in RIGHTS}
    # ALTER and LOCK of another owner's table fail with the same SQLSTATE.
    assert found == {statement: None if role in allowed else DENIED for statement, allowed in RIGHTS.items()}


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_on_each_table(db: Connection, logins_by_role: dict[str, str], role: str) -> None:
    columns = await rows(
        db,
        """
        SELECT c.relname AS relation, a.attname AS first
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = 1
        WHERE c.relnamespace = 'feed'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p')
        """,
    )
    first = {row["relation"]: row["first"] for row in columns}
    assert set(first) == {*TABLES, *VIEWS}, "list each one in TABLES or VIEWS"
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(logins_by_role[role])))
    found, expected = {}, {}
    for relation, column in first.items():
        for right, statement in statements(relation, column).items():
            found[relation, right] = await sqlstate_of(db, statement)
            expected[relation, right] = expected_sqlstate(role, relation, right)
    assert found == expected


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_on_each_function(db: Connection, logins_by_role: dict[str, str], role: str) -> None:
    functions = await rows(
        db,
        """
        SELECT p.oid::regprocedure::text AS function, p.proname AS name,
               ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) AS t) AS types
        FROM pg_proc AS p WHERE p.pronamespace = 'feed'::regnamespace
        """,
    )
    assert {row["function"] for row in functions} == set(FUNCTIONS), "list each one in FUNCTIONS"
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(logins_by_role[role])))
    found = {}
    for row in functions:
        types = ("opportunities" if each == "anyelement" else each for each in row["types"])
        nothing = sql.SQL(", ").join(sql.SQL(f"NULL::{each}") for each in types)
        call = sql.SQL("SELECT feed.{}({})").format(sql.Identifier(row["name"]), nothing)
        found[row["function"]] = await sqlstate_of(db, call)
    assert found == {function: None if role in allowed else DENIED for function, allowed in FUNCTIONS.items()}


async def test_services_may_claim_the_lease_but_not_mute_notify(db: Connection, logins_by_role: dict[str, str]) -> None:
    for role in ROLES:
        await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(logins_by_role[role])))
        expected = None if role in {"feed_app", "feed_listener"} else DENIED
        assert (
            await sqlstate_of(
                db, "UPDATE feed.pacer SET instance = 'x', until = now(), mode = 'coalesced', since = now()"
            )
            == expected
        )
        assert await sqlstate_of(db, "SELECT setval('feed.notify_suppressed_until', 1)") == DENIED
        assert await sqlstate_of(db, "SELECT feed.suppress_notify(0)") == expected
        assert await sqlstate_of(db, "SELECT last_value FROM feed.notify_suppressed_until") == (
            None if role in GROUPS else DENIED
        )


async def test_writes_are_logged_without_privileges_on_the_log(db: Connection, logins_by_role: dict[str, str]) -> None:
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(logins_by_role["feed_app"])))
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    await db.execute("UPDATE feed.boards SET name = 'B' WHERE id = 'b1'")
    assert {(row["actor"], row["db_user"]) for row in await log_rows(db, before)} == {(logins_by_role["feed_app"],) * 2}


async def test_an_application_needs_no_privileges_on_schema_feed(
    db: Connection, logins_by_role: dict[str, str]
) -> None:
    """An existing application writes with its own privileges."""
    nobody = sql.Identifier(logins_by_role["nobody"])
    await db.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON opportunities TO {}").format(nobody))
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(nobody))
    before = await db.execute("UPDATE opportunities SET title = 'B' RETURNING version_number")
    assert await before.fetchall() == [{"version_number": 2}]
    await db.execute("INSERT INTO opportunities (board_id) VALUES ('b1')")
    await db.execute("DELETE FROM opportunities")
    await db.execute("RESET SESSION AUTHORIZATION")
    assert [row["op"] for row in await log_rows(db)][-4:] == ["update", "insert", "delete", "delete"]
    await db.execute(sql.SQL("REVOKE ALL ON opportunities FROM {}").format(nobody))


async def test_capture_cannot_be_put_on_another_table_to_forge_log_rows(
    db: Connection, logins_by_role: dict[str, str]
) -> None:
    """A role must not be able to write to the log with capture on a table of its own."""
    login = sql.Identifier(logins_by_role["feed_app"])
    await db.execute(sql.SQL("CREATE SCHEMA mine AUTHORIZATION {}").format(login))
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(login))
    await db.execute("CREATE TABLE mine.opportunities (id text PRIMARY KEY)")
    assert (
        await sqlstate_of(
            db,
            "CREATE TRIGGER forged AFTER INSERT ON mine.opportunities REFERENCING NEW TABLE AS new_rows "
            "FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'id')",
        )
        == DENIED
    )
    await db.execute("RESET SESSION AUTHORIZATION")
    await db.execute("DROP SCHEMA mine CASCADE")


async def test_explain_does_not_call_functions_of_other_users(db: Connection) -> None:
    """A user's function that matches better than format(text, VARIADIC "any") would run with the caller's privileges."""
    for types in ("text, text, xid8, text", "text, bigint, text", "text, bigint, integer", "text, integer, text"):
        await db.execute(
            f"CREATE FUNCTION public.format({types}) RETURNS text LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'run by %', current_user; END $$".encode()
        )
    await db.execute(
        "CREATE FUNCTION public.concat_ws(text, bigint, xid8, bigint) RETURNS text LANGUAGE sql AS 'SELECT 1/0 || $1'"
    )
    feed = await value(db, "SELECT feed.identify()")
    cursor = f"{feed}.1.1..1.00000000"
    for statement in ("SELECT * FROM feed.explain_cursor(%s)", "SELECT feed.cursor_fault(%s)"):
        await db.execute(statement, (cursor,))
    await db.execute("SELECT * FROM feed.explain((SELECT max(seq) FROM feed.log))")
