"""pg_dump and pg_restore into another cluster: the log is restored, cursors are invalidated, and the feed continues."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from db.changelog.seals import verify_seals
from db.connection import PsycopgConnection
from db.embedded.binaries import find_binaries
from db.embedded.server import EmbeddedPostgres
from tests.support.database import Database, cloned
from tests.support.services import add_people, serving
from tests.support.streams import TRANSPORTS
from tests.support.until import until


def _copy(binaries: Path, source: Database, target: Database, folder: Path) -> None:
    """Dump and restore as docs/operations.md describes."""
    dump = folder / "crm.dump"
    subprocess.run([binaries / "pg_dump", "--format=custom", f"--file={dump}", source.url], check=True)
    subprocess.run([binaries / "pg_restore", "--exit-on-error", f"--dbname={target.url}", dump], check=True)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_feed_continues_in_a_restored_database(
    database: Database, own_server: EmbeddedPostgres, binaries: Path | None, tmp_path: Path, transport: str
) -> None:
    await add_people(database)
    await database.execute("CREATE TABLE tasks (id int PRIMARY KEY, board text, secret text)")
    await database.execute("""SELECT feed.attach('tasks', board => 'board', exclude => '{secret}')""")
    for number in range(20):
        await database.execute("UPDATE opportunities SET notes = %s WHERE id = 'o1'", [str(number)])
    async with serving(database) as before:
        client = await before.open(transport)
        cursor = client.cursor
    assert cursor is not None
    with cloned(own_server, "template0") as restored:
        await asyncio.to_thread(_copy, binaries or find_binaries(), database, restored, tmp_path)
        count = "SELECT count(*) AS n, max(seq) AS last FROM feed.log"
        assert await restored.execute(count) == await database.execute(count)
        async with serving(restored) as after:
            client = await after.open(transport, cursor, wait_for_auth=False)
            assert (await client.next("reset")).body["reason"] == "foreign"
            for number in (1, 2):
                await restored.execute("INSERT INTO tasks VALUES (%s, 'b1', 'quiet')", [number])
                assert (await client.next_event()).body["key"] == str(number)
            await restored.execute("UPDATE opportunities SET notes = 'after' WHERE id = 'o1'")
            event = await client.next_event()
            assert (event.type, event.body["version"]) == ("opportunity_updated", 22)
            again = await after.open(transport, event.cursor)
            await restored.execute("UPDATE opportunities SET notes = 'and more' WHERE id = 'o1'")
            assert [(await c.next_event()).body["version"] for c in (client, again)] == [23, 23]
            problems = "SELECT topic, found FROM feed.health WHERE status = 'bad'"

            async def healthy() -> bool:
                return await restored.execute(problems) == []

            await until(healthy, timeout=15, what="a healthy feed")
        history = await restored.execute("SELECT count(*) AS n FROM opportunity_versions WHERE opportunity_id = 'o1'")
        assert history == [{"n": 23}]
        images = "SELECT DISTINCT new ? 'secret' AS secret FROM feed.log WHERE relation = 'tasks'"
        assert await restored.execute(images) == [{"secret": False}]


async def test_seals_match_in_a_restored_database_and_go_on(
    database: Database, own_server: EmbeddedPostgres, binaries: Path | None, tmp_path: Path
) -> None:
    await add_people(database)
    await database.execute("SELECT feed.set_seal(true)")
    for number in range(20):
        await database.execute("UPDATE opportunities SET notes = %s WHERE id = 'o1'", [str(number)])
    await database.execute("SELECT feed.seal(9)")
    with cloned(own_server, "template0") as restored:
        await asyncio.to_thread(_copy, binaries or find_binaries(), database, restored, tmp_path)
        hashes = "SELECT hash FROM feed.seals ORDER BY number"
        noted = await restored.execute(hashes)
        assert noted == await database.execute(hashes) != []
        await restored.execute("SELECT feed.identify()")
        await restored.execute("UPDATE opportunities SET notes = 'after' WHERE id = 'o1'")

        async def sealed() -> bool:
            await restored.execute("SELECT feed.seal()")
            count = "SELECT (SELECT count(*) FROM feed.log) = (SELECT sum(changes) FROM feed.seals) AS all"
            return bool((await restored.execute(count))[0]["all"])

        await until(sealed)
        async with await PsycopgConnection.connect(restored.url, autocommit=True) as conn:
            assert [part.broken async for part in verify_seals(conn, part=100)] == [[]]
        assert (await restored.execute(hashes))[: len(noted)] == noted
