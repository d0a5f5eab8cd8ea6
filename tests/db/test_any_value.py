"""A write that is valid without boardcast is valid with it, whatever its values, and the log has what was written."""

from decimal import Decimal
from typing import Any, LiteralString

import pytest
from psycopg.sql import SQL, Identifier

from tests.db.support import Connection, log_rows, newest_seq, rows, value
from tests.db.verifying import Plain, find_drift

BACKSLASH_NULL = r"""'{"a": "\u0000"}'"""

# Columns and values that jsonb refuses, and what the log has instead.
REFUSED: dict[str, tuple[LiteralString, LiteralString, LiteralString]] = {
    "a zero character": ("json", r"""'{"a": "\u0000"}'""", r"""{"$text": "{\"a\": \"\\u0000\"}"}"""),
    "half a surrogate pair": ("json", r"""'["\ud800"]'""", r"""{"$text": "[\"\\ud800\"]"}"""),
    "two high surrogates": ("json", r"""'["\ud800\ud800"]'""", r"""{"$text": "[\"\\ud800\\ud800\"]"}"""),
    "a key with a zero character": ("json", r"""'{"\u0000": 1}'""", r"""{"$text": "{\"\\u0000\": 1}"}"""),
    "a number out of range": ("json", "'[1e999999]'", '{"$text": "[1e999999]"}'),
    "an array of json": (
        "json[]",
        r"""ARRAY['"\u0000"', '1']::json[]""",
        r"""{"$text": "{\"\\\"\\\\u0000\\\"\",1}"}""",
    ),
    "a composite type": ("pair", r"""ROW(1, '"\u0000"')::pair""", r"""{"$text": "(1,\"\"\"\\\\u0000\"\"\")"}"""),
    "a domain over json": ("document", r"""'"\u0000"'""", r"""{"$text": "\"\\u0000\""}"""),
    "a cast that fails": ("mood", "'cold'", '{"$text": "cold"}'),
}

TYPES: LiteralString = """
    CREATE TYPE pair AS (n int, j json);
    CREATE DOMAIN document AS json;
    CREATE TYPE mood AS ENUM ('warm', 'cold');
    CREATE FUNCTION mood_json(mood mood) RETURNS json LANGUAGE plpgsql AS $$BEGIN
        IF mood = 'cold' THEN RAISE EXCEPTION 'too cold'; END IF; RETURN '"fine"'; END$$;
    CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood);
"""


