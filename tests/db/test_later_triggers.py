"""A trigger of the application that runs after the version trigger is named, and a migration takes its effect on versions away."""

from typing import LiteralString

import pytest
from psycopg.sql import SQL, Identifier

from db import migrate
from db.migration_check import check
from tests.db.support import Connection, log_rows, newest_seq, rows, value
from tests.db.test_health import health, run_fix
from tests.db.test_verify_damage import kinds
from tests.db.verifying import Plain
from tests.support.database import Database

pytestmark = pytest.mark.any_version

BODIES: dict[str, LiteralString] = {
    "puts it back": "NEW.version_number := OLD.version_number",
    "sets a constant": "NEW.version_number := 1",
    "counts down": "NEW.version_number := OLD.version_number - 1",
    "removes it": "NEW.version_number := 0",
    "puts the row back but for the title": "OLD.title := NEW.title; NEW := OLD",
}
CHANGES: LiteralString = "UPDATE opportunities SET title = title || '.' RETURNING version_number"


async def create(db: Connection, body: LiteralString, name: str = "zzz_keep") -> None:
    await db.execute(
        f"CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body}; RETURN NEW; END$$".encode()
    )
    await db.execute(
        SQL("CREATE TRIGGER {} BEFORE UPDATE ON opportunities FOR EACH ROW EXECUTE FUNCTION keep()").format(
            Identifier(name)
        )
    )


async def test_a_check_of_the_migration_names_the_trigger_that_it_would_add(db: Connection, database: Database) -> None:
    assert check(database.url).steps == []
    await create(db, BODIES["puts it back"])
    (step,) = check(database.url).steps
    assert (
        step == "create trigger zzz_keep_version on public.opportunities, because zzz_keep runs after zz_feed_version"
    )
    migrate.mend(database.url)
    assert check(database.url).steps == []


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_versions_increase_after_the_fix(db: Connection, conn: Plain, body: LiteralString) -> None:
    await create(db, body)
    await db.execute(CHANGES)
    assert await kinds(conn) == set(), "no change was missed"
    finding = await health(db, "opportunities")
    assert finding["status"] == "warning"
    assert "trigger zzz_keep on opportunities runs after zz_feed_version" in finding["found"]
    await run_fix(db, finding["fix"])
    assert (await health(db, "opportunities"))["status"] == "ok"
    assert await rows(db, "SELECT feed.mend()") == []
    start = await value(db, "SELECT version_number FROM opportunities")
    before = await newest_seq(db)
    for _ in range(3):
        await db.execute(CHANGES)
    assert [row["version"] for row in await log_rows(db, before)] == [start + 1, start + 2, start + 3]
    assert await kinds(conn) == set()


@pytest.mark.parametrize("generated", [False, True])
async def test_an_update_without_changes_is_still_none(db: Connection, generated: bool) -> None:
    if generated:
        await db.execute("ALTER TABLE opportunities ADD COLUMN twice text GENERATED ALWAYS AS (title || title) STORED")
    await create(db, BODIES["puts it back"])
    await db.execute("SELECT feed.mend()")
    before = await newest_seq(db)
    done = await db.execute("UPDATE opportunities SET title = title, version_number = 9")
    assert done.statusmessage == "UPDATE 1"
    assert (await log_rows(db, before), await value(db, "SELECT version_number FROM opportunities")) == ([], 1)


async def test_it_goes_when_it_is_no_longer_needed(db: Connection) -> None:
    await create(db, BODIES["puts it back"])
    last = "SELECT max(tgname::text) FROM pg_trigger WHERE tgrelid = 'opportunities'::regclass"
    await db.execute("SELECT feed.mend()")
    assert await value(db, last) == "zzz_keep_version"
    await db.execute("ALTER TRIGGER zzz_keep ON opportunities RENAME TO zzzz")
    assert (await health(db, "opportunities"))["status"] == "warning"
    assert [row["mend"] for row in await rows(db, "SELECT feed.mend()")] == [
        "dropped trigger zzz_keep_version on public.opportunities",
        "created trigger zzzz_version on public.opportunities",
    ]
    await db.execute("DROP TRIGGER zzzz ON opportunities")
    await db.execute("SELECT feed.mend()")
    assert await value(db, last) == "zz_feed_version"


@pytest.mark.parametrize("name", ["zz_feed_version_2", "~", "última", "\U0010ffff", "z" * 63])
async def test_whatever_its_name_is(db: Connection, name: str) -> None:
    await create(db, BODIES["puts it back"], name)
    await run_fix(db, (await health(db, "opportunities"))["fix"].replace("RENAME TO ...", "RENAME TO a"))
    assert (await health(db, "opportunities"))["status"] == "ok"
    before = await newest_seq(db)
    await db.execute(CHANGES)
    assert [row["version"] for row in await log_rows(db, before)] == [2]


@pytest.mark.parametrize("timing", ["AFTER UPDATE", "BEFORE INSERT", "BEFORE DELETE"])
async def test_another_later_trigger_is_none(db: Connection, timing: LiteralString) -> None:
    await db.execute("CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$")
    await db.execute(f"CREATE TRIGGER zzz {timing} ON opportunities FOR EACH ROW EXECUTE FUNCTION keep()".encode())
    assert (await health(db, "opportunities"))["status"] == "ok"
    assert await rows(db, "SELECT feed.mend()") == []
