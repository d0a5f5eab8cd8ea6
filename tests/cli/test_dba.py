"""Runs each block of SQL in docs/dba.md in psql as feed_dba, on the demo with a history of two days."""

import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from db import demo
from db.embedded.binaries import find_binaries
from db.engine import create_engine
from tests.cli.test_docs import column
from tests.support.database import Database
from tests.support.services import serving
from tests.support.streams import WebSocketClient
from tests.support.until import until

PAGE = Path(__file__).parents[2] / "docs" / "dba.md"
PSQL = shutil.which("psql") or find_binaries() / "psql"

# Yesterday at 10:02 Ana moved a deal through the API. Today a board is deleted, a nightly job runs, and the deal is moved back
# in psql.
HISTORY = """
    BEGIN;
    SET LOCAL application_name = 'boardcast-api';
    SELECT set_config('feed.actor', 'ana', true), set_config('feed.origin', 'c1f0a7d2-19', true);
    UPDATE opportunities SET phase = 'won', value = 38000 WHERE company = 'Hotel Maré Alta';
    COMMIT;
    UPDATE feed.log
    SET at = date_trunc('day', now()) - interval '1 day' + CASE actor WHEN 'ana' THEN interval '10:02' ELSE '8:30' END;
    BEGIN;
    SET LOCAL application_name = 'psql';
    DELETE FROM feed.boards WHERE id = 'parcerias';
    COMMIT;
    BEGIN;
    SET LOCAL application_name = 'crm';
    SELECT set_config('feed.origin', 'job:nightly', true);
    UPDATE opportunities SET probability = probability + 5 WHERE board_id = 'vendas' AND phase IN ('negotiation', 'proposal');
    COMMIT;
    SET application_name = 'psql';
    UPDATE opportunities SET phase = 'negotiation' WHERE company = 'Hotel Maré Alta';
"""


# While the services run and two users are connected, one of them writes a note.
JUST_NOW = """
    BEGIN;
    SET LOCAL application_name = 'boardcast-api';
    SELECT set_config('feed.actor', 'bruno', true), set_config('feed.origin', 'c1f0a7d2-20', true);
    UPDATE opportunities SET notes = 'Ligar na quinta' WHERE company = 'Hotel Maré Alta';
    COMMIT;
"""


class Block(NamedTuple):
    heading: str
    line: int
    commands: str
    output: str
    """The documented output, or empty."""


@cache
def blocks() -> list[Block]:
    found, heading = [], ""
    pattern = re.compile(
        r"^## (?P<heading>[^\n]*)$|^```sql\n(?P<commands>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?",
        re.MULTILINE | re.DOTALL,
    )
    text = PAGE.read_text()
    for match in pattern.finditer(text):
        if match["heading"]:
            heading = match["heading"]
        else:
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(heading, line, match["commands"], match["output"] or ""))
    return found


