"""Who may do what: each role its own, the log nobody's."""

from collections.abc import AsyncIterator
from typing import LiteralString

import pytest
from psycopg import sql

from tests.db.support import Connection, logged, mark, refusal, rows, value
from tests.support.database import Database

GROUPS = ("feed_app", "feed_listener", "feed_dba")
ROLES = (*GROUPS, "writer", "nobody")
"""writer: an application with rights on the CRM's tables and on nothing of ours. nobody: what PUBLIC may."""
DENIED = "42501"
NOT_UPDATABLE = "55000"
NO_TABLE = "42809"

# Statement: who may. Nobody else may, and is told so by SQLSTATE 42501.
RIGHTS: dict[LiteralString, set[str]] = {
    "SELECT * FROM opportunities": {"feed_app", "writer", "feed_listener", "feed_dba"},
    "INSERT INTO opportunities (board_id) VALUES ('b1')": {"feed_app", "writer"},
    "UPDATE opportunities SET title = 'x'": {"feed_app", "writer"},
    "DELETE FROM opportunities": {"feed_app", "writer"},
    "TRUNCATE opportunities": set(),
    "SELECT * FROM boards": {"feed_app", "writer", "feed_dba"},
    "UPDATE boards SET name = 'x'": {"feed_app", "writer"},
    "SELECT * FROM users": {"feed_app", "writer", "feed_dba"},
    "INSERT INTO users VALUES ('x')": {"feed_app", "writer"},
    "SELECT * FROM board_members": {"feed_app", "writer", "feed_listener", "feed_dba"},
    "INSERT INTO board_members VALUES ('b1', 'ana', 'viewer')": {"feed_app", "writer"},
    "SELECT * FROM opportunity_versions": {"feed_app", "feed_dba"},
    "SELECT * FROM feed.editing": {"feed_app", "feed_dba"},
    "SELECT * FROM user_presence": {"feed_app", "feed_listener", "feed_dba"},
    "DELETE FROM user_presence": {"feed_app", "feed_listener"},
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
    "INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', 'off')": set(),
    "DELETE FROM feed.flags": set(),
    "INSERT INTO feed.pacer (one) VALUES (false)": set(),
    "DELETE FROM feed.pacer": set(),
    "SELECT last_value FROM feed.notify_suppressed_until": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT setval('feed.notify_suppressed_until', 1)": {"feed_app", "feed_listener"},
    "ALTER SEQUENCE feed.notify_suppressed_until RESTART": set(),
    "SELECT * FROM feed.adopted": {"feed_app", "feed_dba"},
    "SELECT feed.identify()": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT * FROM feed.changes_since('1', '{}')": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT feed.changes('{}', '{}')": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT feed.row_key('{\"id\": 1}', '{id}')": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT feed.notify(1, 'x', 'x')": set(),
    "SELECT feed.attach('opportunities')": set(),
    "SELECT feed.detach('opportunities')": set(),
    "SELECT feed.prune(now())": set(),
    "SELECT feed.reset_feed()": set(),
    "ALTER TABLE opportunities DISABLE TRIGGER ALL": set(),
    "SET session_replication_role = replica": set(),
}

# Each table and view of the schema: who may SELECT, INSERT, UPDATE, DELETE (the whole row) and TRUNCATE it, by first letters.
EVERYBODY = dict.fromkeys(GROUPS, "S")
READERS = {"feed_app": "S", "feed_dba": "S"}
TABLES: dict[str, dict[str, str]] = {
    "adopted": READERS,
    "attached": EVERYBODY,
    "flags": EVERYBODY,
    "gap_reports": {"feed_app": "SI", "feed_listener": "SI", "feed_dba": "S"},
    "identity": EVERYBODY,
    "instances": {"feed_app": "SIUD", "feed_listener": "SIUD", "feed_dba": "S"},
    "log": EVERYBODY,
    "log_1": {},  # through the log alone
    "log_2": {},
    "log_default": {},
    "maintenance": READERS,
    "pacer": EVERYBODY,
    "delivery_journal": {"feed_app": "SID", "feed_listener": "SID", "feed_dba": "S"},
    "tickets": {"feed_app": "SID", "feed_listener": "SID"},
}
VIEWS = dict.fromkeys(
    (
        "client_positions",
        "editing",
        "gaps",
        "health",
        "indexes",
        "instance_status",
        "lag",
        "retention",
        "trigger_log",
        "triggers",
    ),
    READERS,
)
UPDATABLE = {"gaps", "trigger_log"}
"""By the rules of PostgreSQL, for who had the right."""

