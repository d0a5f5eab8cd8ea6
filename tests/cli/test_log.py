"""The log on the command line: what is asked for and nothing else, and all of it, whatever happens meanwhile."""

import json
import os
import re
import select
from collections.abc import Iterator
from typing import Any, LiteralString

import pytest
from psycopg import sql

from cli.failures import DATABASE, PROBLEMS, USAGE
from db.changelog.positions import Position
from db.embedded.server import EmbeddedPostgres
from db.sqlfiles import sql as sql_of
from feed.wire.cursor import Cursor
from tests.cli.following import Following, following, piped
from tests.cli.harness import Commands
from tests.support.database import Database
from tests.support.services import people
from tests.support.until import until

MOVE = "UPDATE opportunities SET phase = phase || 'x' WHERE id = 'o1'"


async def seqs(database: Database, condition: LiteralString = "true") -> list[int]:
    found = await database.execute(f"SELECT seq FROM feed.log WHERE {condition} ORDER BY seq")  # noqa: S608 - a test's own
    return [row["seq"] for row in found]


async def all_shown(process: Following, database: Database) -> None:
    """Wait until what is shown is the whole log, each change once."""
    everything = await seqs(database)
    await until(lambda: process.seqs() == everything, timeout=30)


def shown(commands: Commands, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in commands.output("log", "--json", *arguments).splitlines()]


def told(commands: Commands, *arguments: str) -> list[int]:
    return [line["seq"] for line in shown(commands, *arguments)]


@pytest.fixture
async def story(production: Commands, database: Database) -> Commands:
    """Two boards and a card, which Ana moves by the API; a job changes another one, which somebody deletes in psql."""
    await people(database)
    async with await database.connect() as conn:
        async with conn.transaction():
            await conn.execute("SET LOCAL application_name = 'boardcast-api'")
            await conn.execute("SELECT set_config('feed.actor', 'ana', true), set_config('feed.origin', 'req-1', true)")
            await conn.execute("UPDATE opportunities SET phase = 'won', value = 5 WHERE id = 'o1'")
        async with conn.transaction():
            await conn.execute("SELECT set_config('feed.origin', 'job:nightly', true)")
            await conn.execute(
                "INSERT INTO opportunities (id, board_id, title) VALUES ('o2', 'b2', E'Tw\\x1bo\\nlines')"
            )
            await conn.execute("UPDATE opportunities SET probability = 10 WHERE id = 'o2'")
        await conn.execute("SET application_name = 'psql'")
        await conn.execute("DELETE FROM opportunities WHERE id = 'o2'")
    return production


def test_a_change_is_a_line(story: Commands) -> None:
    *_, moved, made, changed, deleted = story.output("log").splitlines()
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+\d\d:\d\d"
    assert re.fullmatch(
        time + r"  \d+  ana  update opportunities “First” o1  phase: new -> won; value: null -> 5\.00"
        r"  \(board b1, 1 of 1, api, boardcast-api, 127\.0\.0\.1, req-1\)",
        moved,
    )
    assert "insert opportunities “Tw\\x1bo\\nlines” o2  (board b2, 1 of 2, job, " in made
    assert "2 of 2, job, " in changed
    assert re.search(r"  boardcast  delete opportunities .* \(board b2, 1 of 1, psql, 127\.0\.0\.1\)$", deleted)


async def test_a_program_gets_objects(story: Commands, database: Database) -> None:
    assert told(story) == await seqs(database)
    (line,) = shown(story, "--limit", "1", "--actor", "ana")
    assert (line["op"], line["source"], line["step"], line["origin"]) == ("update", "api", "1 of 1", "req-1")
    assert line["changes"] == "phase: new -> won; value: null -> 5.00"


