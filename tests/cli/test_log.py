"""`boardcast log` prints all changes that match and no others, whatever happens while it runs."""

import json
import os
import re
import select
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, LiteralString

import pytest
from psycopg import sql

from cli.failures import DATABASE, PROBLEMS, USAGE
from db.changelog.positions import Position
from db.embedded.server import EmbeddedPostgres
from db.sqlfiles import sql as sql_of
from feed.wire.cursor import Cursor
from tests.cli.following import LogFollower, follow_log, piped
from tests.cli.harness import Commands
from tests.support.database import Database, cloned
from tests.support.services import add_people
from tests.support.until import until

MOVE = "UPDATE opportunities SET phase = phase || 'x' WHERE id = 'o1'"


async def seqs(database: Database, condition: LiteralString = "true") -> list[int]:
    found = await database.execute(f"SELECT seq FROM feed.log WHERE {condition} ORDER BY seq")  # noqa: S608 - constants of the tests
    return [row["seq"] for row in found]


async def wait_until_complete(process: LogFollower, database: Database) -> None:
    """Wait until the output is the whole log, with each change once."""
    all_seqs = await seqs(database)
    await until(lambda: process.seqs() == all_seqs, timeout=30)


def log_lines(commands: Commands, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in commands.output("log", "--json", *arguments).splitlines()]


def log_seqs(commands: Commands, *arguments: str) -> list[int]:
    return [line["seq"] for line in log_lines(commands, *arguments)]


@pytest.fixture
async def history(production: Commands, database: Database) -> Commands:
    """Ana moves card o1 through the API; a job creates and changes o2, which is then deleted in psql."""
    await write_history(database)
    return production


@pytest.fixture(scope="module")
async def kept_history(server: EmbeddedPostgres, template: str) -> AsyncIterator[tuple[Commands, Database]]:
    """The same, for tests that only read it."""
    with cloned(server, template) as database, tempfile.TemporaryDirectory(prefix="boardcast-") as folder:
        await write_history(database)
        yield Commands(Path(folder), {"DATABASE_URL": database.url}), database


async def write_history(database: Database) -> None:
    await add_people(database)
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


def test_a_change_is_one_line(history: Commands) -> None:
    *_, moved, made, changed, deleted = history.output("log").splitlines()
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+\d\d:\d\d"
    assert re.fullmatch(
        time + r"  \d+  ana  update opportunities “First” o1  phase: new -> won; value: null -> 5\.00"
        r"  \(board b1, 1 of 1, api, boardcast-api, 127\.0\.0\.1, req-1\)",
        moved,
    )
    assert "insert opportunities “Tw\\x1bo\\nlines” o2  (board b2, 1 of 2, job, " in made
    assert "2 of 2, job, " in changed
    assert re.search(r"  boardcast  delete opportunities .* \(board b2, 1 of 1, psql, 127\.0\.0\.1\)$", deleted)


async def test_json_output(history: Commands, database: Database) -> None:
    assert log_seqs(history) == await seqs(database)
    (line,) = log_lines(history, "--limit", "1", "--actor", "ana")
    assert (line["op"], line["source"], line["step"], line["origin"]) == ("update", "api", "1 of 1", "req-1")
    assert line["changes"] == "phase: new -> won; value: null -> 5.00"


@pytest.mark.parametrize(
    ("arguments", "condition"),
    [
        (["--board", "b2"], "board = 'b2'"),
        (["--opportunity", "o2"], "relation = 'opportunities' AND key = 'o2'"),
        (["--actor", "ana"], "actor = 'ana'"),
        (["--table", "feed.board_members"], "relation = 'feed.board_members'"),
        (["--table", "feed.boards"], "relation = 'feed.boards'"),
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
async def test_filters(kept_history: tuple[Commands, Database], arguments: list[str], condition: LiteralString) -> None:
    history, database = kept_history
    assert log_seqs(history, *arguments) == await seqs(database, condition)


async def test_since_and_until_a_time(history: Commands, database: Database) -> None:
    (row,) = await database.execute("SELECT clock_timestamp() AS at")
    await database.execute(MOVE)
    newest = (await seqs(database))[-1]
    assert log_seqs(history, "--since", row["at"].isoformat()) == [newest]
    assert newest not in log_seqs(history, "--until", row["at"].isoformat())


async def test_since_a_cursor_shows_what_it_lacks_in_delivery_order(history: Commands, database: Database) -> None:
    async with (
        await database.connect() as conn,
        await database.connect() as other,
        await database.connect() as observer,
    ):
        await conn.execute("BEGIN")
        await conn.execute(MOVE)
        position = await observer.execute(sql_of("queries/position"))
        position_now = Position(*(await position.fetchone() or {}).values())
        (row,) = await database.execute("SELECT feed_id FROM feed.identity")
        cursor = Cursor.at(row["feed_id"], position_now)
        await other.execute("UPDATE feed.boards SET name = 'Other' WHERE id = 'b2'")
        await conn.execute("UPDATE opportunities SET title = 'T' WHERE id = 'o1'")
        await conn.execute("COMMIT")
    first, second, third = (await seqs(database))[-3:]
    assert log_seqs(history, "--since", str(cursor)) == [second, first, third]
    assert log_seqs(history, "--since", str(cursor), "--limit", "1") == [third]
    foreign = Cursor("other", cursor.seen, cursor.anchor, cursor.tag)
    status, message = history.fails("log", "--since", str(foreign))
    assert (status, "(foreign)" in message, f"boardcast explain {foreign}" in message) == (PROBLEMS, True, True)


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
        (["--table", "feed.boards", "--opportunity", "o1"], "leave out --table"),
        (["--colour", "red"], "--colour"),
    ],
)
def test_invalid_arguments_are_refused(
    kept_history: tuple[Commands, Database], arguments: list[str], words: str
) -> None:
    status, message = kept_history[0].fails("log", *arguments)
    assert (status, words in message) == (USAGE, True), message