# Each function: who may call it. NULL for each argument is harmless: nothing of it stays.
FUNCTIONS: dict[str, set[str]] = {
    "feed.attach(regclass,text,text,text[])": set(),
    "feed.capture()": set(),
    "feed.changes(jsonb,jsonb)": set(GROUPS),
    "feed.detach(regclass)": set(),
    "feed.current_partition()": set(GROUPS),
    "feed.first_partition_since(xid8)": set(GROUPS),
    "feed.check_key(regclass,text[])": set(),
    "feed.check_table(regclass)": set(),
    "feed.checkpoint(text,text)": set(READERS),
    "feed.checkpoint_seen(text,text)": set(GROUPS),
    "feed.cursor_fault(text)": set(GROUPS),
    "feed.explain(bigint)": set(READERS),
    "feed.fed_columns(regclass)": set(READERS),
    "feed.verify_log(regclass,text,integer)": set(READERS),
    "feed.verify_rows(regclass,xid8,text[],integer)": set(READERS),
    "feed.normalize_image(regclass,jsonb)": set(READERS),
    "feed.repair(regclass,text[])": set(),
    "feed.explain_cursor(text)": set(READERS),
    "feed.guard_key()": set(),
    "feed.has_seen(text,xid8)": set(READERS),
    "feed.history(text,text)": set(READERS),
    "feed.identify()": set(GROUPS),
    "feed.maintain()": {"feed_app", "feed_listener"},
    "feed.exclude_columns(regclass,jsonb,text[])": set(),
    "feed.missing_column(regclass,jsonb,text[])": set(),
    "feed.log_partitions()": set(READERS),
    "feed.make_partition(bigint)": set(),
    "feed.name_author()": set(),
    "feed.new_id()": set(),
    "feed.parse_cursor(text)": set(GROUPS),
    "feed.prune(timestamp with time zone)": set(),
    "feed.plain_relations()": set(GROUPS),
    "feed.relation_name(oid)": set(GROUPS),
    "feed.report_gap(text,text,text,text,text,bigint,text,bigint,text)": {"feed_app", "feed_listener"},
    "feed.realtime(text)": set(READERS),
    "feed.reset_feed(text)": set(),
    "feed.notify(bigint,text,text)": set(),
    "feed.row_image(record)": set(),
    "feed.row_hash(text,integer)": set(GROUPS),
    "feed.row_key(jsonb,text[])": set(GROUPS),
    "feed.seq_since(timestamp with time zone)": set(READERS),
    "feed.set_notify(boolean)": set(),
    "feed.set_capture(boolean)": set(),
    "feed.display_value(jsonb)": set(READERS),
    "feed.tail(interval,text,text,text,text,integer)": set(READERS),
    "feed.notify_presence()": set(),
    "feed.trigger_arguments(bytea)": set(READERS),
    "feed.rotate_partition()": set(),
    "feed.changes_since(xid8,xid8[],xid8,xid8[])": set(GROUPS),
    "feed.rollout_bucket(text)": set(READERS),
    "feed.version_opportunity()": set(),
}


def statements(relation: str, column: str) -> dict[str, sql.Composed]:
    """What each right is for, of no effect: so one who has the right sees no error at all."""
    forms = {
        "S": "SELECT * FROM feed.{0}",
        "I": "INSERT INTO feed.{0} ({1}) SELECT {1} FROM feed.{0} WHERE false",
        "U": "UPDATE feed.{0} SET {1} = {1} WHERE false",
        "D": "DELETE FROM feed.{0} WHERE false",
        "T": "TRUNCATE feed.{0}",
    }
    names = sql.Identifier(relation), sql.Identifier(column)
    return {right: sql.SQL(form).format(*names) for right, form in forms.items()}


def verdict(role: str, relation: str, right: str) -> str | None:
    """The SQLSTATE that a role must get; None where it may."""
    if right in (TABLES | VIEWS)[relation].get(role, ""):
        return None
    if relation in VIEWS and role in GROUPS:
        if right == "T":
            return NO_TABLE
        return DENIED if right == "S" or relation in UPDATABLE else NOT_UPDATABLE
    return DENIED


