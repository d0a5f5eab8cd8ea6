"""Attacks on rights: what code of an application may try where boardcast runs it, and whose rights it has there.

Its code runs as feed_sandbox while a row is logged, verified, or read, and as the owner of the table while a migration writes rows.
tests/db/test_definers.py has what a cast may try while it is feed_sandbox; tests/db/test_search_path.py what is in a search_path.
"""

from collections.abc import AsyncIterator
from typing import LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from db import migrate, sqlfiles
from tests.db.support import Connection, newest_seq, rows, sqlstate_of, value
from tests.support.database import Database

CODE = """
    CREATE SCHEMA app AUTHORIZATION {owner};
    GRANT USAGE ON SCHEMA app TO PUBLIC;
    SET SESSION AUTHORIZATION {owner};
    CREATE FUNCTION app.run(what text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        RAISE WARNING 'ran %: %', what, current_user;
        RETURN true;
    END $$;
    CREATE TYPE app.mood AS ENUM ('cold', 'warm');
    CREATE FUNCTION app.to_json(app.mood) RETURNS json LANGUAGE sql AS
        $$ SELECT app.run('cast to json'); SELECT to_json(enum_out($1)::text) $$;
    CREATE FUNCTION app.to_text(app.mood) RETURNS text LANGUAGE sql AS
        $$ SELECT app.run('cast to text'); SELECT enum_out($1)::text $$;
    CREATE FUNCTION app.to_mood(text) RETURNS app.mood LANGUAGE sql AS
        $$ SELECT app.run('cast from text'); SELECT NULL::app.mood $$;
    CREATE CAST (app.mood AS json) WITH FUNCTION app.to_json(app.mood);
    CREATE CAST (app.mood AS text) WITH FUNCTION app.to_text(app.mood);
    CREATE CAST (text AS app.mood) WITH FUNCTION app.to_mood(text);
    CREATE FUNCTION app.checked(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT app.run($2)';
    CREATE FUNCTION app.computed(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT app.run($2); SELECT $1';
    CREATE DOMAIN app.label AS text CHECK (app.checked(VALUE, 'domain'));
    CREATE FUNCTION app.fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM app.run(TG_NAME); RETURN NEW; END $$;
"""
THINGS = """
    SET SESSION AUTHORIZATION {owner};
    CREATE TABLE app.things (
        id app.label PRIMARY KEY, mood app.mood, label app.label CHECK (app.checked(label, 'check')),
        filled text DEFAULT app.computed('x', 'default'), made text GENERATED ALWAYS AS (app.computed(label, 'generated')) STORED);
    CREATE INDEX ON app.things (app.computed(label, 'index'));
    CREATE STATISTICS app.counted ON app.computed(label, 'statistics'), mood FROM app.things;
    CREATE TRIGGER trigger BEFORE INSERT OR UPDATE ON app.things FOR EACH ROW EXECUTE FUNCTION app.fired();
    CREATE RULE noted AS ON UPDATE TO app.things DO ALSO SELECT app.run('rule');
    ALTER TABLE app.things ENABLE ROW LEVEL SECURITY;
    CREATE POLICY policy ON app.things USING (app.checked(label, 'policy'));
    CREATE TABLE app.moods (id app.mood PRIMARY KEY, label text);
    INSERT INTO app.things VALUES ('1', 'warm', 'a');
    RESET SESSION AUTHORIZATION;
    SELECT feed.attach('app.things'), feed.attach('app.moods');
    SET SESSION AUTHORIZATION {owner};
    INSERT INTO app.things VALUES ('2', 'warm', 'a');
    INSERT INTO app.moods VALUES ('warm', 'a'), ('cold', 'b');
    ALTER TABLE app.things DISABLE TRIGGER ALL;
    INSERT INTO app.things VALUES ('3', 'warm', 'a');
    ALTER TABLE app.things ENABLE TRIGGER ALL;
    RESET SESSION AUTHORIZATION;
"""
OPERATIONS: tuple[LiteralString, ...] = (
    "SELECT * FROM feed.verify_log('app.things')",
    "SELECT * FROM feed.verify_rows('app.things', '3')",
    "SELECT * FROM feed.verify_rows('app.things', '3', '{1}', 1)",
    "SELECT * FROM feed.verify_log('app.moods')",
    "SELECT * FROM feed.verify_rows('app.moods', '3', '{cold}', 1)",
    "SELECT feed.repair('app.things', '{1,2,3}')",
    "SELECT feed.repair('app.moods', '{warm,cold}')",
    'SELECT feed.normalize_image(\'app.things\', \'{"id": "1", "label": "b"}\')',
    "SELECT * FROM feed.health",
    "SELECT * FROM feed.attached_tables",
    "SELECT feed.attach('app.things', board => 'label')",
    "SELECT feed.mend()",
    "SELECT feed.maintain()",
    "SELECT feed.detach('app.things')",
)


