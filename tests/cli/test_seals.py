"""`boardcast flags seal on` seals the log, and `boardcast verify` checks the seals."""

import json
from typing import Any

from cli.failures import DATABASE, PROBLEMS
from tests.cli.harness import Commands
from tests.support.database import Database
from tests.support.services import add_people
from tests.support.until import until


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def seal(database: Database) -> int:
    """Seal the whole log; returns the number of its rows."""
    count = "SELECT (SELECT count(*) FROM feed.log) AS rows, (SELECT sum(changes) FROM feed.seals) AS sealed"

    async def sealed() -> bool:
        while (await database.execute("SELECT feed.seal(3) AS more"))[0]["more"]:
            pass
        (row,) = await database.execute(count)
        return bool(row["rows"] == row["sealed"])

    await until(sealed)
    return int((await database.execute(count))[0]["rows"])


async def test_an_altered_row_is_reported(production: Commands, database: Database) -> None:
    await add_people(database)
    assert production.output("flags", "seal", "on") == "sealing of the log is on: the services seal it once a minute"
    assert "seal" in production.output("flags")
    changes = await seal(database)
    done = production.run("verify")
    assert (done.returncode, done.stderr) == (0, "")
    *_, checked, note = done.stdout.splitlines()
    assert checked.endswith(f" seals of {changes} changes checked: 0 broken")
    assert note.startswith("Note this hash elsewhere, for verify --seal: ")
    (summary,) = [one for one in objects(production.output("verify", "--json")) if one["table"] == "feed.seals"]
    assert (summary["rows"], summary["broken"], summary["pruned"]) == (changes, 0, 0)
    assert summary["hash"] in note
    await database.execute("UPDATE feed.log SET actor = 'nobody' WHERE seq = (SELECT min(seq) FROM feed.log)")
    done = production.run("verify")
    assert done.returncode == PROBLEMS
    assert "broken  feed.log seal 1  (" in done.stdout
    assert "a row that it covers was altered, deleted, or inserted after it was sealed" in done.stdout
    done = production.run("verify", "--json")
    (found,) = [one for one in objects(done.stdout) if "what" in one]
    assert (found["what"], found["number"], found["columns"]) == ("broken", 1, ["rows"])


async def test_a_noted_seal_that_is_gone_is_reported(production: Commands, database: Database) -> None:
    await add_people(database)
    production.output("flags", "seal", "on")
    await seal(database)
    (summary,) = [one for one in objects(production.output("verify", "--json")) if one["table"] == "feed.seals"]
    noted = summary["hash"]
    assert production.run("verify", "--seal", noted).returncode == 0
    assert production.run("verify", "--seal", noted.upper(), "--table", "feed.boards").returncode == 0
    await database.execute("TRUNCATE feed.seals")
    assert production.run("verify").returncode == 0
    done = production.run("verify", "--seal", noted)
    assert done.returncode == PROBLEMS
    assert f"missing  feed.log seal {noted}: seals were removed or altered since it was noted" in done.stdout
    (found,) = [one for one in objects(production.run("verify", "--seal", noted, "--json").stdout) if "what" in one]
    assert (found["what"], found["key"]) == ("missing", noted)


async def test_feed_dba_can_check_seals_but_not_switch_them(production: Commands, database: Database) -> None:
    await add_people(database)
    production.output("flags", "seal", "on")
    await seal(database)
    as_dba = {"PGOPTIONS": "-c role=feed_dba"}
    assert "0 broken" in production.run("verify", **as_dba).stdout
    status, message = production.fails("flags", "seal", "off", **as_dba)
    assert status == DATABASE
    assert "permission denied" in message
    assert production.output("flags", "seal", "off", "--json") == '{"seal":"off"}'
