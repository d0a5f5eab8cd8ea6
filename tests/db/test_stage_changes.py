"""Each change of a stage is copied from the log once, and cards are noted as won or lost."""

import random
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


LONG = "".join(random.Random(1).choices("0123456789abcdef", k=2600))
"""A text that PostgreSQL cannot compress to fit into an index, but a key of that length can be."""


async def test_texts_of_any_length_do_not_stop_the_reader(db: Connection) -> None:
    stages = [*STAGES, {"id": LONG, "name": "Long", "kind": "lost"}]
    await db.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b', 'B', %s)", [Jsonb(stages)])
    await db.execute(
        "INSERT INTO opportunities (id, title, board_id, phase) VALUES (%s, 'x', 'b', 'new'), ('c', 'x', 'b', 'new')",
        [LONG],
    )
    await db.execute("UPDATE opportunities SET phase = %s", [LONG])
    await db.execute("UPDATE opportunities SET phase = repeat(%s, 40) WHERE id = 'c'", [LONG])
    await read(db)
    await db.execute("UPDATE opportunities SET phase = 'won' WHERE id = 'c'")
    await read(db)
    of_short = [(before, after) for card, before, after in await moves(db) if card == "c"]
    assert (of_short[0], of_short[-1][1]) == ((None, "new"), "won")
    assert len(of_short) == 4
    assert [card[:4] for card, _, _ in await moves(db)].count("md5:") == 2
    assert await closed(db) == {"c": "won"}


async def test_a_board_whose_name_is_long_does_not_stop_the_reader(app: Connection) -> None:
    await app.execute("INSERT INTO crm.deals VALUES (3, 'new', %s)", [LONG])
    await app.execute("UPDATE crm.deals SET stage = %s WHERE id = 3", [LONG])
    await app.execute("UPDATE crm.deals SET stage = 'won' WHERE id = 1")
    await read(app)
    assert (await moves(app))[-1] == ("1", "new", "won")
    assert await closed(app) == {"1": "won", "2": "won"}


async def test_details_with_the_largest_version_can_be_changed(app: Connection) -> None:
    await app.execute(
        "INSERT INTO feed.opportunity_details (opportunity_id, board_id, version_number) VALUES ('1', 'eu', 2147483647)"
    )
    await app.execute("UPDATE crm.deals SET stage = 'won' WHERE id = 1")
    await read(app)
    assert (await closed(app))["1"] == "won"
    assert await value(app, "SELECT version_number FROM feed.opportunity_details WHERE opportunity_id = '1'") == 1