def run(database: Database, commands: str, *, role: str | None = "feed_dba") -> str:
    """Return the output of psql; commands with \\watch run once."""
    commands_once = re.sub(r"\s*\\watch.*$", ";", commands, flags=re.MULTILINE)
    url = make_conninfo(database.url, options="" if role is None else f"-c role={role}")
    arguments = [PSQL, url, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-P", "pager=off", "-f", "-"]
    done = subprocess.run(arguments, input=commands_once, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{commands}\n{done.stderr}"
    return done.stdout


def column_names(output: str) -> list[str]:
    """Return the header lines (those above a line of dashes), or the column names of expanded output."""
    lines = output.splitlines()
    above = [line for line, below in pairwise(lines) if re.fullmatch(r"-[-+]*", below.strip())]
    above = [re.sub(r"\s*\|\s*", "|", line.strip()) for line in above]
    expanded = [line.partition("|")[0].strip() for line in lines if " | " in line] if "-[ RECORD" in output else []
    return above or expanded


@pytest.fixture
async def demo_database(database: Database) -> AsyncIterator[Database]:
    """The database after that history, with services that seem to have run all the time."""
    engine = create_engine(database.url, size=1)
    await demo.seed(engine)
    await engine.dispose()
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
        await conn.execute(HISTORY)
    async with serving(database) as services:
        ana, bruno = await services.open("websocket"), await services.open("websocket", user="bruno")
        assert isinstance(ana, WebSocketClient)
        await services.api()
        shift_start = "UPDATE feed.instances SET started = started - interval '3 days' WHERE ready AND reads > 0 RETURNING instance"

        async def both_registered() -> bool:
            return len(await database.execute(shift_start)) == 2

        await until(both_registered, timeout=10)
        async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
            await conn.execute(JUST_NOW)
        cursor = (await ana.next_event()).cursor
        await bruno.next_event()
        await ana.send({"type": "ping", "cursor": cursor})

        async def is_reported() -> bool:
            (row,) = await database.execute(
                "SELECT (SELECT count(*) FROM feed.delivery_journal) AS entries,"
                " (SELECT count(*) FROM feed.client_positions) AS positions"
            )
            return row == {"entries": 2, "positions": 1}

        await until(is_reported, timeout=10)
        yield database


async def test_each_block_prints_the_documented_columns(demo_database: Database) -> None:
    assert len(blocks()) > 12
    try:
        for block in blocks():
            output = run(demo_database, block.commands, role=None if block.heading == "Roles" else "feed_dba")
            if block.output:
                assert column_names(output) == column_names(block.output) != [], f"docs/dba.md:{block.line}\n{output}"
    finally:
        await demo_database.execute("DROP ROLE IF EXISTS maria")


async def test_a_dba_cannot_change_data(demo_database: Database) -> None:
    with pytest.raises(AssertionError, match="permission denied for table log"):
        run(demo_database, "DELETE FROM feed.log")
    with pytest.raises(AssertionError, match="permission denied for table opportunities"):
        run(demo_database, "UPDATE opportunities SET title = 'x'")


async def test_the_page_lists_every_view_and_function(database: Database) -> None:
    existing = await database.execute(
        """
        SELECT relname AS name FROM pg_class WHERE relnamespace = 'feed'::regnamespace AND relkind = 'v'
        UNION ALL
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'feed'::regnamespace AND has_function_privilege('feed_dba', oid, 'EXECUTE')
        """
    )
    documented = [re.sub(r"^feed\.|\(.*", "", name) for name in column("dba.md", "Views and functions")]
    assert sorted(row["name"] for row in existing if row["name"] not in INTERNAL) == sorted(documented)


INTERNAL = {
    "board_index",
    "card_details",
    "card_image",
    "stage_kind",
    "short_text",
    "card_names",
    "field_names",
    "mapped_column",
    "stored_image",
    "user_columns",
    "users_with_email",
    "checkpoint_seen",
    "identify",
    "row_key",
    "display_value",
    "relation_name",
    "trigger_arguments",
    "log_partitions",
    "current_partition",
    "first_partition_since",
    "fed_columns",
    "attach_command",
    "all_partitions",
    "created_partitions",
    "plain_relations",
    "normalize_image",
    "table_layout",
    "redefined_columns",
    "later_triggers",
    "columns_image",
    "unsafe_columns",
    "row_json",
    "converts_safely",
    "marked_text",
    "short_key",
    "version_number",
    "valid_traceparent",
    "compact_changes",
    "complete_image",
    "image_after",
    "image_before",
    "row_image",
    "value_image",
    "typed_image",
    "trusted_type",
    "plain_text",
    "current_columns",
    "opportunities_table",
    "users_table",
    "single_key",
    "default_board",
    "json_text",
    "matches_any",
    "opportunity_source",
    "opportunities_on",
    "opportunities_of",
    "opportunities_page",
    "opportunity_image",
    "versions_on",
    "user_names",
    "seal_hash",
    "hash_changes",
}
"""Functions that the views and services call, which a DBA does not need."""
