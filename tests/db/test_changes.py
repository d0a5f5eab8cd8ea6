"""The changes of an update: each column whose text differs, whichever query reads the log."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, LiteralString

import pytest
from psycopg import sql

from db.changelog.changes import Change, read_changes
from db.changelog.positions import Seen, read_position
from db.changelog.prefetch import prefetch_result, prepare_prefetch
from db.connection import PsycopgConnection
from feed.wire.cursor import parse_snapshot
from tests.db.support import Connection
from tests.support.database import Database

PLAIN_UPDATES: dict[LiteralString, dict[str, Any]] = {
    "title = 'B', value = 1200.50, notes = NULL": {"title": "B", "value": Decimal("1200.50")},
    "value = 1200.5, notes = 'null'": {"value": Decimal("1200.5"), "notes": "null"},
    "title = '20', value = NULL, probability = 20, notes = ''": {
        "title": "20",
        "value": None,
        "probability": 20,
        "notes": "",
    },
    """title = '"20"', notes = E'a "line"\\n\\\\ \\u20ac', expected_close_date = '2026-02-03'""": {
        "title": '"20"',
        "notes": 'a "line"\n\\ €',
        "expected_close_date": "2026-02-03",
    },
    "notes = NULL, expected_close_date = NULL, phase = 'won'": {
        "notes": None,
        "expected_close_date": None,
        "phase": "won",
    },
}
JSON_UPDATES: dict[LiteralString, dict[str, Any]] = {
    """extra = '{"a": [1.0, null]}', tags = '{1,2}'""": {"extra": {"a": [Decimal("1.0"), None]}, "tags": [1, 2]},
    """extra = '1', tags = NULL""": {"extra": 1, "tags": None},
    """extra = '"1"'""": {"extra": "1"},
    """extra = '"[1.0]"'""": {"extra": "[1.0]"},
    """extra = '[1.0]'""": {"extra": [Decimal("1.0")]},
    """extra = '[1.00]', title = 'C'""": {"extra": [Decimal("1.00")], "title": "C"},
}


@pytest.fixture
async def reading(database: Database) -> AsyncIterator[PsycopgConnection]:
    async with await PsycopgConnection.connect(database.url, autocommit=True) as conn:
        await prepare_prefetch(conn)
        yield conn


async def _read(reading: PsycopgConnection, since: Seen) -> list[Change]:
    """Read by both queries and check that they agree."""
    parts = [part async for part in read_changes(reading, since, threshold=1000, chunk=1000)]
    read = [change for part in parts for change in part.changes]
    query = sql.SQL("EXECUTE changes_since ({}, {}, 1000)").format(str(since.xmax), "{}")
    rows = await (await reading.execute(query)).fetchall()
    prefetched = prefetch_result(rows, 1000)
    assert prefetched is not None
    assert prefetched.changes == read
    return read


@pytest.mark.parametrize("plain", [True, False])
async def test_each_changed_column_is_reported(db: Connection, reading: PsycopgConnection, *, plain: bool) -> None:
    await db.execute("ALTER TABLE opportunities ALTER COLUMN value TYPE numeric")  # of any scale
    updates = PLAIN_UPDATES
    if not plain:
        await db.execute("ALTER TABLE opportunities ADD COLUMN extra jsonb, ADD COLUMN tags integer[]")
        updates = PLAIN_UPDATES | JSON_UPDATES
    (row,) = await (await db.execute("SELECT 'opportunities' = ANY (feed.plain_relations()) AS plain")).fetchall()
    assert row["plain"] is plain
    since = parse_snapshot((await read_position(reading)).snapshot)
    for columns in updates:
        await db.execute(sql.SQL("UPDATE opportunities SET {} WHERE id = 'o1'").format(sql.SQL(columns)))
    changes_read = await _read(reading, since)
    changes = [json.loads(change.body or "", parse_float=Decimal) for change in changes_read]
    versions = [found.pop("version_number") for found in changes]
    assert versions == list(range(versions[0], versions[0] + len(updates)))
    assert all(found.pop("last_sync_at") for found in changes)
    assert changes == list(updates.values())
    texts = await (
        await db.execute("SELECT feed.changes(old, new)::text AS text FROM feed.log ORDER BY seq")
    ).fetchall()
    assert [change.body for change in changes_read] == [row["text"] for row in texts][-len(updates) :]


async def test_a_repair_after_the_columns_changed(db: Connection, reading: PsycopgConnection) -> None:
    await db.execute("UPDATE opportunities SET probability = 20 WHERE id = 'o1'")
    await db.execute(
        "ALTER TABLE opportunities ALTER COLUMN probability TYPE text, ADD COLUMN extra text, ADD COLUMN of_old text DEFAULT 'x'"
    )
    since = parse_snapshot((await read_position(reading)).snapshot)
    await db.execute("SET session_replication_role = replica")
    await db.execute("UPDATE opportunities SET title = 'past the triggers', version_number = version_number + 1")
    await db.execute("RESET session_replication_role")
    await db.execute("SELECT feed.repair('opportunities', '{o1}')")
    (change,) = await _read(reading, since)
    found = json.loads(change.body or "")
    assert (change.op, found.pop("version_number")) == ("update", change.version)
    assert found == {"title": "past the triggers", "probability": "20", "extra": None, "of_old": "x"}


@pytest.mark.parametrize(
    ("column", "plain"),
    [
        ("varchar(20)", True),
        ("mood", True),
        ("uuid", True),
        ("timestamptz", True),
        ("json", False),
        ("text[]", False),
        ("int4range", False),
        ("amount", False),
    ],
)
async def test_which_column_types_are_compared_as_text(db: Connection, column: LiteralString, *, plain: bool) -> None:
    await db.execute("CREATE TYPE mood AS ENUM ('1', '2')")
    await db.execute("CREATE TYPE amount AS (units integer, currency text)")
    await db.execute(sql.SQL("CREATE TABLE t (id text PRIMARY KEY, x {})").format(sql.SQL(column)))
    await db.execute("SELECT feed.attach('t')")
    (row,) = await (await db.execute("SELECT feed.plain_relations() AS found")).fetchall()
    assert ("t" in row["found"]) is plain
    assert {"opportunities", "feed.board_members"} <= set(row["found"])
    assert "feed.boards" not in row["found"]
