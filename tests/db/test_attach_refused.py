"""feed.attach and feed.detach refuse with a SQLSTATE, a message and a hint, and leave the table unchanged."""

from typing import LiteralString, NamedTuple

import pytest
from psycopg import errors

from tests.db.support import Connection, logged_changes, newest_seq, value

TABLE = "CREATE TABLE t (a int PRIMARY KEY, b text, c text)"
PARTITIONED = """
    CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)
"""


class Refusal(NamedTuple):
    """`hint` must be part of the error's hint; None if PostgreSQL itself raises the error, without a hint."""

    setup: LiteralString
    statement: LiteralString
    state: str
    message: str
    hint: str | None


REFUSALS = {
    "a view": Refusal(
        f"{TABLE}; CREATE VIEW v AS TABLE t",
        "SELECT feed.attach('v')",
        "42809",
        "public.v is a view, not a table",
        "reads",
    ),
    "a materialized view": Refusal(
        f"{TABLE}; CREATE MATERIALIZED VIEW v AS TABLE t",
        "SELECT feed.attach('v')",
        "42809",
        "public.v is a materialized view, not a table",
        "reads",
    ),
    "a foreign table": Refusal(
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (a int) SERVER s",
        "SELECT feed.attach('f')",
        "42809",
        "public.f is a foreign table, not a table",
        "another database",
    ),
    "a sequence": Refusal(
        "CREATE SEQUENCE s", "SELECT feed.attach('s')", "42809", "public.s is a sequence, not a table", "Name a table"
    ),
    "a catalog": Refusal(
        "SELECT",
        "SELECT feed.attach('pg_class')",
        "42809",
        "pg_class is a system catalog and cannot be attached",
        None,
    ),
    "a temporary table": Refusal(
        "CREATE TEMP TABLE t (a int PRIMARY KEY)",
        "SELECT feed.attach('t')",
        "42809",
        "table t is temporary: no other session can read its rows",
        None,
    ),
    "an unlogged table": Refusal(
        "CREATE UNLOGGED TABLE t (a int PRIMARY KEY)",
        "SELECT feed.attach('t')",
        "42809",
        "table public.t is unlogged: a crash would empty it without a change in the log",
        "SET LOGGED",
    ),
    "a partition": Refusal(
        PARTITIONED,
        "SELECT feed.attach('p1')",
        "42P16",
        "table public.p1 is a partition: writes to public.p do not fire its triggers",
        "feed.attach('public.p')",
    ),
    "a partition of an attached table": Refusal(
        f"{PARTITIONED}; SELECT feed.attach('p')",
        "SELECT feed.attach('p1')",
        "42P16",
        "table public.p1 is a partition: writes to public.p do not fire its triggers",
        "feed.attach('public.p')",
    ),
    "an inheritance parent": Refusal(
        f"{TABLE}; CREATE TABLE child (d int) INHERITS (t)",
        "SELECT feed.attach('t')",
        "42P16",
        "table public.t is an inheritance parent: its rows are written through two tables",
        "PARTITION BY",
    ),
    "an inheritance child": Refusal(
        f"{TABLE}; CREATE TABLE child (PRIMARY KEY (a)) INHERITS (t)",
        "SELECT feed.attach('child')",
        "42P16",
        "table public.child is a child of public.t",
        "PARTITION BY",
    ),
    "the log": Refusal(
        "SELECT",
        "SELECT feed.attach('feed.log')",
        "42P16",
        "feed.log belongs to the feed itself and cannot be attached",
        None,
    ),
    "a partition of the log": Refusal(
        "SELECT",
        "SELECT feed.attach('feed.log_1')",
        "42P16",
        "feed.log_1 belongs to the feed itself and cannot be attached",
        None,
    ),
    "another table of the feed": Refusal(
        "SELECT",
        "SELECT feed.attach('feed.identity')",
        "42P16",
        "feed.identity belongs to the feed itself and cannot be attached",
        None,
    ),
    "a table of another owner": Refusal(
        f"{TABLE}; CREATE ROLE carla_of_t; GRANT ALL ON t TO carla_of_t; GRANT USAGE ON SCHEMA feed TO carla_of_t;"
        " GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA feed TO carla_of_t; SET ROLE carla_of_t",
        "SELECT feed.attach('public.t')",
        "42501",
        "table public.t is owned by",
        "TO carla_of_t",
    ),
    "no such table": Refusal("SELECT", "SELECT feed.attach('t')", "42P01", 'relation "t" does not exist', None),
    "no table": Refusal("SELECT", "SELECT feed.attach(NULL)", "42P01", "no table given", None),
    "unknown key column": Refusal(
        TABLE, "SELECT feed.attach('t', key => 'B')", "42703", 'table public.t has no column "B"', "a, b, c"
    ),
    "unknown board column": Refusal(
        TABLE, "SELECT feed.attach('t', board => 'x')", "42703", "table public.t has no column x", "a, b, c"
    ),
    "a system column": Refusal(
        TABLE, "SELECT feed.attach('t', key => 'ctid')", "42703", "table public.t has no column ctid", "a, b, c"
    ),
    "a dropped column": Refusal(
        f"{TABLE}; ALTER TABLE t DROP COLUMN b",
        "SELECT feed.attach('t', board => 'b')",
        "42703",
        "table public.t has no column b",
        "a, c",
    ),
    "no primary key": Refusal(
        "CREATE TABLE t (a int)",
        "SELECT feed.attach('t')",
        "42P16",
        "table public.t has no primary key, so its rows cannot be identified",
        "name a unique column",
    ),
    "an empty key": Refusal(
        TABLE,
        "SELECT feed.attach('t', key => '')",
        "42P16",
        "no key columns given for table public.t",
        "primary key",
    ),
    "a nullable key": Refusal(
        "CREATE TABLE t (a int UNIQUE)",
        "SELECT feed.attach('t', key => 'a')",
        "42P16",
        "key (a) of table public.t does not identify every row: a may be null",
        "SET NOT NULL",
    ),
    "a key without a unique index": Refusal(
        "CREATE TABLE t (a int NOT NULL); CREATE INDEX ON t (a)",
        "SELECT feed.attach('t', key => 'a')",
        "42P16",
        "key (a) of table public.t is not unique",
        "for all rows",
    ),
    "part of a unique key": Refusal(
        "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b))",
        "SELECT feed.attach('t', key => 'a')",
        "42P16",
        "key (a) of table public.t is not unique",
        "on exactly these columns",
    ),
    "a partial unique index": Refusal(
        "CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX ON t (a) WHERE a > 0",
        "SELECT feed.attach('t', key => 'a')",
        "42P16",
        "its index covers only some rows",
        "for all rows",
    ),
    "a unique expression": Refusal(
        "CREATE TABLE t (a text NOT NULL); CREATE UNIQUE INDEX ON t (lower(a))",
        "SELECT feed.attach('t', key => 'a')",
        "42P16",
        "key (a) of table public.t is not unique",
        "on exactly these columns",
    ),
    "a deferrable key": Refusal(
        "CREATE TABLE t (a int PRIMARY KEY DEFERRABLE)",
        "SELECT feed.attach('t')",
        "42P16",
        "is deferrable",
        "not deferrable",
    ),
    "a generated key": Refusal(
        "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) STORED PRIMARY KEY)",
        "SELECT feed.attach('t')",
        "42P16",
        "b is generated",
        "that is not generated",
    ),
    "excluding an unknown column": Refusal(
        TABLE, """SELECT feed.attach('t', exclude => '{x}')""", "42703", "table public.t has no column x", "a, b, c"
    ),
    "excluding the key": Refusal(
        TABLE,
        """SELECT feed.attach('t', exclude => '{a}')""",
        "22023",
        "column a of table public.t cannot be excluded",
        "key",
    ),
    "excluding the board": Refusal(
        TABLE, """SELECT feed.attach('t', board => 'b', exclude => '{c,b}')""", "22023", "column b of table", "board"
    ),
    "excluding the version": Refusal(
        "CREATE TABLE t (a int PRIMARY KEY, version_number int)",
        """SELECT feed.attach('t', exclude => '{version_number}')""",
        "22023",
        "column version_number of table",
        "version_number",
    ),
    "excluding a column of opportunities": Refusal(
        "SELECT",
        """SELECT feed.attach('opportunities', 'id', 'board_id', '{notes}')""",
        "22023",
        "columns of table public.opportunities cannot be excluded",
        None,
    ),
    "detaching a table that is not attached": Refusal(
        TABLE, "SELECT feed.detach('t')", "55000", "table public.t is not attached", "feed.attached_tables"
    ),
    "detaching a table of another owner": Refusal(
        f"{TABLE}; SELECT feed.attach('t'); CREATE ROLE carla_of_t; GRANT USAGE ON SCHEMA feed TO carla_of_t;"
        " GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA feed TO carla_of_t; GRANT SELECT ON ALL TABLES IN SCHEMA feed TO carla_of_t;"
        " SET ROLE carla_of_t",
        "SELECT feed.detach('public.t')",
        "42501",
        "must be owner of relation t",
        None,
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_attach_and_detach_explain_each_refusal(unchanged_db: Connection, name: str) -> None:
    db, refusal = unchanged_db, REFUSALS[name]
    async with db.transaction(force_rollback=True):
        await db.execute(refusal.setup)
        triggers = await value(db, "SELECT count(*) FROM pg_trigger")
        with pytest.raises(errors.Error) as raised:
            async with db.transaction():
                await db.execute(refusal.statement)
        diag = raised.value.diag
        assert diag.sqlstate == refusal.state, diag.message_primary
        assert refusal.message in (diag.message_primary or "")
        assert refusal.hint is None or refusal.hint in (diag.message_hint or "")
        assert await value(db, "SELECT count(*) FROM pg_trigger") == triggers


async def test_a_failed_attach_keeps_the_table_attached(db: Connection) -> None:
    with pytest.raises(errors.UndefinedColumn):
        await db.execute("SELECT feed.attach('opportunities', board => 'nowhere')")
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    assert await logged_changes(db, before) == [("update", "o1", "b1")]