@pytest.mark.parametrize(
    ("arguments", "condition"),
    [
        (["--board", "b2"], "board = 'b2'"),
        (["--opportunity", "o2"], "relation = 'opportunities' AND key = 'o2'"),
        (["--actor", "ana"], "actor = 'ana'"),
        (["--table", "board_members"], "relation = 'board_members'"),
        (["--table", "public.boards"], "relation = 'boards'"),
        (["--origin", "job"], "origin = 'job:nightly'"),
        (["--origin", "req-1"], "origin = 'req-1'"),
        (["--origin", "psql", "--board", "b2"], "application = 'psql' AND board = 'b2'"),
        (["--board", "b1", "--actor", "nobody"], "false"),
        (["--since", "10 min"], "true"),
        (["--since", "today", "--until", "2099-01-01"], "true"),
        (["--until", "yesterday"], "false"),
        (["--since", "3", "--until", "6"], "seq BETWEEN 3 AND 5"),
        (["--since", "3", "--limit", "2"], "seq > (SELECT max(seq) - 2 FROM feed.log)"),
        (["--since", "999999"], "false"),
    ],
)
async def test_filters(story: Commands, database: Database, arguments: list[str], condition: LiteralString) -> None:
    assert told(story, *arguments) == await seqs(database, condition)


async def test_a_time_divides_the_log(story: Commands, database: Database) -> None:
    (row,) = await database.execute("SELECT clock_timestamp() AS at")
    await database.execute(MOVE)
    newest = (await seqs(database))[-1]
    assert told(story, "--since", row["at"].isoformat()) == [newest]
    assert newest not in told(story, "--until", row["at"].isoformat())


async def test_what_a_cursor_lacks_in_the_order_in_which_clients_are_told(story: Commands, database: Database) -> None:
    async with await database.connect() as conn, await database.connect() as other, await database.connect() as look:
        await conn.execute("BEGIN")
        await conn.execute(MOVE)
        position = await look.execute(sql_of("queries/position"))
        here = Position(*(await position.fetchone() or {}).values())
        (row,) = await database.execute("SELECT feed_id FROM feed.identity")
        cursor = Cursor.at(row["feed_id"], here)
        await other.execute("UPDATE boards SET name = 'Other' WHERE id = 'b2'")
        await conn.execute("UPDATE opportunities SET title = 'T' WHERE id = 'o1'")
        await conn.execute("COMMIT")
    first, second, third = (await seqs(database))[-3:]
    assert told(story, "--since", str(cursor)) == [second, first, third]
    assert told(story, "--since", str(cursor), "--limit", "1") == [third]
    foreign = Cursor("other", cursor.seen, cursor.anchor, cursor.tag)
    status, said = story.fails("log", "--since", str(foreign))
    assert (status, "(foreign)" in said, f"boardcast explain {foreign}" in said) == (PROBLEMS, True, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--board", "b9"], "unknown board 'b9'"),
        (["--opportunity", "o9"], "unknown opportunity 'o9'"),
        (["--table", "nowhere"], "unknown table 'nowhere'"),
        (["--table", "users"], "is not attached: run boardcast attach users"),
        (["--since", "soon"], "--since must be an age such as '10 min'"),
        (["--until", "soon"], "--until must be"),
        (["--limit", "0"], "--limit"),
        (["--follow", "--until", "5"], "leave out --until"),
        (["--table", "boards", "--opportunity", "o1"], "leave out --table"),
        (["--colour", "red"], "--colour"),
    ],
)
def test_what_cannot_be_asked_for(story: Commands, arguments: list[str], words: str) -> None:
    status, said = story.fails("log", *arguments)
    assert (status, words in said) == (USAGE, True), said


async def test_what_has_gone_can_be_asked_for(story: Commands, database: Database) -> None:
    await database.execute("DELETE FROM boards WHERE id = 'b2'")
    await database.execute("SELECT feed.detach('boards')")
    assert told(story, "--board", "b2") == await seqs(database, "board = 'b2'")
    assert told(story, "--opportunity", "o2")
    assert told(story, "--table", "boards")


