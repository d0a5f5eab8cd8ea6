"""Whatever the triggers of an application write, at whatever depth: the log, a client and the table agree.

BOARDCAST_TEST_EXAMPLES sets how many programs are tried (12 otherwise).
"""

import os
from typing import Any, LiteralString

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

from db.embedded.server import EmbeddedPostgres
from tests.property.mirror import Mirror
from tests.support.database import Database, cloned
from tests.support.fold import delivered_log, fold
from tests.support.services import add_people, serving
from tests.support.streams import TRANSPORTS
from tests.support.until import until

pytestmark = pytest.mark.timeout(300)

EXAMPLES = int(os.environ.get("BOARDCAST_TEST_EXAMPLES", "12"))
TABLES = ("opportunities", "tasks")

SCHEMA: LiteralString = """
    CREATE TABLE tasks (id text PRIMARY KEY, board_id text NOT NULL, title text, phase text, value int, probability int);
    CREATE TABLE outside (id text, value int);
    SELECT feed.attach('tasks', board => 'board_id');
    INSERT INTO tasks VALUES ('o1', 'b1', 'First', 'new', 0, 0);
"""

_table = st.sampled_from(TABLES)
_number = st.integers(0, 3)
_board = st.sampled_from(("'b1'", "'b2'"))
_literal = st.sampled_from(("'o1'", "'o2'", "'o3'"))
_assignment = st.one_of(
    _number.map(lambda n: f"value = {n}"),
    _number.map(lambda n: f"value = coalesce(value, 0) + {n}"),
    _number.map(lambda n: f"probability = {n}"),
    st.just("title = title || '.'"),
    _board.map(lambda board: f"board_id = {board}"),
)
_assignments = st.lists(_assignment, min_size=1, max_size=2, unique_by=lambda text: text.split(" ", 1)[0]).map(
    ", ".join
)
FIRED = "coalesce(nullif(current_setting('test.fired', true), ''), '0')::int"
"""How often triggers fired in the transaction. A deferred trigger that fires itself would do so for ever, and at depth one."""
ROW = "id, board_id, title, phase, value"