@pytest.fixture
async def owner(db: Connection, database: Database) -> AsyncIterator[str]:
    """A role with code of its own in schema app, and no privileges elsewhere."""
    name = f"{database.name}_owner"
    await db.execute(SQL("CREATE ROLE {}").format(Identifier(name)))
    await db.execute(SQL(CODE).format(owner=Identifier(name)))
    await db.execute("RESET SESSION AUTHORIZATION")
    yield name
    await db.execute("RESET SESSION AUTHORIZATION")
    await db.execute(SQL("DROP OWNED BY {} CASCADE").format(Identifier(name)))
    await db.execute(SQL("DROP ROLE {}").format(Identifier(name)))


async def test_a_superuser_runs_no_code_of_an_attached_tables_owner(db: Connection, owner: str) -> None:
    await db.execute(SQL(THINGS).format(owner=Identifier(owner)))
    ran: list[str | None] = []
    db.add_notice_handler(lambda notice: ran.append(notice.message_primary))
    for operation in OPERATIONS:
        await db.execute(operation)
    assert {each for each in ran if each} == {"ran cast to json: feed_sandbox", "ran domain: feed_sandbox"}


BOARD = """
    RESET SESSION AUTHORIZATION;
    GRANT CREATE ON SCHEMA public TO {owner};
    SET SESSION AUTHORIZATION {owner};
    CREATE TABLE public.opportunities (
        id app.label PRIMARY KEY, board_id app.mood, phase app.mood, title app.label CHECK (app.checked(title, 'check')),
        made text GENERATED ALWAYS AS (app.computed(title, 'generated')) STORED);
    CREATE INDEX ON public.opportunities (app.computed(title, 'index'));
    CREATE TRIGGER trigger BEFORE UPDATE ON public.opportunities FOR EACH ROW EXECUTE FUNCTION app.fired();
    CREATE CONSTRAINT TRIGGER deferred AFTER UPDATE ON public.opportunities DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION app.fired();
    CREATE TABLE app.people (id text PRIMARY KEY);
    CREATE VIEW public.users AS SELECT app.computed(id, 'view') AS id, 'Ana' AS name FROM app.people;
    INSERT INTO app.people VALUES ('ana');
    INSERT INTO public.opportunities (id, board_id, phase, title) VALUES ('o1', 'warm', 'cold', 'A'), ('o2', 'warm', 'cold', 'B');
    RESET SESSION AUTHORIZATION;
"""
READS: tuple[LiteralString, ...] = (
    "SELECT * FROM feed.opportunities_on('{warm}')",
    "SELECT * FROM feed.opportunities_of('{o1}')",
    "SELECT * FROM feed.opportunities_page('{warm}', 'o0', 5)",
    "SELECT * FROM feed.user_names('{ana}')",
    "SELECT * FROM feed.checkpoint('warm')",
    "SELECT * FROM feed.verify_log('public.opportunities')",
    "SELECT * FROM feed.verify_rows('public.opportunities', '3')",
)


def test_a_superuser_who_migrates_runs_code_of_the_owner_with_the_owners_rights(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: set[str] = set()

    def connect(*args: object, **options: object) -> psycopg.Connection:
        conn = psycopg.Connection.connect(*args, **options)  # type: ignore[arg-type]
        conn.add_notice_handler(lambda notice: ran.add(str(notice.message_primary)))
        return conn

    monkeypatch.setattr(psycopg, "connect", connect)
    name = f"{empty_database.name}_owner"
    with connect(empty_database.url, autocommit=True) as conn:
        conn.execute(SQL("CREATE ROLE {}").format(Identifier(name)))
        try:
            conn.execute(SQL(CODE + BOARD).format(owner=Identifier(name)))
            ran.clear()
            migrate.upgrade(empty_database.url)
            assert conn.execute("SELECT board_id, user_id FROM feed.board_members").fetchall() == [("warm", "ana")]
            conn.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(name)))
            conn.execute("UPDATE opportunities SET position = 'b1'")
            conn.execute("ALTER TABLE opportunities DROP COLUMN position")
            conn.execute("RESET SESSION AUTHORIZATION")
            assert migrate.mend(empty_database.url)[-1] == "restored position in 2 rows from the log"
            for read in READS:
                conn.execute(read)
        finally:
            conn.execute(SQL("DROP OWNED BY {} CASCADE").format(Identifier(name)))
            conn.execute(SQL("DROP ROLE {}").format(Identifier(name)))
    found = {each.removeprefix("ran ") for each in ran if each.startswith("ran ")}
    code = {each.partition(":")[0] for each in found}
    assert code == {"cast to json", "check", "deferred", "domain", "generated", "trigger", "view"}
    assert {each.partition(": ")[2] for each in found} == {name, "feed_sandbox"}


