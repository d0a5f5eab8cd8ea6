"""Columns may have any name: writes are logged correctly, and verify, repair and detach work as for any other table."""

import re
from collections.abc import AsyncIterator
from itertools import count
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier, Literal

from db.changelog import verify
from db.connection import PsycopgConnection
from tests.support.database import Database

READ = {"version_number", "last_modified_by"}
"""Columns that the feed itself reads, so they cannot be excluded."""
SYSTEM = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}
TYPED = {"version_number": "integer"}
"""The feed reads this column as a number; all others are text here."""
MAX_NAME_BYTES = 63
NUMBERS = count()
FUNCTION_SOURCES = "SELECT string_agg(prosrc, ' ') FROM pg_proc WHERE pronamespace = 'feed'::regnamespace"

VARIABLES = (
    "address application named sends_notify written key_column board_column relation_name found tg_op tg_relid target"
)
ALIASES = "key board op step place data before after old new old_rows new_rows another one o n r t k l a c"
KEYWORDS = "table select user session_user row oid last_modified_by version"
QUOTED = (
    'it"s',
    "it's",
    "a\\b",
    "100%",
    "%s",
    "%1$I",
    "a b",
    " a",
    "a,b",
    "{a}",
    "$1",
    ":x",
    "Upper",
    "ação",
    "a" * MAX_NAME_BYTES,
)
SPECIAL = (*f"{VARIABLES} {ALIASES} {KEYWORDS}".split(), *QUOTED)


class Names(NamedTuple):
    """Key, board and other columns. `explicit`: the key is passed to attach; `leave_out`: the last column is not logged."""

    key: tuple[str, ...]
    board: str
    others: tuple[str, ...]
    explicit: bool = False
    leave_out: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.key, self.board, *self.others)


def _valid(name: str) -> bool:
    return 0 < len(name.encode()) <= MAX_NAME_BYTES and name not in SYSTEM


_name = st.one_of(
    st.sampled_from(SPECIAL),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20).filter(_valid),
)


@st.composite
def _names(draw: st.DrawFn) -> Names:
    drawn = draw(st.lists(_name, min_size=4, max_size=7, unique=True))
    keys = draw(st.integers(1, 2))
    return Names(tuple(drawn[:keys]), drawn[keys], tuple(drawn[keys + 1 :]), draw(st.booleans()), draw(st.booleans()))


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[PsycopgConnection]:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
        yield conn


class Table:
    """An attached table, with the log rows that its writes must cause."""

    def __init__(self, conn: PsycopgConnection, names: Names) -> None:
        self.conn, self.names = conn, names
        # The log keeps the rows of dropped tables, so each table needs a new name.
        self.name = f"t{next(NUMBERS)}"
        self.table = Identifier(self.name)
        self.rows: dict[str, dict[str, Any]] = {}
        self.excluded = names.others[-1] if names.leave_out and names.others[-1] not in READ else None
        self.expected: list[tuple[Any, ...]] = []

    async def create(self) -> int:
        names = self.names
        columns = SQL(", ").join(SQL("{} {}").format(Identifier(n), SQL(TYPED.get(n, "text"))) for n in names.columns)
        key = SQL(", ").join(map(Identifier, names.key))
        await self.conn.execute(SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(self.table, columns, key))
        await self.conn.execute(
            "SELECT feed.attach(%s::text::regclass, key => %s::text, board => %s, exclude => %s)",
            (self.name, await self._explicit(), names.board, [self.excluded] if self.excluded else []),
        )
        return int(await self._one("SELECT coalesce(max(seq), 0) FROM feed.log"))

    async def _explicit(self) -> str | None:
        if not self.names.explicit:
            return None
        if len(self.names.key) == 1:
            return self.names.key[0]
        return str(await self._one("SELECT %s::text[]::text", (list(self.names.key),)))

    def key(self, row: dict[str, Any]) -> str:
        return "/".join(row[name] for name in self.names.key)

    def image(self, row: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name != self.excluded}

    async def insert(self, *keys: str) -> None:
        rows = []
        for key in keys:
            row = {n: 1 if n in TYPED else f"{n}-value" for n in self.names.columns}
            row |= dict.fromkeys(self.names.key, key) | {self.names.board: "b1"}
            self.rows[key] = row
            rows.append(SQL("({})").format(SQL(", ").join(Literal(value) for value in row.values())))
            self.expected.append(("insert", "b1", None, self.image(row)))
        await self.conn.execute(SQL("INSERT INTO {} VALUES {}").format(self.table, SQL(", ").join(rows)))

    async def update(self, column: str, value: str, *keys: str) -> None:
        for key in keys:
            before, after = self.rows[key], self.rows[key] | {column: value}
            self.rows[key] = after
            old, new = self.image(before), self.image(after)
            if before[self.names.board] != after[self.names.board]:
                self.expected.append(("leave", before[self.names.board], old, new))
                self.expected.append(("enter", after[self.names.board], old, new))
            elif old != new:
                self.expected.append(("update", after[self.names.board], old, new))
        statement = SQL("UPDATE {} SET {} = {} WHERE {}").format(
            self.table, Identifier(column), Literal(value), self._among(keys)
        )
        await self.conn.execute(statement)

    async def delete(self, *keys: str) -> None:
        for key in keys:
            row = self.rows.pop(key)
            self.expected.append(("delete", row[self.names.board], self.image(row), None))
        await self.conn.execute(SQL("DELETE FROM {} WHERE {}").format(self.table, self._among(keys)))

    def _among(self, keys: tuple[str, ...]) -> Any:
        return SQL("{} = ANY ({})").format(Identifier(self.names.key[0]), Literal(list(keys)))

    async def logged(self, after: int) -> list[tuple[Any, ...]]:
        found = await self.conn.execute(
            "SELECT op, board, old, new, key FROM feed.trigger_log WHERE seq > %s ORDER BY seq", (after,)
        )
        return await found.fetchall()

    async def findings(self) -> list[tuple[str, str, list[str] | None]]:
        (attached,) = [each for each in await verify.tables(self.conn) if each.name == self.name]
        assert attached.faults == []
        parts = [part async for part in verify.verify(self.conn, attached, part=2)]
        return [(each.what, each.key, each.columns) for part in parts for each in part.findings]

    async def repair(self, key: str) -> int:
        (attached,) = [each for each in await verify.tables(self.conn) if each.name == self.name]
        return await verify.repair(self.conn, attached, [key])

    async def restore_dropped_trigger(self) -> None:
        """Drop a trigger and restore it with the statement that feed.triggers returns."""
        await self.conn.execute(SQL("DROP TRIGGER feed_capture_update ON {}").format(self.table))
        fix = await self._one(
            "SELECT fix FROM feed.triggers WHERE relation::text = %s AND state = 'missing'", (self.name,)
        )
        before = await self._arguments()
        await self.conn.execute(fix.encode())
        assert await self._arguments() == before
        assert (await verify.tables(self.conn))[-1].faults == []

    async def _arguments(self) -> Any:
        statement = """
            SELECT DISTINCT key, board, excluded FROM feed.triggers
            WHERE relation::text = %s AND function = 'capture' AND state = 'on'
        """
        return await (await self.conn.execute(statement, (self.name,))).fetchall()

    async def _one(self, statement: Any, parameters: Any = None) -> Any:
        row = await (await self.conn.execute(statement, parameters)).fetchone()
        assert row is not None
        return row[0]