def _statements(ids: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """One statement. `ids` names the rows it is about."""
    condition = st.one_of(ids.map(lambda id_: f"id = {id_}"), st.just("true"), _number.map(lambda n: f"value < {n}"))
    row = st.builds(lambda id_, board, n: f"({id_}, {board}, 'New', 'new', {n})", ids, _board, _number)
    conflict = st.sampled_from(
        ("", " ON CONFLICT DO NOTHING", " ON CONFLICT (id) DO UPDATE SET value = excluded.value + 1", " RETURNING id")
    )
    insert = st.builds("INSERT INTO {} ({}) VALUES {}{}".format, _table, st.just(ROW), row, conflict)
    update = st.builds("UPDATE {} SET {} WHERE {}".format, _table, _assignments, condition)
    delete = st.builds("DELETE FROM {} WHERE {}".format, _table, condition)
    rekey = st.builds("UPDATE {} SET id = {} WHERE id = {}".format, _table, ids, ids)
    outside = st.builds("INSERT INTO outside VALUES ({}, {})".format, ids, _number)
    again = st.builds(
        lambda table, condition, value: (
            f"WITH d AS (DELETE FROM {table} WHERE {condition} RETURNING {ROW})"  # noqa: S608
            f" INSERT INTO {table} ({ROW}) SELECT id, board_id, title, phase, {value} FROM d"
        ),
        _table,
        condition,
        st.sampled_from(("value", "1")),
    )
    merge = st.builds(
        lambda table, first, second, n: (
            f"MERGE INTO {table} AS t USING (VALUES ({first}, {n}), ({second}, 9)) AS s(id, value) ON t.id = s.id"  # noqa: S608
            " WHEN MATCHED AND s.value = 9 THEN DELETE WHEN MATCHED THEN UPDATE SET value = s.value, title = 'Merged'"
            f" WHEN NOT MATCHED THEN INSERT ({ROW}) VALUES (s.id, 'b1', 'New', 'new', s.value)"
        ),
        _table,
        ids,
        ids,
        _number,
    )
    return st.one_of(update, update, insert, insert, delete, rekey, outside, again, merge)


_nested = _statements(st.sampled_from(("NEW.id", "NEW.id", "'o1'", "'o2'")))
_nested_in_delete = _statements(st.sampled_from(("OLD.id", "OLD.id", "'o1'", "'o2'")))


@st.composite
def _trigger(draw: st.DrawFn) -> str:
    """A trigger, with its function: `{name}` stands for the name of both."""
    event = draw(st.sampled_from(("INSERT", "UPDATE", "DELETE")))
    timing = draw(st.sampled_from(("AFTER", "AFTER", "AFTER", "BEFORE", "DEFERRED")))
    table = draw(st.sampled_from((*TABLES, "outside"))) if event == "INSERT" else draw(_table)
    statements = draw(st.lists(_nested_in_delete if event == "DELETE" else _nested, min_size=1, max_size=2))
    body = "; ".join(statements)
    if draw(st.booleans()):
        body = f"BEGIN {body}; EXCEPTION WHEN OTHERS THEN NULL; END"
    depth = draw(st.integers(1, 3))
    result = "OLD" if event == "DELETE" else "NEW"
    kind = "CONSTRAINT TRIGGER" if timing == "DEFERRED" else "TRIGGER"
    when = (
        f"AFTER {event} ON {table} DEFERRABLE INITIALLY DEFERRED"
        if timing == "DEFERRED"
        else f"{timing} {event} ON {table}"
    )
    return (
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        f"IF pg_trigger_depth() <= {depth} AND {FIRED} < 30 THEN"
        f" PERFORM set_config('test.fired', ({FIRED} + 1)::text, true); {body}; END IF; RETURN {result}; END$$;"
        " CREATE " + kind + " {name} " + when + " FOR EACH ROW EXECUTE FUNCTION {name}()"
    )


_names = st.lists(st.sampled_from(("a_first", "m_middle", "zzz_last")), min_size=1, max_size=3, unique=True)


def _named(name: str) -> st.SearchStrategy[str]:
    return _trigger().map(lambda text: text.replace("{name}", name))


_triggers = _names.flatmap(lambda names: st.tuples(*(_named(name) for name in names)))
_transactions = st.lists(st.lists(_statements(_literal), min_size=1, max_size=4), min_size=1, max_size=4)


async def _rows(database: Database, table: str) -> dict[str, dict[str, Any]]:
    rows = await database.execute(f"SELECT t.id AS key, to_jsonb(t) AS row FROM {table} AS t")  # noqa: S608
    return {row["key"]: row["row"] for row in rows}


async def _run(database: Database, triggers: tuple[str, ...], transactions: list[list[str]], transport: str) -> None:
    await add_people(database)
    await database.execute(SCHEMA)
    for trigger in triggers:
        await database.execute(trigger)
    async with serving(database) as services:
        mirror = Mirror(services)
        await mirror.start(transport)
        async with await database.connect() as conn:
            await conn.execute("SET timezone = 'UTC'; SET statement_timeout = '5s'")
            for statements in transactions:
                try:
                    async with conn.transaction():
                        for statement in statements:
                            await conn.execute(statement)
                except errors.Error:  # what is not valid without boardcast either
                    continue
        truth = {(row["board_id"], key): row["title"] for key, row in (await _rows(database, "opportunities")).items()}

        async def converged() -> bool:
            await mirror.apply_received()
            return {key: card["title"] for key, card in mirror.cards.items()} == truth

        await until(converged, timeout=20, what=f"{mirror.cards} to become {truth}")
    for table in TABLES:
        log = await delivered_log(database, table)
        assert _comparable(fold(log)) == _comparable(await _rows(database, table))
    findings = await database.execute(
        "SELECT t.name, v.* FROM unnest(ARRAY['opportunities', 'tasks']) AS t(name), feed.verify_log(t.name::regclass) AS v"
        " WHERE v.finding IS NOT NULL"
    )
    assert findings == []
    assert await database.execute("SELECT * FROM feed.gaps") == []


def _comparable(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Without times, whose text depends on the time zone of the session."""
    return {key: {name: value for name, value in row.items() if not name.endswith("_at")} for key, row in rows.items()}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(triggers=_triggers, transactions=_transactions, transport=st.sampled_from(TRANSPORTS))
async def test_any_program_of_triggers(
    server: EmbeddedPostgres, template: str, triggers: tuple[str, ...], transactions: list[list[str]], transport: str
) -> None:
    with cloned(server, template) as database:
        await _run(database, triggers, transactions, transport)
