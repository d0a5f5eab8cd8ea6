"""Functions of other users that match the arguments better than those of pg_catalog are never called by boardcast's own."""

from collections.abc import Iterator

import psycopg
import pytest

from db import migrate
from tests.support.database import Database

# What a role may have put into schema public. PostgreSQL prefers an exact match to one of any type, whatever the order of schemas.
FUNCTIONS = (
    *(
        ("cardinality(text[])", "integer"),
        ("array_position(text[], text)", "integer"),
        ("unnest(text[])", "SETOF text"),
    ),
    *(("array_remove(text[], text)", "text[]"), ("array_to_string(text[], text)", "text"), ("to_jsonb(text)", "jsonb")),
    *(("convert_to(text, text)", "bytea"), ("concat_ws(text, text, text)", "text"), ("format(text, text)", "text")),
    *(("format(text, bigint)", "text"), ("format(text, name)", "text"), ("format(text, regclass)", "text")),
    *(("format(text, text, text)", "text"), ("format(text, name, name)", "text")),
)
OPERATORS = (
    *(("text", "||", "bigint", "text"), ("bigint", "||", "text", "text"), ("text[]", "||", "text[]", "text[]")),
    *(("text[]", "=", "text[]", "boolean"), ("regclass", "=", "oid", "boolean"), ("oid", "=", "regclass", "boolean")),
)
CAUGHT = """
    CREATE FUNCTION public.caught() RETURNS boolean LANGUAGE plpgsql AS
        'BEGIN RAISE WARNING ''run as %'', current_user; RETURN true; END';
    CREATE AGGREGATE public.array_agg(text) (SFUNC = array_append, STYPE = text[], INITCOND = '{}');
"""


def better_matches() -> Iterator[str]:
    """Statements that create functions and operators which do what those of pg_catalog do, and tell who called them."""
    yield CAUGHT
    for signature, result in FUNCTIONS:
        name, _, types = signature.removesuffix(")").partition("(")
        given = [f"${n + 1}" + ("::name" if name == "convert_to" and n else "") for n in range(len(types.split(",")))]
        call = f"pg_catalog.{name}({', '.join(given)})"
        yield f"CREATE FUNCTION public.{signature} RETURNS {result} LANGUAGE sql AS 'SELECT public.caught(); SELECT {call}'"
    for n, (left, operator, right, result) in enumerate(OPERATORS):
        sides = (
            "$1::oid OPERATOR(pg_catalog.=) $2::oid"
            if "oid" in (left, right)
            else f"$1 OPERATOR(pg_catalog.{operator}) $2"
        )
        body = f"'SELECT public.caught(); SELECT {sides}'"
        yield f"CREATE FUNCTION public.operator_{n}({left}, {right}) RETURNS {result} LANGUAGE sql AS {body}"
        yield f"CREATE OPERATOR public.{operator} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = public.operator_{n})"


OTHERS_USED = """
    SELECT pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
    FROM pg_depend AS d
    WHERE d.refobjid IN (SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace
                         UNION SELECT oid FROM pg_operator WHERE oprnamespace = 'public'::regnamespace)
      AND d.objid NOT IN (SELECT oid FROM pg_operator UNION SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
"""

QUALIFIED = {
    "begin_statement",
    "changes_since",
    "current_partition",
    "first_partition_since",
    "mute_notify",
    "names_author",
    "notify_presence",
    "row_image",
    "run_as_owner",
    "typed_image",
    "value_image",
    "version_opportunity",
}
"""Functions that name the schema of each function and operator, or use only those of exactly their types."""

CALLS = (
    *(
        f"SELECT * FROM feed.{view}"  # noqa: S608 - constant values
        for view in (
            *("health", "triggers", "attached_tables", "indexes", "trigger_log", "retention", "lag", "gaps"),
            *("instance_status", "client_positions", "editing", "opportunity_versions"),
        )
    ),
    "INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]')",
    "INSERT INTO public.opportunities (id, board_id) VALUES ('o1', 'b1')",
    "UPDATE public.opportunities SET title = 'A', last_modified_by = 'ana'",
    "SELECT * FROM feed.tail()",
    "SELECT * FROM feed.history('o1')",
    "SELECT * FROM feed.explain(2)",
    "SELECT * FROM feed.changes_since('1', '{}')",
    "SELECT * FROM feed.opportunities_on('{b1}')",
    "SELECT * FROM feed.opportunities_page('{b1}', 'o0', 5)",
    "SELECT * FROM feed.checkpoint('b1')",
    "SELECT * FROM feed.user_names('{ana}')",
    "SELECT * FROM feed.verify_log('public.opportunities')",
    "SELECT * FROM feed.verify_rows('public.opportunities', '3')",
    "SELECT feed.repair('public.opportunities', '{o1}')",
    "SELECT feed.realtime('ana'), feed.rollout_bucket('ana'), feed.relation_name('public.users'::regclass)",
    "SELECT feed.has_seen(feed.identify() || '.1.1..1.00000000', '1'), feed.seq_since(now())",
    "SELECT feed.set_notify(false), feed.set_notify(true)",
    "SELECT feed.maintain(), feed.seal(), feed.mend(), feed.repair_rows(), feed.reset_feed()",
)


@pytest.fixture
def hostile_database(empty_database: Database) -> Database:
    """A database whose schema public had better matches before boardcast was installed."""
    with psycopg.connect(empty_database.url, autocommit=True) as conn:
        for statement in better_matches():
            conn.execute(statement.encode())
    migrate.upgrade(empty_database.url)
    return empty_database


def test_functions_in_public_are_not_called(hostile_database: Database) -> None:
    caught: list[str | None] = []
    with psycopg.connect(hostile_database.url, autocommit=True) as conn:
        assert conn.execute(OTHERS_USED).fetchall() == []
        conn.add_notice_handler(lambda notice: caught.append(notice.message_primary))
        conn.execute("SELECT array_position(ARRAY['x'], 'x')")
        assert caught == ["run as boardcast"], "it would be called"
        for call in CALLS:
            caught.clear()
            conn.execute(call.encode())
            assert caught == [], call


def test_functions_fix_their_search_path(database: Database) -> None:
    with psycopg.connect(database.url, autocommit=True) as conn:
        found = conn.execute(
            "SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'feed'::regnamespace AND p.prosqlbody IS NULL"
            " AND NOT coalesce(p.proconfig::text, '') LIKE '%search_path=pg_catalog, %'"
        ).fetchall()
    assert {name for (name,) in found} == QUALIFIED