@pytest.mark.parametrize(("type_", "refused", "logged"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("rows_", [1, 3])
async def test_values_that_jsonb_refuses_are_logged_as_text(
    db: Connection, conn: Plain, type_: LiteralString, refused: LiteralString, logged: LiteralString, rows_: int
) -> None:
    await db.execute(TYPES)
    await db.execute(SQL("CREATE TABLE t (id int PRIMARY KEY, board text, n int, v {})").format(SQL(type_)))
    await db.execute("SELECT feed.attach('t', board => 'board')")
    start = await newest_seq(db)
    insert = SQL("INSERT INTO t SELECT i, 'b1', 1, {} FROM generate_series(1, %s) AS i")
    await db.execute(insert.format(SQL(refused)), (rows_,))
    await db.execute("UPDATE t SET n = n")
    await db.execute("UPDATE t SET n = 2")
    await db.execute("UPDATE t SET board = 'b2'")
    await db.execute("UPDATE t SET v = NULL")
    await db.execute(SQL("UPDATE t SET v = {}").format(SQL(refused)))
    await db.execute("INSERT INTO t VALUES (9, 'b1', 1, NULL)")
    assert await find_drift(conn, "t") == []
    await db.execute("DELETE FROM t")
    found = await rows(
        db,
        "SELECT op, key, (new -> 'v')::text AS v, (old -> 'v')::text AS old, (new ->> 'n')::int AS n FROM feed.trigger_log"
        " WHERE seq > %s AND key = '1' ORDER BY seq",
        (start,),
    )
    image = (await rows(db, SQL("SELECT {}::jsonb::text AS image").format(logged)))[0]["image"]
    assert [(row["op"], row["old"], row["v"], row["n"]) for row in found] == [
        ("insert", None, image, 1),
        ("update", image, image, 2),
        ("leave", image, image, 2),
        ("enter", image, image, 2),
        ("update", image, "null", 2),
        ("update", "null", image, 2),
        ("delete", image, None, None),
    ]
    assert await find_drift(conn, "t") == []


async def test_a_value_without_a_storable_text_is_left_out(db: Connection, conn: Plain) -> None:
    await db.execute(
        b"""
        CREATE TYPE mood AS ENUM ('warm', 'cold');
        CREATE FUNCTION mood_json(mood mood) RETURNS json LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$;
        CREATE FUNCTION mood_text(mood mood) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$;
        CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood);
        CREATE CAST (mood AS text) WITH FUNCTION mood_text(mood);
        CREATE TABLE t (id int PRIMARY KEY, v mood, n int);
        SELECT feed.attach('t');
        """
    )
    start = await newest_seq(db)
    await db.execute("INSERT INTO t VALUES (1, 'cold', 1)")
    await db.execute("UPDATE t SET n = 2")
    assert await find_drift(conn, "t") == []
    await db.execute("DELETE FROM t")
    found = await rows(db, "SELECT op, coalesce(new, old) AS image FROM feed.trigger_log WHERE seq > %s", (start,))
    assert [row["op"] for row in found] == ["insert", "update", "delete"]
    assert {str(row["image"]["v"]) for row in found} == {"{'$omitted': 4}"}


async def test_renamed_columns_of_a_row_that_jsonb_refuses(db: Connection, conn: Plain) -> None:
    """The excluded column never reaches the log, not even if another column has its name now."""
    await db.execute("CREATE TABLE t (id int PRIMARY KEY, board text, secret text, n int, j json)")
    await db.execute("SELECT feed.attach('t', board => 'board', exclude => '{secret}')")
    start = await newest_seq(db)
    for before in ("SELECT", *RENAMES):
        await db.execute(before)
        for json in ("'1'", r"""'"\u0000"'"""):
            await db.execute(SQL("INSERT INTO t VALUES (1, 'b1', 'hidden', 1, {})").format(SQL(json)))
            await db.execute("UPDATE t SET n = 2")
            await db.execute("DELETE FROM t")
    logged = await log_rows(db, start)
    assert [(row["op"], row["key"], row["board"]) for row in logged] == [
        (op, "1", "b1") for op in ("insert", "update", "delete")
    ] * 2 * (1 + len(RENAMES))
    assert "hidden" not in str(logged)
    assert await find_drift(conn, "t") == []


RENAMES: tuple[LiteralString, ...] = (
    "ALTER TABLE t RENAME secret TO renamed",
    "ALTER TABLE t ADD COLUMN secret text",
    "ALTER TABLE t RENAME id TO number",
    "ALTER TABLE t RENAME board TO place",
)

# A type, a value, and settings of a session that give its text another form.
SETTINGS: dict[str, tuple[LiteralString, LiteralString, LiteralString]] = {
    "bytea": ("bytea", r"'\x616263'", "SET bytea_output = 'escape'"),
    "date range": ("daterange", "'[2026-01-02,2026-03-04)'", "SET datestyle = 'SQL, DMY'"),
    "time range": ("tstzrange", "'[2026-01-02 10:00+00,2026-03-04 10:00+00)'", "SET timezone = 'Asia/Tokyo'"),
    "timestamp": ("timestamptz", "'2026-01-02 10:00+00'", "SET timezone = 'America/Sao_Paulo'"),
    "interval": ("interval", "'1 day 02:03:04'", "SET intervalstyle = 'iso_8601'"),
    "float": ("float8", "0.1::float8 + 0.2", "SET extra_float_digits = -5"),
    "float range": ("floats", "floats(0.1::float8 + 0.2, 1)", "SET extra_float_digits = 0"),
    "money": ("money", "12345.67::money", "SET lc_monetary = 'C.UTF-8'"),
    "a table's name": (
        "regclass",
        "'opportunities'::regclass",
        "SET search_path = pg_catalog; SET quote_all_identifiers = on",
    ),
    "several": ("text", "'a'", "SET datestyle = 'German'; SET timezone = 'UTC'; SET intervalstyle = 'sql_standard'"),
}


@pytest.mark.any_version
@pytest.mark.parametrize(("type_", "stored", "settings"), SETTINGS.values(), ids=SETTINGS)
async def test_settings_of_the_session_change_neither_the_key_nor_the_image(
    db: Connection, conn: Plain, type_: LiteralString, stored: LiteralString, settings: LiteralString
) -> None:
    await db.execute("CREATE TYPE floats AS RANGE (subtype = float8)")
    await db.execute(SQL("CREATE TABLE t (id {} PRIMARY KEY, v {}, n int)").format(SQL(type_), SQL(type_)))
    await db.execute("SELECT feed.attach('t')")
    start = await newest_seq(db)
    await db.execute(SQL("INSERT INTO public.t VALUES ({0}, {0}, 1)").format(SQL(stored)))
    await db.execute(settings.encode())
    await db.execute("UPDATE public.t SET n = 2")
    assert await find_drift(conn, "t") == []
    await db.execute("DELETE FROM public.t")
    await db.execute("RESET ALL")
    logged = await log_rows(db, start)
    assert [row["op"] for row in logged] == ["insert", "update", "delete"]
    assert len({row["key"] for row in logged}) == 1
    assert logged[0]["new"] == logged[1]["old"]
    assert logged[1]["new"] == logged[2]["old"]
    assert await find_drift(conn, "t") == []


# Pairs of values that differ in storage: each change is logged, with its column.
CHANGES: dict[str, tuple[LiteralString, LiteralString, LiteralString]] = {
    "the last digit of a float": ("float8", "0.1::float8 + 0.2", "0.3"),
    "the last digit of a real": ("float4", "0.1::float4", "0.10000001::float4"),
    "the sign of zero": ("float8", "0", "'-0'"),
    "not a number": ("float8", "1", "'NaN'"),
    "infinity": ("float8", "'Infinity'", "'-Infinity'"),
    "the scale of a number": ("numeric", "1.0", "1.00"),
    "not a numeric": ("numeric", "'NaN'", "0"),
    "spaces in json": ("json", """'{"a":1}'""", """'{"a": 1}'"""),
    "the order of keys in json": ("json", """'{"a":1,"b":2}'""", """'{"b":2,"a":1}'"""),
    "the sign of zero in an array": ("float8[]", "'{0}'", "'{-0}'"),
    "the case of a text": ("text", "'a'", "'A'"),
    "the scale in jsonb": ("jsonb", "'[1.0]'", "'[1.00]'"),
    "a point": ("point", "'(0,1)'", "'(-0,1)'"),
}


@pytest.mark.any_version
@pytest.mark.parametrize(("type_", "before", "after"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("count", [1, 2])
async def test_every_change_of_a_stored_value_is_logged(
    db: Connection, conn: Plain, type_: LiteralString, before: LiteralString, after: LiteralString, count: int
) -> None:
    await db.execute("SET extra_float_digits = -10")
    await db.execute(SQL("CREATE TABLE t (id int PRIMARY KEY, v {}, other int DEFAULT 1)").format(SQL(type_)))
    await db.execute("SELECT feed.attach('t')")
    await db.execute(SQL("INSERT INTO t SELECT i, {} FROM generate_series(1, %s) AS i").format(SQL(before)), (count,))
    start = await newest_seq(db)
    await db.execute(SQL("UPDATE t SET v = {}").format(SQL(after)))
    await db.execute(SQL("UPDATE t SET v = {}").format(SQL(after)))
    logged = await log_rows(db, start)
    assert [(row["op"], row["key"]) for row in logged] == [("update", str(key)) for key in range(1, count + 1)]
    bodies = await changes_of(db, start)
    assert all(set(body) == {"v"} for body in bodies), bodies
    assert await find_drift(conn, "t") == []


async def changes_of(db: Connection, after: int) -> list[dict[str, Any]]:
    """The changed columns of updates, as readers compute them."""
    found = await rows(
        db,
        "SELECT CASE WHEN delta IS NULL THEN feed.changes(old, new) ELSE feed.compact_changes(old, new, delta) END AS body"
        " FROM feed.log WHERE seq > %s ORDER BY seq",
        (after,),
    )
    return [row["body"] for row in found]


KEYS: dict[str, tuple[LiteralString, LiteralString]] = {
    "a long bytea": (
        "id bytea PRIMARY KEY",
        "sha512('1') || (SELECT string_agg(sha512(i::text::bytea), '') FROM generate_series(1, 38) AS i)",
    ),
    "a long text": ("id text PRIMARY KEY", "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 80) AS i)"),
    "a long array": (
        "id bytea[] PRIMARY KEY",
        "ARRAY[(SELECT string_agg(sha512(i::text::bytea), '') FROM generate_series(1, 38) AS i)]",
    ),
    "several columns": (
        "a bytea, id bytea, PRIMARY KEY (a, id)",
        "(SELECT string_agg(sha512(i::text::bytea), '') FROM generate_series(1, 18) AS i)",
    ),
}


@pytest.mark.any_version
@pytest.mark.parametrize(("key", "stored"), KEYS.values(), ids=KEYS)
async def test_a_key_that_is_too_long_for_the_index_of_the_log(
    db: Connection, conn: Plain, key: LiteralString, stored: LiteralString
) -> None:
    await db.execute(SQL("CREATE TABLE t (n int, {})").format(SQL(key)))
    await db.execute("SELECT feed.attach('t')")
    start = await newest_seq(db)
    insert = SQL(
        "INSERT INTO t (n, a, id) VALUES (1, {0}, {0})" if "a bytea" in key else "INSERT INTO t (n, id) VALUES (1, {0})"
    )
    await db.execute(insert.format(SQL(stored)))
    await db.execute("UPDATE t SET n = 2")
    assert await find_drift(conn, "t") == []
    await db.execute("DELETE FROM t")
    logged = await log_rows(db, start)
    assert [row["op"] for row in logged] == ["insert", "update", "delete"]
    (key_logged,) = {row["key"] for row in logged}
    assert key_logged.startswith("md5:")
    assert await find_drift(conn, "t") == []


VERSIONS: dict[str, tuple[LiteralString, LiteralString, int | None]] = {
    "a text": ("text", "'v1'", None),
    "a number": ("numeric(10, 2)", "1.5", 2),
    "beyond an integer": ("bigint", "5000000000", None),
    "negative": ("integer", "-1", None),
    "a float": ("float8", "'NaN'", None),
    "json": ("jsonb", """'{"major": 1}'""", None),
    "an array": ("int[]", "'{1,2}'", None),
    "a boolean": ("boolean", "true", None),
    "a time": ("timestamptz", "'2026-01-01'", None),
    "null": ("integer", "NULL", None),
}


@pytest.mark.any_version
@pytest.mark.parametrize(("type_", "stored", "logged"), VERSIONS.values(), ids=VERSIONS)
async def test_a_version_number_of_any_type(
    db: Connection, conn: Plain, type_: LiteralString, stored: LiteralString, logged: int | None
) -> None:
    await db.execute(SQL("CREATE TABLE t (id int PRIMARY KEY, n int, version_number {})").format(SQL(type_)))
    await db.execute("SELECT feed.attach('t')")
    start = await newest_seq(db)
    for statement in (
        "INSERT INTO t VALUES (1, 1, {}), (2, 1, {})",
        "UPDATE t SET n = 2",
        "UPDATE t SET n = 3 WHERE id = 1",
        "DELETE FROM t",
    ):
        await db.execute(SQL(statement).format(*[SQL(stored)] * statement.count("{}")))
    found = await log_rows(db, start)
    assert [row["op"] for row in found] == ["insert"] * 2 + ["update"] * 3 + ["delete"] * 2
    assert {row["version"] for row in found} == {logged}
    assert await find_drift(conn, "t") == []


async def test_the_image_of_a_number_has_all_its_digits(db: Connection) -> None:
    await db.execute("CREATE TABLE t (id int PRIMARY KEY, v numeric)")
    await db.execute("SELECT feed.attach('t')")
    await db.execute("INSERT INTO t VALUES (1, 12345678901234567890.123456789000)")
    logged = await value(db, "SELECT new ->> 'v' FROM feed.log WHERE relation = 't'")
    assert Decimal(logged) == Decimal("12345678901234567890.123456789000")
    assert logged.endswith("000")


NAMES = (
    "relation",
    "o",
    "n",
    "r",
    "k",
    "t",
    "old_rows",
    "new_rows",
    "before",
    "after",
    "select",
    "Stage Name",
    "a%b",
    "a%sb",
    'a"b',
    "a'b",
    "ä" * 31,
    "x" * 63,
    "{",
    "$1",
    "key",
    "op",
    "seq",
    "xid",
    "stored",
    "compact",
    "address",
    "data",
    "unsafe",
    "named",
    "feed",
    "public",
    "",
)


@pytest.mark.any_version
async def test_columns_of_any_name(db: Connection, conn: Plain) -> None:
    for name in filter(None, NAMES):
        column = Identifier(name.replace("%", "%%"))
        await db.execute(SQL("CREATE TABLE t (id int PRIMARY KEY, {0} text, j json)").format(column))
        await db.execute("SELECT feed.attach('t')")
        await db.execute(SQL("INSERT INTO t (id, {0}, j) VALUES (1, 'a', '1'), (2, 'a', '\"\\u0000\"')").format(column))
        await db.execute(SQL("UPDATE t SET {0} = 'b'").format(column))
        await db.execute(SQL("UPDATE t SET {0} = 'c' WHERE id = 1").format(column))
        await db.execute(SQL("UPDATE t SET {0} = repeat('d', 5000) WHERE id = 2").format(column))
        assert await find_drift(conn, "t") == [], name
        await db.execute(b"SELECT feed.detach('t'); DROP TABLE t; DELETE FROM feed.log WHERE relation = 't'")
