"""`boardcast explain` for changes and cursors, with real services and clients."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from cli.failures import PROBLEMS, USAGE
from tests.cli.harness import Commands
from tests.support.database import Database
from tests.support.services import Services
from tests.support.streams import WebSocketClient
from tests.support.until import until


def explain(commands: Commands, what: object) -> list[dict[str, Any]]:
    return [json.loads(line) for line in commands.output("explain", "--json", str(what)).splitlines()]


def explain_failure(commands: Commands, what: object) -> str:
    """Run explain for something that is not found or not valid; return its message."""
    done = commands.run("explain", "--json", str(what))
    assert (done.returncode, done.stderr) == (PROBLEMS, "")
    return str(json.loads(done.stdout.splitlines()[-1])["what"])


async def newest_seq(database: Database) -> int:
    (row,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    return int(row["seq"])


async def test_the_steps_of_a_change(services: Services, database: Database, production: Commands) -> None:
    socket, stream = await services.open("websocket"), await services.open("sse", user="bruno")
    assert isinstance(socket, WebSocketClient)
    await services.open("api-events")
    await database.execute("UPDATE opportunities SET title = 'B'")
    cursor = (await socket.next_event()).cursor
    await stream.next_event()
    await socket.send({"type": "ping", "cursor": cursor})
    seq = await newest_seq(database)

    async def is_reported() -> bool:
        (row,) = await database.execute(
            "SELECT (SELECT count(*) FROM feed.delivery_journal) AS entries,"
            " (SELECT count(*) FROM feed.client_positions) AS positions"
        )
        return row == {"entries": 2, "positions": 1}

    await until(is_reported, timeout=10)
    steps = explain(production, seq)
    names = [step["step"] for step in steps]
    assert names[:4] == ["write", "from", "commit", "notify"]
    assert sorted(names[4:]) == ["confirmed", "delivered", "delivered", "read", "read", "since then"]
    at = {
        name: [datetime.fromisoformat(step["at"]) for step in steps if step["step"] == name and step["at"]]
        for name in names
    }
    (write,), (commit,) = at["write"], at["commit"]
    for step in steps:
        if step["at"] is not None:
            assert datetime.fromisoformat(step["at"]) - write == timedelta(seconds=step["after"])
    for service in ("feed", "api"):
        read, delivered = (
            next(
                datetime.fromisoformat(step["at"])
                for step in steps
                if step["step"] == name and step["what"].startswith(service)
            )
            for name in ("read", "delivered")
        )
        assert write <= commit <= read <= delivered < write + timedelta(seconds=5)
    deliveries = {step["what"].partition("-")[0]: step["what"] for step in steps if step["step"] == "delivered"}
    assert deliveries["feed"].endswith(": to 2 of its 2 clients, those that see board b1")
    assert deliveries["api"].endswith(": to 1 of its 1 clients, those that see board b1")
    (confirmed,) = [step for step in steps if step["step"] == "confirmed"]
    assert confirmed["what"].endswith(f": by 1 of its clients, with a cursor that covers it: {cursor} (1)")
    assert datetime.fromisoformat(confirmed["at"]) > write


async def test_the_default_output_is_a_table(services: Services, database: Database, production: Commands) -> None:
    await database.execute("UPDATE opportunities SET title = 'B'")
    head, first, *_ = production.output("explain", str(await newest_seq(database))).splitlines()
    assert head.split() == ["step", "at", "after", "what"]
    assert first.split()[:2][0] == "write"
    assert re.search(r"0\.0 ms +update of opportunities o1 by boardcast: title: First -> B", first)


async def test_changes_that_are_not_found(services: Services, database: Database, production: Commands) -> None:
    first = await newest_seq(database)
    async with await database.connect() as conn, conn.transaction(force_rollback=True):
        await conn.execute("UPDATE opportunities SET title = 'B'")
    await database.execute("UPDATE opportunities SET title = 'C'")
    assert explain_failure(production, first + 1).startswith("its transaction was rolled back")
    assert explain_failure(production, first + 9).startswith("not written yet, or not committed")
    assert explain_failure(production, 0) == "no change has this sequence number"
    await database.execute("SELECT feed.prune(now())")
    assert explain_failure(production, first).startswith("pruned, together with")


async def test_a_cursor(services: Services, database: Database, production: Commands) -> None:
    cursor = str((await services.runtime("sse")).tailer.head)
    await services.open("sse", cursor)
    await database.execute("UPDATE opportunities SET title = 'B'")
    steps = {step["step"]: step["what"] for step in explain(production, cursor)}
    assert steps["resumes"].startswith("yes")
    assert steps["lacks"] == f"board b1: 1 ({await newest_seq(database)})"
    feed, _, rest = cursor.partition(".")
    assert explain_failure(production, f"other.{rest}").startswith("no, foreign")
    assert explain_failure(production, f"{feed}.999999.999999..1.00000000").startswith("no, future")
    assert explain_failure(production, cursor[:-1]).startswith("no, malformed")
    assert explain_failure(production, cursor[:-8] + "00000000").startswith("no, diverged")
    await database.execute("SELECT feed.prune(now())")
    assert explain_failure(production, cursor).startswith("no, pruned")


@pytest.mark.parametrize("arguments", [[], ["1", "2"], ["--seq", "1"]])
def test_usage(production: Commands, arguments: list[str]) -> None:
    assert production.fails("explain", *arguments)[0] == USAGE