async def test_postponed_code_does_not_run_with_the_rights_of_whoever_migrates(db: Connection, owner: str) -> None:
    """A deferred trigger and a cursor that is kept would run at the commit."""
    await db.execute(
        SQL("""
        SET SESSION AUTHORIZATION {};
        CREATE TABLE app.rows (id text);
        CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON app.rows DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION app.fired();
        CREATE FUNCTION app.postpone() RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO app.rows VALUES ('1');
            EXECUTE 'DECLARE kept CURSOR WITH HOLD FOR SELECT app.run(''cursor'')';
            PERFORM set_config('search_path', 'app', false);
            RETURN 'x';
        END $$;
        RESET SESSION AUTHORIZATION;
        """).format(Identifier(owner))
    )
    ran: list[str | None] = []
    db.add_notice_handler(lambda notice: ran.append(notice.message_primary))
    run = "SELECT feed.run_as_owner('app.rows', 'SELECT ARRAY[app.postpone()]') AS found"
    async with db.transaction():
        before = await value(db, "SELECT current_setting('search_path')")
        assert (await rows(db, run))[0]["found"] == ["x"]
        assert await value(db, "SELECT current_setting('search_path')") == before
    assert ran == [f"ran deferred: {owner}"]


# What a role without privileges may try by itself, with the SQLSTATE that it gets. {owner}: its name.
ATTACKS: dict[LiteralString, str] = {
    # As another role
    "SET ROLE feed_owner": "42501",
    "SET ROLE feed_sandbox": "42501",
    "SET session_replication_role = replica": "42501",
    # By way of boardcast's functions
    "SELECT feed.run_as_owner('app.things', 'SELECT NULL')": "42501",
    "SELECT feed.value_image('x'::text)": "42501",
    "CREATE TRIGGER forged AFTER INSERT ON app.things REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT "
    "EXECUTE FUNCTION feed.capture('opportunities', '', 'id')": "42501",
    "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION app.fired()": "42501",
    "CREATE VIEW app.seen AS SELECT * FROM feed.log": "42501",
    "CREATE RULE mine AS ON INSERT TO feed.log DO INSTEAD NOTHING": "42501",
    "CREATE POLICY mine ON feed.log USING (false)": "42501",
    "ALTER TABLE feed.log ENABLE ROW LEVEL SECURITY": "42501",
    "CREATE INDEX ON feed.log (app.computed(actor, 'x'))": "42501",
    "CREATE STATISTICS app.mine ON actor, origin FROM feed.log": "42501",
    "CREATE TABLE app.mine () INHERITS (feed.log_1)": "42501",
    "CREATE TABLE app.mine PARTITION OF feed.log FOR VALUES FROM (9) TO (10)": "42501",
    "CREATE TABLE app.mine (board_id text REFERENCES feed.boards)": "42501",
    "CREATE PUBLICATION mine FOR TABLE feed.log WHERE (app.run('x'))": "42501",
    "CREATE OPERATOR pg_catalog.= (LEFTARG = app.mood, RIGHTARG = app.mood, FUNCTION = pg_catalog.enum_eq)": "42501",
    "CREATE CAST (text AS json) WITH INOUT": "42501",
    "CREATE FUNCTION feed.mine() RETURNS integer LANGUAGE sql RETURN 1": "42501",
    "CREATE OR REPLACE FUNCTION feed.row_image(record) RETURNS jsonb LANGUAGE sql RETURN NULL": "42501",
    "SECURITY LABEL ON TABLE feed.log IS 'x'": "22023",
    "COMMENT ON TABLE feed.log IS 'x'": "42501",
    "IMPORT FOREIGN SCHEMA feed FROM SERVER mine INTO app": "42704",
    # To silence the feed
    "SELECT setval('feed.notify_suppressed_until', 9007199254740991)": "42501",
    "SELECT setval('feed.log_seq', 9223372036854775807)": "42501",
    "SELECT setval('feed.partition_number', 9223372036854775807)": "42501",
    "SELECT feed.set_notify(false)": "42501",
    "SELECT feed.set_capture(false)": "42501",
    "SELECT feed.suppress_notify(1000)": "42501",
    "UPDATE feed.pacer SET until = 'infinity'": "42501",
    "DELETE FROM feed.flags": "42501",
    "LOCK TABLE feed.pacer": "42501",
    "LOCK TABLE feed.log IN ACCESS SHARE MODE": "42501",
    "TRUNCATE feed.instances": "42501",
    "ALTER FUNCTION feed.capture() SET log_statement = 'none'": "42501",
    "GRANT USAGE ON SCHEMA feed TO PUBLIC": "42501",
    "ALTER DEFAULT PRIVILEGES FOR ROLE feed_owner GRANT SELECT ON TABLES TO PUBLIC": "42501",
    "REASSIGN OWNED BY feed_sandbox TO CURRENT_USER": "42501",
    "DROP OWNED BY feed_sandbox": "42501",
}