def _sort_key(row: tuple[Any, ...]) -> str:
    return repr((row[0], row[1], sorted((row[2] or {}).items()), sorted((row[3] or {}).items())))


async def _check(conn: PsycopgConnection, names: Names) -> None:
    table = Table(conn, names)
    first = await table.create()
    changed = names.others[0] if names.others[0] not in TYPED else names.others[1]
    await table.insert("k1")
    await table.insert("k2", "k3", "k4")
    await table.update(changed, "x", "k1")
    await table.update(changed, "y", "k1", "k2", "k3")
    await table.update(names.board, "b2", "k1")
    await table.update(names.board, "b3", "k1", "k2")
    await table.delete("k1")
    await table.delete("k2", "k3")
    found = await table.logged(first)
    # The rows of one statement are logged in the order in which PostgreSQL processes them.
    assert sorted((row[:4] for row in found), key=_sort_key) == sorted(table.expected, key=_sort_key)
    keys = {row[4] for row in found}
    assert len(keys) == 4
    assert await table.findings() == []

    await conn.execute("SET session_replication_role = replica")
    await table.update(changed, "past the triggers", "k4")
    await conn.execute("RESET session_replication_role")
    (k4,) = {row[4] for row in found if (row[3] or row[2])[names.key[0]] == "k4"}
    if changed != table.excluded:
        assert await table.findings() == [("changed", k4, [changed])]
        assert await table.repair(k4) == 1
    assert await table.findings() == []

    await conn.execute(SQL("TRUNCATE {}").format(table.table))
    assert (await table.logged(first))[-1][:4] == ("truncate", None, None, None)
    assert await table.findings() == []
    await table.restore_dropped_trigger()
    await conn.execute("SELECT feed.detach(%s::text::regclass)", (table.name,))
    await conn.execute(SQL("DROP TABLE {}").format(table.table))


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(names=_names())
@example(names=Names(("id",), "board_id", ("address", "version_number")))
@example(names=Names(("key",), "board", ("data", "r", "o")))
@example(names=Names(("n", "t"), "k", ("before", "after"), leave_out=True))
@example(names=Names(("a,b", " c"), "100%", ("it's", 'say "x"'), explicit=True))
@example(names=Names((" a",), "a\\b", ("{a}", "x"), explicit=True))
async def test_columns_of_any_name_are_captured(conn: PsycopgConnection, names: Names) -> None:
    assume(not {names.board, *names.key} & set(TYPED))
    await _check(conn, names)


async def test_names_used_in_the_sql_functions_are_valid_column_names(conn: PsycopgConnection) -> None:
    """Their variables, parameters, aliases and result columns, now and after later changes."""
    found = await (await conn.execute(FUNCTION_SOURCES)).fetchone()
    assert found is not None
    words = sorted({word.lower()[:MAX_NAME_BYTES] for word in re.findall(r"[A-Za-z_]\w*", found[0])} - SYSTEM)
    assert len(words) > 300
    for start in range(0, len(words), 400):
        await _check(conn, Names(("the key",), "the board", tuple(words[start : start + 400])))


async def test_special_names_in_each_role(conn: PsycopgConnection) -> None:
    cyclic = (*SPECIAL, *SPECIAL)
    for start in range(0, len(SPECIAL), 2):
        key, board, *others = cyclic[start : start + 6]
        await _check(conn, Names((key,), board, tuple(others), explicit=True))
