"""What an update is told to have changed: each column that is written otherwise, whichever way the log is read."""

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

TO_SET: dict[LiteralString, dict[str, Any]] = {
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
AS_JSON: dict[LiteralString, dict[str, Any]] = {
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


async def _told(reading: PsycopgConnection, since: Seen) -> list[Change]:
    """By the question for many, and by the one for few."""
    parts = [part async for part in read_changes(reading, since, threshold=1000, chunk=1000)]
    many = [change for part in parts for change in part.changes]
    asked = sql.SQL("EXECUTE changes_since ({}, {}, 1000)").format(str(since.xmax), "{}")
    rows = await (await reading.execute(asked)).fetchall()
    few = prefetch_result(rows, 1000)
    assert few is not None
    assert few.changes == many
    return many


@pytest.mark.parametrize("plain", [True, False])
async def test_each_column_that_is_written_otherwise(
    db: Connection, reading: PsycopgConnection, *, plain: bool
) -> None:
    await db.execute("ALTER TABLE opportunities ALTER COLUMN value TYPE numeric")  # of any scale
    updates = TO_SET
    if not plain:
        await db.execute("ALTER TABLE opportunities ADD COLUMN extra jsonb, ADD COLUMN tags integer[]")
        updates = TO_SET | AS_JSON
    (row,) = await (await db.execute("SELECT 'opportunities' = ANY (feed.plain_relations()) AS plain")).fetchall()
    assert row["plain"] is plain
    since = parse_snapshot((await read_position(reading)).snapshot)
    for columns in updates:
        await db.execute(sql.SQL("UPDATE opportunities SET {} WHERE id = 'o1'").format(sql.SQL(columns)))
    told = await _told(reading, since)
    changes = [json.loads(change.body or "", parse_float=Decimal) for change in told]
    versions = [found.pop("version_number") for found in changes]
    assert versions == list(range(versions[0], versions[0] + len(updates)))
    assert all(found.pop("last_sync_at") for found in changes)
    assert changes == list(updates.values())
    texts = await (
        await db.execute("SELECT feed.changes(old, new)::text AS text FROM feed.log ORDER BY seq")
    ).fetchall()
    assert [change.body for change in told] == [row["text"] for row in texts][-len(updates) :]


async def test_a_repair_of_a_row_whose_columns_are_others_by_now(db: Connection, reading: PsycopgConnection) -> None:
    await db.execute("UPDATE opportunities SET probability = 20 WHERE id = 'o1'")
    await db.execute(
        "ALTER TABLE opportunities ALTER COLUMN probability TYPE text, ADD COLUMN extra text, ADD COLUMN of_old text DEFAULT 'x'"
    )
    since = parse_snapshot((await read_position(reading)).snapshot)
    await db.execute("SET session_replication_role = replica")
    await db.execute("UPDATE opportunities SET title = 'past the triggers', version_number = version_number + 1")
    await db.execute("RESET session_replication_role")
    await db.execute("SELECT feed.repair('opportunities', '{o1}')")
    (change,) = await _told(reading, since)
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
async def test_where_texts_suffice(db: Connection, column: LiteralString, *, plain: bool) -> None:
    await db.execute("CREATE TYPE mood AS ENUM ('1', '2')")
    await db.execute("CREATE TYPE amount AS (units integer, currency text)")
    await db.execute(sql.SQL("CREATE TABLE t (id text PRIMARY KEY, x {})").format(sql.SQL(column)))
    await db.execute("SELECT feed.attach('t')")
    (row,) = await (await db.execute("SELECT feed.plain_relations() AS found")).fetchall()
    assert ("t" in row["found"]) is plain
    assert {"opportunities", "board_members"} <= set(row["found"])
    assert "boards" not in row["found"]