async def test_what_a_role_without_privileges_may_try(db: Connection, owner: str) -> None:
    await db.execute(SQL(THINGS).format(owner=Identifier(owner)))
    await db.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(owner)))
    found = {attack: await sqlstate_of(db, attack) for attack in ATTACKS}
    assert found == ATTACKS


@pytest.mark.parametrize("name", ["feed.board_members", "feed.flags", "feed.boards", "opportunities"])
async def test_an_attached_table_cannot_take_a_name_that_the_services_trust(
    db: Connection, owner: str, name: str
) -> None:
    """Its rows would be taken for memberships, for example."""
    await db.execute(SQL("GRANT CREATE ON SCHEMA public TO {}").format(Identifier(owner)))
    await db.execute("ALTER TABLE opportunities RENAME TO cards")
    await db.execute(
        SQL("CREATE TABLE app.forged (id text PRIMARY KEY); ALTER TABLE app.forged OWNER TO {}").format(
            Identifier(owner)
        )
    )
    await db.execute("SELECT feed.attach('app.forged')")
    await db.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(owner)))
    await db.execute(SQL("ALTER TABLE app.forged RENAME TO {}").format(Identifier(name)))
    await db.execute(SQL("ALTER TABLE app.{} SET SCHEMA public").format(Identifier(name)))
    await db.execute(SQL("INSERT INTO public.{} VALUES ('x')").format(Identifier(name)))
    await db.execute("RESET SESSION AUTHORIZATION")
    relation = f"public.{name}"
    assert await value(db, "SELECT relation FROM feed.log ORDER BY seq DESC LIMIT 1") == relation
    assert await value(db, "SELECT feed.relation_name(%s::regclass)", (f'public."{name}"',)) == relation


async def test_a_writer_cannot_make_the_services_read_a_huge_actor_or_origin(db: Connection) -> None:
    for setting in ("feed.actor", "feed.origin", "feed.traceparent"):
        await db.execute("SELECT set_config(%s, repeat('x', 20000000), false)", (setting,))
    await db.execute("UPDATE opportunities SET title = 'B'")
    await db.execute(sqlfiles.sql("queries/changes_since_prefetch"))
    found = (await rows(db, "EXECUTE changes_since('3', '{}', 1000)"))[-1]
    assert (found["op"], len(found["actor"]), len(found["origin"]), found["traceparent"]) == ("update", 200, 200, None)


SETTINGS = ("feed.open", "feed.unsafe", "feed.actor", "feed.origin", "feed.traceparent", "feed.parents")


@pytest.mark.parametrize("setting", SETTINGS)
async def test_settings_of_a_writer_stop_no_change_from_being_logged(db: Connection, setting: str) -> None:
    for text in ("|", "|0U:0|1I:9", "on", "x" * 100, "{1,2}", "|" * 50):
        before = await newest_seq(db)
        async with db.transaction():
            await db.execute("SELECT set_config(%s, %s, true)", (setting, text))
            try:
                async with db.transaction():
                    await db.execute("UPDATE opportunities SET notes = %s", (text + setting,))
            except psycopg.errors.InvalidTextRepresentation:
                assert setting == "feed.parents"  # then nothing is written either
                continue
        assert [row["op"] for row in await rows(db, "SELECT op FROM feed.log WHERE seq > %s", (before,))] == [
            "update"
        ], text