async def test_a_log_of_many_thousands(story: Commands, database: Database) -> None:
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT 'n' || n, 'b1' FROM generate_series(1, 20000) AS n"
    )
    found = await seqs(database)
    assert told(story, "--since", "1") == found
    assert told(story, "--limit", "12000") == found[-12000:]
    assert told(story, "--board", "b2", "--limit", "3") == (await seqs(database, "board = 'b2'"))[-3:]


def test_who_reads_no_more_ends_it_quietly(story: Commands) -> None:
    for arguments, statuses in ((["log"], {0, 141}), (["log", "--follow"], {141})):
        with piped(story, *arguments) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() != b""
            process.stdout.close()
            assert process.wait(10) in statuses
            assert process.stderr.read() == b""


@pytest.fixture
def follow(story: Commands) -> Iterator[Following]:
    with following(story, "--since", "0") as process:
        yield process


async def test_what_is_written_is_shown_once_in_the_order_of_commits(follow: Following, database: Database) -> None:
    before = await seqs(database)
    await until(lambda: follow.seqs() == before, timeout=20)
    async with await database.connect() as conn, await database.connect() as other:
        await conn.execute("BEGIN")
        await conn.execute(MOVE)
        await other.execute("UPDATE boards SET name = 'Other' WHERE id = 'b2'")
        first, second = before[-1] + 1, before[-1] + 2
        await until(lambda: follow.seqs() == [*before, second])
        await conn.execute("COMMIT")
    await until(lambda: follow.seqs() == [*before, second, first])
    assert follow.interrupt() == 130
    assert follow.said() == []


async def test_a_great_transaction_is_shown_whole(follow: Following, database: Database) -> None:
    await until(lambda: len(follow.seqs()) > 0, timeout=20)
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT 'n' || n, 'b1' FROM generate_series(1, 3000) AS n"
    )
    await all_shown(follow, database)


async def test_a_filter_holds_for_what_is_to_come(story: Commands, database: Database) -> None:
    with following(story, "--opportunity", "o1", "--limit", "1") as process:
        await until(lambda: len(process.seqs()) == 1, timeout=20)
        await database.execute("UPDATE boards SET name = 'Other'")
        await database.execute(MOVE)
        await until(lambda: len(process.seqs()) == 2)
        assert [line["key"] for line in process.lines()] == ["o1", "o1"]
        assert process.seqs()[-1] == (await seqs(database))[-1]


@pytest.fixture
async def own(commands: Commands, own_server: EmbeddedPostgres) -> Database:
    """A server to kill, with people on it, named to the commands."""
    database = Database(own_server.url(), "boardcast")
    await people(database)
    commands.env["DATABASE_URL"] = own_server.url()
    return database


async def test_a_server_that_dies_is_waited_for_and_nothing_is_excluded(
    commands: Commands, own: Database, own_server: EmbeddedPostgres
) -> None:
    with following(commands, "--since", "0") as process:
        await all_shown(process, own)
        for _ in range(2):
            own_server.kill()
            await until(lambda: any("unavailable, retrying" in line for line in process.said()[-1:]), timeout=20)
            own_server.start()
            for _ in range(3):
                await own.execute(MOVE)
            await all_shown(process, own)
        said = process.said()
        assert [("unavailable, retrying" in line, "available again after" in line) for line in said] == [
            (True, False),
            (False, True),
        ] * 2
        assert all(line.startswith("boardcast: ") for line in said)
        assert said[1].endswith("no changes are missing")
        assert process.interrupt() == 130
        assert process.said() == said


async def test_a_server_that_is_not_there_yet_is_waited_for(
    commands: Commands, own: Database, own_server: EmbeddedPostgres
) -> None:
    everything = await seqs(own)
    own_server.stop()
    with following(commands, "--since", "0") as process:
        await until(lambda: len(process.said()) == 1, timeout=20)
        assert "unavailable, retrying" in process.said()[0]
        own_server.start()
        await until(lambda: process.seqs() == everything, timeout=30)
        assert process.interrupt() == 130


