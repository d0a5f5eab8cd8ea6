"""What the feed cannot be put on is refused with the reason, by a SQLSTATE, a message and a hint; and the table stays as it was."""

from typing import LiteralString, NamedTuple

import pytest
from psycopg import errors

from tests.db.support import Connection, mark, rows, told, value

TABLE = "CREATE TABLE t (a int PRIMARY KEY, b text, c text)"
PARTITIONED = """
    CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)
"""


class Mistake(NamedTuple):
    """`hint` is what its hint must hold; None: PostgreSQL says it itself, without one."""

    made: LiteralString
    statement: LiteralString
    state: str
    message: str
    hint: str | None


MISTAKES = {
    "a view": Mistake(
        f"{TABLE}; CREATE VIEW v AS TABLE t",
        "SELECT feed.attach('v')",
        "42809",
        "public.v is a view, not a table",
        "reads",
    ),
    "a materialized view": Mistake(
        f"{TABLE}; CREATE MATERIALIZED VIEW v AS TABLE t",
        "SELECT feed.attach('v')",
        "42809",
        "public.v is a materialized view, not a table",
        "reads",
    ),
    "a foreign table": Mistake(
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (a int) SERVER s",
        "SELECT feed.attach('f')",
        "42809",
        "public.f is a foreign table, not a table",
        "another database",
    ),
    "a sequence": Mistake(
        "CREATE SEQUENCE s", "SELECT feed.attach('s')", "42809", "public.s is a sequence, not a table", "Name a table"
    ),
    "a catalogue": Mistake(
        "SELECT",
        "SELECT feed.attach('pg_class')",
        "42809",
        "pg_class is a system catalog and cannot be attached",
        None,
    ),
    "a temporary table": Mistake(
        "CREATE TEMP TABLE t (a int PRIMARY KEY)",
        "SELECT feed.attach('t')",
        "42809",
        "table t is temporary: no other session can read its rows",
        None,
    ),
    "an unlogged table": Mistake(
        "CREATE UNLOGGED TABLE t (a int PRIMARY KEY)",
        "SELECT feed.attach('t')",
        "42809",
        "table public.t is unlogged: a crash would empty it without a change in the log",
        "SET LOGGED",
    ),
    "a partition": Mistake(
        PARTITIONED,
        "SELECT feed.attach('p1')",
        "42P16",
        "table public.p1 is a partition: writes to public.p do not fire its triggers",
        "feed.attach('public.p')",
    ),
    "a partition of a fed table": Mistake(
        f"{PARTITIONED}; SELECT feed.attach('p')",
        "SELECT feed.attach('p1')",
        "42P16",
        "table public.p1 is a partition: writes to public.p do not fire its triggers",
        "feed.attach('public.p')",
    ),
    "one with children": Mistake(
        f"{TABLE}; CREATE TABLE child (d int) INHERITS (t)",
        "SELECT feed.attach('t')",
        "42P16",
        "table public.t is an inheritance parent: its rows are written through two tables",
        "PARTITION BY",
    ),
    "a child": Mistake(
        f"{TABLE}; CREATE TABLE child (PRIMARY KEY (a)) INHERITS (t)",
        "SELECT feed.attach('child')",
        "42P16",
        "table public.child is a child of public.t",
        "PARTITION BY",
    ),
    "the log": Mistake(
        "SELECT",
        "SELECT feed.attach('feed.log')",
        "42P16",
        "feed.log belongs to the feed itself and cannot be attached",
        None,
    ),
    "a partition of the log": Mistake(
        "SELECT",
        "SELECT feed.attach('feed.log_1')",
        "42P16",
        "feed.log_1 belongs to the feed itself and cannot be attached",
        None,
    ),
    "another of the feed": Mistake(
        "SELECT",
        "SELECT feed.attach('feed.identity')",
        "42P16",
        "feed.identity belongs to the feed itself and cannot be attached",
        None,
    ),
    "somebody else's": Mistake(
        f"{TABLE}; CREATE ROLE carla_of_t; GRANT ALL ON t TO carla_of_t; GRANT USAGE ON SCHEMA feed TO carla_of_t;"
        " GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA feed TO carla_of_t; SET ROLE carla_of_t",
        "SELECT feed.attach('public.t')",
        "42501",
        "table public.t is owned by",
        "TO carla_of_t",
    ),
    "no such table": Mistake("SELECT", "SELECT feed.attach('t')", "42P01", 'relation "t" does not exist', None),
    "no table": Mistake("SELECT", "SELECT feed.attach(NULL)", "42P01", "no table given", None),
    "no such key": Mistake(
        TABLE, "SELECT feed.attach('t', key => 'B')", "42703", 'table public.t has no column "B"', "a, b, c"
    ),
    "no such board": Mistake(
        TABLE, "SELECT feed.attach('t', board => 'x')", "42703", "table public.t has no column x", "a, b, c"
    ),
    "a system column": Mistake(
        TABLE, "SELECT feed.attach('t', key => 'ctid')", "42703", "table public.t has no column ctid", "a, b, c"
    ),
    "a column that is gone": Mistake(
        f"{TABLE}; ALTER TABLE t DROP COLUMN b",
        "SELECT feed.attach('t', board => 'b')",
        "42703",
        "table public.t has no column b",
        "a, c",
    ),
    "no primary key": Mistake(
        "CREATE TABLE t (a int)",
        "SELECT feed.attach('t')",
        "42P16",
        "table public.t has no primary key, so its rows cannot be identified",
        "name a unique column",
    ),
    "an empty key": Mistake(
        TABLE,
        "SELECT feed.attach('t', key => '')",
        "42P16",
        "no key columns given for table public.t",
        "primary key",
    ),
    "a key that may be null": Mistake(
        "CREATE TABLE t (a int UNIQUE)",
        "SELECT feed.attach('t', key => 'a')",
        "42P16",
        "key (a) of table public.t does not identify every row: a may be null",
        "SET NOT NULL",
    ),
    "a key that is not unique": Mistake(
        "CREATE TABLE t (a int NOT NULL); CREATE INDEX ON t (a)",
        "SELECT feed.attach('t', key => 'a')",
        "42P16",
        "key (a) of table public.t is not unique",
        "for all rows",
    ),
    "a part of a key": Mistake(
        "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b))",
        "SELECT feed.attach('t', key => 'a')",
        "42P16",
        "key (a) of table public.t is not unique",
        "on exactly these columns",
    ),
    "a key that is unique for some": Mistake(
        "CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX ON t (a) WHERE a > 0",
        "SELECT feed.attach('t', key => 'a')",
        "42P16",
        "its index covers only some rows",
        "for all rows",
    ),
    "an expression that is unique": Mistake(
        "CREATE TABLE t (a text NOT NULL); CREATE UNIQUE INDEX ON t (lower(a))",
        "SELECT feed.attach('t', key => 'a')",
        "42P16",
        "key (a) of table public.t is not unique",
        "on exactly these columns",
    ),
    "a key that is checked late": Mistake(
        "CREATE TABLE t (a int PRIMARY KEY DEFERRABLE)",
        "SELECT feed.attach('t')",
        "42P16",
        "is deferrable",
        "not deferrable",
    ),
    "a key that is generated": Mistake(
        "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) STORED PRIMARY KEY)",
        "SELECT feed.attach('t')",
        "42P16",
        "b is generated",
        "that is not generated",
    ),
    "a version that is no number": Mistake(
        "CREATE TABLE t (a int PRIMARY KEY, version_number text)",
        "SELECT feed.attach('t')",
        "42804",
        "column version_number of table public.t is of type text, but the log needs a number",
        "integer",
    ),
    "to leave out what there is not": Mistake(
        TABLE, """SELECT feed.attach('t', exclude => '{x}')""", "42703", "table public.t has no column x", "a, b, c"
    ),
    "to leave out the key": Mistake(
        TABLE,
        """SELECT feed.attach('t', exclude => '{a}')""",
        "22023",
        "column a of table public.t cannot be excluded",
        "key",
    ),
    "to leave out the board": Mistake(
        TABLE, """SELECT feed.attach('t', board => 'b', exclude => '{c,b}')""", "22023", "column b of table", "board"
    ),
    "to leave out the version": Mistake(
        "CREATE TABLE t (a int PRIMARY KEY, version_number int)",
        """SELECT feed.attach('t', exclude => '{version_number}')""",
        "22023",
        "column version_number of table",
        "version_number",
    ),
    "to leave out what boards are made of": Mistake(
        "SELECT",
        """SELECT feed.attach('opportunities', 'id', 'board_id', '{notes}')""",
        "22023",
        "columns of table public.opportunities cannot be excluded",
        None,
    ),
    "to take off what is not on": Mistake(
        TABLE, "SELECT feed.detach('t')", "55000", "table public.t is not attached", "feed.triggers"
    ),
    "to take off what another owns": Mistake(
        f"{TABLE}; SELECT feed.attach('t'); CREATE ROLE carla_of_t; GRANT USAGE ON SCHEMA feed TO carla_of_t;"
        " GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA feed TO carla_of_t; GRANT SELECT ON ALL TABLES IN SCHEMA feed TO carla_of_t;"
        " SET ROLE carla_of_t",
        "SELECT feed.detach('public.t')",
        "42501",
        "must be owner of relation t",
        None,
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
async def test_what_cannot_be_fed_is_said(db: Connection, name: str) -> None:
    mistake = MISTAKES[name]
    async with db.transaction(force_rollback=True):
        await db.execute(mistake.made)
        triggers = await value(db, "SELECT count(*) FROM pg_trigger")
        with pytest.raises(errors.Error) as raised:
            async with db.transaction():
                await db.execute(mistake.statement)
        said = raised.value.diag
        assert said.sqlstate == mistake.state, said.message_primary
        assert mistake.message in (said.message_primary or "")
        assert mistake.hint is None or mistake.hint in (said.message_hint or "")
        assert await value(db, "SELECT count(*) FROM pg_trigger") == triggers


async def test_a_mistake_leaves_a_fed_table_fed(db: Connection) -> None:
    with pytest.raises(errors.UndefinedColumn):
        await db.execute("SELECT feed.attach('opportunities', board => 'nowhere')")
    before = await mark(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    assert await told(db, before) == [("update", "o1", "b1")]


RENAMED: dict[str, LiteralString] = {
    "the key": "ALTER TABLE t RENAME a TO key",
    "a key of two": "ALTER TABLE t RENAME c TO d",
    "the board": "ALTER TABLE t RENAME b TO board",
    "the board, dropped": "ALTER TABLE t DROP b",
    "what is left out": "ALTER TABLE t RENAME secret TO password",
}


@pytest.mark.parametrize("name", RENAMED)
async def test_a_column_that_is_renamed_later_fails_the_writes_until_it_is_said(db: Connection, name: str) -> None:
    """Nothing is logged under a wrong name: health says so, the error says what to do, and then it goes on."""
    await db.execute(
        "CREATE TABLE t (a int, b text, c int, secret text, x int DEFAULT 0, PRIMARY KEY (a, c), UNIQUE (a))"
    )
    keys = "a,c" if name == "a key of two" else "a"
    await db.execute("SELECT feed.attach('t', %s, 'b', '{secret}')", (keys,))
    await db.execute("INSERT INTO t VALUES (1, 'b1', 1, 's'), (2, 'b1', 1, 's')")
    before = await mark(db)
    await db.execute(RENAMED[name])
    writes: tuple[LiteralString, ...] = (
        'INSERT INTO t SELECT (jsonb_populate_record(t.*, to_jsonb(t.*) || \'{"a": 3, "key": 3}\')).* FROM t LIMIT 1',
        "UPDATE t SET x = x + 1",
        "UPDATE t SET x = x + 1 WHERE ctid = (SELECT min(ctid) FROM t)",
        "DELETE FROM t",
    )
    for write in writes:
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="which no longer exists") as raised:
            await db.execute(write)
        assert "feed.attach" in (raised.value.diag.message_hint or "")
    assert await told(db, before) == []
    assert {
        row["state"]
        for row in await rows(db, "SELECT state FROM feed.triggers WHERE relation = 't'::regclass AND key <> '{}'")
    } == {"stale"}
    health = await rows(db, "SELECT status, found FROM feed.health WHERE topic = 'triggers'")
    assert health[0]["status"] == "bad"
    assert "on t is stale" in health[0]["found"]
    await db.execute("SELECT feed.attach('t')")
    await db.execute("UPDATE t SET x = 5")
    assert [op for op, _, _ in await told(db, before)] == ["update", "update"]


async def test_a_single_key_and_board_that_are_renamed(db: Connection) -> None:
    """The shorter way of a single row must not miss it either."""
    await db.execute("CREATE TABLE t (a int PRIMARY KEY, b text, x int)")
    await db.execute("SELECT feed.attach('t', board => 'b')")
    await db.execute("INSERT INTO t VALUES (1, 'b1', 0)")
    for rename, back in (
        ("ALTER TABLE t RENAME a TO z", "ALTER TABLE t RENAME z TO a"),
        ("ALTER TABLE t RENAME b TO z", "ALTER TABLE t RENAME z TO b"),
    ):
        await db.execute(rename)
        with pytest.raises(errors.ObjectNotInPrerequisiteState):
            await db.execute("UPDATE t SET x = x + 1")
        await db.execute(back)
    before = await mark(db)
    await db.execute("UPDATE t SET x = x + 1")
    assert await told(db, before) == [("update", "1", "b1")]
