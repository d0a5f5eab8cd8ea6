"""Changes of stages are copied from the log once each, whoever writes, and cards are noted as won or lost."""

from collections.abc import AsyncIterator

import pytest
from psycopg.types.json import Jsonb

from db import migrate
from tests.db.support import Connection, rows, value
from tests.support.database import Database

STAGES = [{"id": "new", "name": "New"}, {"id": "won", "name": "Won", "kind": "won"}]
MOVES = (
    "SELECT opportunity_id AS card, from_phase AS before, to_phase AS after FROM feed.stage_changes ORDER BY seq, card"
)


@pytest.fixture
async def app(empty_database: Database) -> AsyncIterator[Connection]:
    """An application whose table has names of its own, and numbers as keys."""
    async with await empty_database.connect() as conn:
        await conn.execute(
            "CREATE SCHEMA crm; CREATE TABLE crm.deals (id integer PRIMARY KEY, stage text, pipeline text, closed_at date)"
        )
        await conn.execute("INSERT INTO crm.deals VALUES (1, 'new', 'eu', '2001-01-01'), (2, 'won', 'eu', NULL)")
        migrate.adopt(empty_database.url, "crm.deals", {"phase": "stage", "board_id": "pipeline"})
        await conn.execute("UPDATE feed.boards SET phases = %s WHERE id = 'eu'", [Jsonb(STAGES)])
        yield conn


async def read(conn: Connection, batch: int = 1000) -> int:
    """Read the log to its end; returns the number of calls."""
    calls = 1
    while await value(conn, f"SELECT feed.read_stage_changes({batch})"):
        calls += 1
    return calls


async def moves(conn: Connection) -> list[tuple[str, str | None, str | None]]:
    return [(row["card"], row["before"], row["after"]) for row in await rows(conn, MOVES)]


async def closed(conn: Connection) -> dict[str, str]:
    found = await rows(conn, "SELECT * FROM feed.opportunity_details WHERE closed_at IS NOT NULL")
    return {row["opportunity_id"]: row["closed_phase"] for row in found}


async def test_a_table_of_an_application_with_its_own_names(app: Connection) -> None:
    await app.execute("UPDATE crm.deals SET stage = 'won' WHERE id = 1; INSERT INTO crm.deals VALUES (3, 'new', 'eu')")
    await read(app)
    # Both cards were there before; one of them has not moved since.
    assert await moves(app) == [("1", None, "new"), ("2", None, "won"), ("1", "new", "won"), ("3", None, "new")]
    assert await closed(app) == {"1": "won", "2": "won"}
    at = (
        "SELECT d.closed_at = l.at FROM feed.opportunity_details AS d JOIN feed.log AS l ON l.key = d.opportunity_id"
        " WHERE d.opportunity_id = '1' AND l.relation = 'opportunities'"
    )
    assert await value(app, at) is True
    body = await value(app, "SELECT body FROM feed.opportunities_of('{1}')")
    assert (body["phase"], body["closed_at"] > "2020", body["details_version"]) == ("won", True, 1)
    before = await moves(app)
    await app.execute("ALTER TABLE crm.deals RENAME COLUMN stage TO step")
    await app.execute("UPDATE crm.deals SET step = 'new' WHERE id = 1; DELETE FROM crm.deals WHERE id = 2")
    await read(app)
    assert (await moves(app))[len(before) :] == [("1", "won", "new"), ("2", "won", None)]
    assert await closed(app) == {"2": "won"}  # as it was, if it is restored


async def test_a_late_commit_is_read_once(app: Connection, empty_database: Database) -> None:
    async with await empty_database.connect() as late, late.transaction():
        await late.execute("UPDATE crm.deals SET stage = 'won' WHERE id = 1")
        await app.execute("INSERT INTO crm.deals VALUES (3, 'won', 'eu')")
        await read(app)
        assert ("1", "new", "won") not in await moves(app)
    await read(app)
    await read(app)
    assert (await moves(app)).count(("1", "new", "won")) == 1
    assert await closed(app) == {"1": "won", "2": "won", "3": "won"}


async def test_many_transactions_are_read_in_parts(app: Connection) -> None:
    for number in range(10, 30):
        await app.execute("INSERT INTO crm.deals VALUES (%s, 'new', 'eu')", [number])
        await app.execute("UPDATE crm.deals SET stage = 'won' WHERE id = %s", [number])
    assert await read(app, batch=7) > 4
    assert (len(await moves(app)), len(await closed(app))) == (42, 21)


async def test_truncate_takes_every_card_away(app: Connection) -> None:
    await read(app)
    await app.execute("TRUNCATE crm.deals; INSERT INTO crm.deals VALUES (1, 'won', 'eu')")
    await read(app)
    assert (await moves(app))[2:] == [("1", "new", None), ("2", "won", None), ("1", None, "won")]


async def test_a_restored_dump_is_read_again(app: Connection) -> None:
    await app.execute("UPDATE crm.deals SET stage = 'won' WHERE id = 1")
    await read(app)
    before = await moves(app)
    # What a restore in another cluster leaves: partitions whose transaction IDs mean nothing, and some rows that were not read.
    await app.execute("DELETE FROM feed.stage_changes WHERE seq > 0")
    await app.execute("SELECT feed.rotate_partition()")
    await app.execute(
        "UPDATE feed.identity SET first_partition = feed.current_partition(), first_xid = pg_current_xact_id()"
    )
    await app.execute("UPDATE crm.deals SET stage = 'new' WHERE id = 1")
    await read(app)
    assert await moves(app) == [*before, ("1", "won", "new")]