async def test_deleted_boards_and_detached_tables_can_be_queried(history: Commands, database: Database) -> None:
    await database.execute("DELETE FROM feed.boards WHERE id = 'b2'")
    await database.execute("SELECT feed.detach('feed.boards')")
    assert log_seqs(history, "--board", "b2") == await seqs(database, "board = 'b2'")
    assert log_seqs(history, "--opportunity", "o2")
    assert log_seqs(history, "--table", "feed.boards")


async def test_a_log_of_many_thousands(history: Commands, database: Database) -> None:
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT 'n' || n, 'b1' FROM generate_series(1, 20000) AS n"
    )
    found = await seqs(database)
    assert log_seqs(history, "--since", "1") == found
    assert log_seqs(history, "--limit", "12000") == found[-12000:]
    assert log_seqs(history, "--board", "b2", "--limit", "3") == (await seqs(database, "board = 'b2'"))[-3:]


def test_a_closed_pipe_ends_the_command_quietly(history: Commands) -> None:
    for arguments, statuses in ((["log"], {0, 141}), (["log", "--follow"], {141})):
        with piped(history, *arguments) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() != b""
            process.stdout.close()
            assert process.wait(10) in statuses
            assert process.stderr.read() == b""


@pytest.fixture
def follow(history: Commands) -> Iterator[LogFollower]:
    with follow_log(history, "--since", "0") as process:
        yield process


async def test_follow_shows_each_change_once_in_commit_order(follow: LogFollower, database: Database) -> None:
    before = await seqs(database)
    await until(lambda: follow.seqs() == before, timeout=20)
    async with await database.connect() as conn, await database.connect() as other:
        await conn.execute("BEGIN")
        await conn.execute(MOVE)
        await other.execute("UPDATE feed.boards SET name = 'Other' WHERE id = 'b2'")
        first, second = before[-1] + 1, before[-1] + 2
        await until(lambda: follow.seqs() == [*before, second])
        await conn.execute("COMMIT")
    await until(lambda: follow.seqs() == [*before, second, first])
    assert follow.interrupt() == 130
    assert follow.messages() == []


async def test_follow_shows_a_large_transaction_completely(follow: LogFollower, database: Database) -> None:
    await until(lambda: len(follow.seqs()) > 0, timeout=20)
    await database.execute(
        "INSERT INTO opportunities (id, board_id) SELECT 'n' || n, 'b1' FROM generate_series(1, 3000) AS n"
    )
    await wait_until_complete(follow, database)


async def test_follow_applies_filters_to_new_changes(history: Commands, database: Database) -> None:
    with follow_log(history, "--opportunity", "o1", "--limit", "1") as process:
        await until(lambda: len(process.seqs()) == 1, timeout=20)
        await database.execute("UPDATE feed.boards SET name = 'Other'")
        await database.execute(MOVE)
        await until(lambda: len(process.seqs()) == 2)
        assert [line["key"] for line in process.lines()] == ["o1", "o1"]
        assert process.seqs()[-1] == (await seqs(database))[-1]


@pytest.fixture
async def killable_database(commands: Commands, own_server: EmbeddedPostgres) -> Database:
    """The database of a server that the test kills; the commands use it."""
    database = Database(own_server.url(), "boardcast")
    await add_people(database)
    commands.env["DATABASE_URL"] = own_server.url()
    return database


async def test_follow_survives_server_crashes_without_missing_changes(
    commands: Commands, killable_database: Database, own_server: EmbeddedPostgres
) -> None:
    with follow_log(commands, "--since", "0") as process:
        await wait_until_complete(process, killable_database)
        for _ in range(2):
            own_server.kill()
            await until(lambda: any("unavailable, retrying" in line for line in process.messages()[-1:]), timeout=20)
            own_server.start()
            for _ in range(3):
                await killable_database.execute(MOVE)
            await wait_until_complete(process, killable_database)
        message = process.messages()
        assert [("unavailable, retrying" in line, "available again after" in line) for line in message] == [
            (True, False),
            (False, True),
        ] * 2
        assert all(line.startswith("boardcast: ") for line in message)
        assert message[1].endswith("no changes are missing")
        assert process.interrupt() == 130
        assert process.messages() == message