@pytest.fixture
async def people(db: Connection, database: Database) -> AsyncIterator[dict[str, str]]:
    """A login role of this database's own in each group; roles belong to the whole server."""
    logins = {role: f"{database.name}_{role}" for role in ROLES}
    for role, login in logins.items():
        await db.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(login)))
        if role in GROUPS:
            await db.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(login)))
    crm = "GRANT SELECT, INSERT, UPDATE, DELETE ON users, boards, board_members, opportunities TO {}"
    await db.execute(sql.SQL(crm).format(sql.Identifier(logins["writer"])))
    yield logins
    await db.execute("RESET SESSION AUTHORIZATION")
    for login in logins.values():
        await db.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(login)))
        await db.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_may_do_what_it_is_for(db: Connection, people: dict[str, str], role: str) -> None:
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(people[role])))
    found = {statement: await refusal(db, statement) for statement in RIGHTS}
    # A TABLE that others own is locked by nobody; ALTER of one is refused by the same state.
    assert found == {statement: None if role in allowed else DENIED for statement, allowed in RIGHTS.items()}


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_on_each_table_of_the_schema(db: Connection, people: dict[str, str], role: str) -> None:
    columns = await rows(
        db,
        """
        SELECT c.relname AS relation, a.attname AS first
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = 1
        WHERE c.relnamespace = 'feed'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p')
        """,
    )
    first = {row["relation"]: row["first"] for row in columns}
    assert set(first) == {*TABLES, *VIEWS}, "each must be in one of the tables of this test"
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(people[role])))
    found, wanted = {}, {}
    for relation, column in first.items():
        for right, statement in statements(relation, column).items():
            found[relation, right] = await refusal(db, statement)
            wanted[relation, right] = verdict(role, relation, right)
    assert found == wanted


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_and_each_function_of_the_schema(db: Connection, people: dict[str, str], role: str) -> None:
    known = await rows(
        db,
        """
        SELECT p.oid::regprocedure::text AS function, p.proname AS name,
               ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) AS t) AS types
        FROM pg_proc AS p WHERE p.pronamespace = 'feed'::regnamespace
        """,
    )
    assert {row["function"] for row in known} == set(FUNCTIONS), "each must be in the table of this test"
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(people[role])))
    found = {}
    for row in known:
        nothing = sql.SQL(", ").join(sql.SQL(f"NULL::{each}") for each in row["types"])
        call = sql.SQL("SELECT feed.{}({})").format(sql.Identifier(row["name"]), nothing)
        found[row["function"]] = await refusal(db, call)
    assert found == {function: None if role in allowed else DENIED for function, allowed in FUNCTIONS.items()}


async def test_any_instance_may_take_the_lease_and_nothing_else_of_its_row(
    db: Connection, people: dict[str, str]
) -> None:
    for role in ROLES:
        await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(people[role])))
        may = None if role in {"feed_app", "feed_listener"} else DENIED
        assert (
            await refusal(db, "UPDATE feed.pacer SET instance = 'x', until = now(), mode = 'coalesced', since = now()")
            == may
        )
        assert await refusal(db, "SELECT setval('feed.notify_suppressed_until', 1)") == may
        assert await refusal(db, "SELECT last_value FROM feed.notify_suppressed_until") == (
            None if role in GROUPS else DENIED
        )


async def test_a_writer_is_logged_without_a_right_to_the_log(db: Connection, people: dict[str, str]) -> None:
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(people["feed_app"])))
    before = await mark(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    await db.execute("UPDATE boards SET name = 'B' WHERE id = 'b1'")
    assert {(row["actor"], row["db_user"]) for row in await logged(db, before)} == {(people["feed_app"],) * 2}


async def test_an_application_that_was_never_granted_anything_of_ours(db: Connection, people: dict[str, str]) -> None:
    """The application that was there first writes with its own rights: ours are none of its business."""
    nobody = sql.Identifier(people["nobody"])
    await db.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON opportunities TO {}").format(nobody))
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(nobody))
    before = await db.execute("UPDATE opportunities SET title = 'B' RETURNING version_number")
    assert await before.fetchall() == [{"version_number": 2}]
    await db.execute("INSERT INTO opportunities (board_id) VALUES ('b1')")
    await db.execute("DELETE FROM opportunities")
    await db.execute("RESET SESSION AUTHORIZATION")
    assert [row["op"] for row in await logged(db)][-4:] == ["update", "insert", "delete", "delete"]
    await db.execute(sql.SQL("REVOKE ALL ON opportunities FROM {}").format(nobody))


async def test_capture_is_a_trigger_and_nothing_else(db: Connection, people: dict[str, str]) -> None:
    """Nobody writes to the log by putting capture on a table of his own."""
    login = sql.Identifier(people["feed_app"])
    await db.execute(sql.SQL("CREATE SCHEMA mine AUTHORIZATION {}").format(login))
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(login))
    await db.execute("CREATE TABLE mine.opportunities (id text PRIMARY KEY)")
    assert (
        await refusal(
            db,
            "CREATE TRIGGER forged AFTER INSERT ON mine.opportunities REFERENCING NEW TABLE AS new_rows "
            "FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'id')",
        )
        == DENIED
    )
    await db.execute("RESET SESSION AUTHORIZATION")
    await db.execute("DROP SCHEMA mine CASCADE")


async def test_who_explains_runs_nobody_else_s_functions(db: Connection) -> None:
    """A function of one's own that fits better than format(text, VARIADIC "any") would be run by who asks."""
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