def test_a_server_that_refuses_is_not_waited_for(story: Commands, database: Database) -> None:
    wrong = database.url.replace("boardcast:", "nobody-knows:", 1)
    status, said = story.fails("log", "--follow", DATABASE_URL=wrong)
    assert (status, "nobody-knows" in said) == (DATABASE, True)


async def test_a_reset_of_the_feed_is_said(follow: Following, story: Commands, database: Database) -> None:
    await all_shown(follow, database)
    await database.execute("SELECT feed.reset_feed('a test')")
    for _ in range(3):
        await database.execute(MOVE)
    await until(lambda: len(follow.said()) == 1, timeout=20)
    assert re.search(r"log history changed \(foreign\); continuing after change \d+$", follow.said()[0])
    await database.execute(MOVE)
    await all_shown(follow, database)


async def test_who_reads_slowly_holds_nothing_up(story: Commands, database: Database) -> None:
    """A pager that is not scrolled on: no listener that hears nothing, no snapshot that keeps dead rows; and then all of it."""
    with piped(story, "log", "--follow", "--json", "--limit", "1") as process:
        out = process.stdout
        assert out is not None
        data = os.read(out.fileno(), 65536)
        await database.execute(
            "INSERT INTO opportunities (id, board_id) SELECT 'n' || n, 'b1' FROM generate_series(1, 3000) AS n"
        )

        async def let_go() -> bool:
            found = await database.execute(
                "SELECT query, state, backend_xmin FROM pg_stat_activity"
                " WHERE application_name = 'boardcast-log' AND datname = current_database()"
            )
            idle = all(row["state"] == "idle" and row["backend_xmin"] is None for row in found)
            return len(found) == 2 and idle and any(row["query"].startswith("UNLISTEN") for row in found)

        await until(let_go, timeout=20)
        await database.execute(MOVE)
        wanted = await seqs(database)
        while f'"seq":{wanted[-1]},'.encode() not in data:
            ready, _, _ = select.select([out], [], [], 20)
            assert ready
            data += os.read(out.fileno(), 65536)
    assert [json.loads(line)["seq"] for line in data.splitlines()] == wanted[-3002:]


@pytest.fixture
async def dba(story: Commands, database: Database) -> Any:
    """The same commands, by one who has feed_dba and nothing else."""
    login = f"maria_{database.name}"
    async with await database.connect() as conn:
        name = sql.Identifier(login)
        await conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x' IN ROLE feed_dba").format(name))
        port = database.url.rpartition("@")[2]
        story.env["DATABASE_URL"] = f"postgresql://{login}:x@{port}"
        yield story
        await conn.execute(sql.SQL("DROP ROLE {}").format(name))


async def test_feed_dba_is_enough(dba: Commands, database: Database) -> None:
    everything = await seqs(database)
    assert told(dba) == everything
    assert told(dba, "--board", "b1", "--table", "opportunities", "--since", "10 min")
    assert dba.output("explain", str(everything[-1]))
    with following(dba, "--limit", "1") as process:
        await until(lambda: process.seqs() == everything[-1:], timeout=20)
        await database.execute(MOVE)
        await until(lambda: len(process.seqs()) == 2)
        assert process.said() == []
        assert process.interrupt() == 130


async def test_a_role_without_rights_is_told_which_it_needs(dba: Commands, database: Database) -> None:
    login = f"maria_{database.name}"
    await database.execute(f"REVOKE feed_dba FROM {login}")
    for arguments in (["log"], ["log", "--follow"], ["explain", "1"]):
        status, said = dba.fails(*arguments)
        assert (status, "feed_dba" in said) == (DATABASE, True), said


def test_times_of_the_command_line(story: Commands) -> None:
    """However an age is written it is the same."""
    ages = ["10 min", "10m", "600s", "10 minutes", "600 seconds", "1h", "2 days", "1 week"]
    assert len({tuple(told(story, "--since", age)) for age in ages}) == 1