async def test_follow_waits_for_a_stopped_server(
    commands: Commands, killable_database: Database, own_server: EmbeddedPostgres
) -> None:
    all_seqs = await seqs(killable_database)
    own_server.stop()
    with follow_log(commands, "--since", "0") as process:
        await until(lambda: len(process.messages()) == 1, timeout=20)
        assert "unavailable, retrying" in process.messages()[0]
        own_server.start()
        await until(lambda: process.seqs() == all_seqs, timeout=30)
        assert process.interrupt() == 130


def test_follow_does_not_retry_a_refused_login(history: Commands, database: Database) -> None:
    wrong = database.url.replace("boardcast:", "unknown-user:", 1)
    status, message = history.fails("log", "--follow", DATABASE_URL=wrong)
    assert (status, "unknown-user" in message) == (DATABASE, True)


async def test_follow_reports_a_reset_of_the_feed(follow: LogFollower, history: Commands, database: Database) -> None:
    await wait_until_complete(follow, database)
    await database.execute("SELECT feed.reset_feed('a test')")
    for _ in range(3):
        await database.execute(MOVE)
    await until(lambda: len(follow.messages()) == 1, timeout=20)
    assert re.search(r"log history changed \(foreign\); continuing after change \d+$", follow.messages()[0])
    await database.execute(MOVE)
    await wait_until_complete(follow, database)


async def test_a_slow_reader_holds_no_snapshot_and_no_notifications(history: Commands, database: Database) -> None:
    """For example a pager: it must not block the notification queue or vacuum, and must get every line later."""
    with piped(history, "log", "--follow", "--json", "--limit", "1") as process:
        out = process.stdout
        assert out is not None
        data = os.read(out.fileno(), 65536)
        await database.execute(
            "INSERT INTO opportunities (id, board_id) SELECT 'n' || n, 'b1' FROM generate_series(1, 3000) AS n"
        )

        async def is_unlistened() -> bool:
            found = await database.execute(
                "SELECT query, state, backend_xmin FROM pg_stat_activity"
                " WHERE application_name = 'boardcast-log' AND datname = current_database()"
            )
            idle = all(row["state"] == "idle" and row["backend_xmin"] is None for row in found)
            return len(found) == 2 and idle and any(row["query"].startswith("UNLISTEN") for row in found)

        await until(is_unlistened, timeout=20)
        await database.execute(MOVE)
        expected = await seqs(database)
        while f'"seq":{expected[-1]},'.encode() not in data:
            ready, _, _ = select.select([out], [], [], 20)
            assert ready
            data += os.read(out.fileno(), 65536)
    assert [json.loads(line)["seq"] for line in data.splitlines()] == expected[-3002:]


@pytest.fixture
async def dba(history: Commands, database: Database) -> Any:
    """The same commands, with a role that has only feed_dba."""
    role_name = f"maria_{database.name}"
    async with await database.connect() as conn:
        name = sql.Identifier(role_name)
        await conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x' IN ROLE feed_dba").format(name))
        port = database.url.rpartition("@")[2]
        history.env["DATABASE_URL"] = f"postgresql://{role_name}:x@{port}"
        yield history
        await conn.execute(sql.SQL("DROP ROLE {}").format(name))


async def test_feed_dba_is_enough(dba: Commands, database: Database) -> None:
    all_seqs = await seqs(database)
    assert log_seqs(dba) == all_seqs
    assert log_seqs(dba, "--board", "b1", "--table", "opportunities", "--since", "10 min")
    assert dba.output("explain", str(all_seqs[-1]))
    with follow_log(dba, "--limit", "1") as process:
        await until(lambda: process.seqs() == all_seqs[-1:], timeout=20)
        await database.execute(MOVE)
        await until(lambda: len(process.seqs()) == 2)
        assert process.messages() == []
        assert process.interrupt() == 130


async def test_the_error_names_the_role_that_is_needed(dba: Commands, database: Database) -> None:
    role_name = f"maria_{database.name}"
    await database.execute(f"REVOKE feed_dba FROM {role_name}")
    for arguments in (["log"], ["log", "--follow"], ["explain", "1"]):
        status, message = dba.fails(*arguments)
        assert (status, "feed_dba" in message) == (DATABASE, True), message


def test_notations_of_an_age(history: Commands) -> None:
    """Different notations of an age select the same changes."""
    ages = ["10 min", "10m", "600s", "10 minutes", "600 seconds", "1h", "2 days", "1 week"]
    assert len({tuple(log_seqs(history, "--since", age)) for age in ages}) == 1
