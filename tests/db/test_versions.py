"""The database assigns versions, and the history is read from the log."""

import pytest
from psycopg.sql import SQL, Identifier

from tests.db.support import Connection, log_rows, newest_seq, rows, value

pytestmark = pytest.mark.any_version


async def test_a_client_cannot_choose_a_version(db: Connection) -> None:
    (row,) = await rows(
        db,
        "UPDATE opportunities SET title = 'B', version_number = 70, last_sync_at = '1999-01-01' WHERE id = 'o1' "
        "RETURNING version_number, last_sync_at > now() - interval '1 min' AS fresh",
    )
    assert row == {"version_number": 2, "fresh": True}


async def test_an_update_of_only_the_version_changes_nothing(db: Connection) -> None:
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET version_number = 70, last_sync_at = now() WHERE id = 'o1'")
    assert await value(db, "SELECT version_number FROM opportunities") == 1
    assert await log_rows(db, before) == []


@pytest.mark.parametrize(
    "column",
    [
        None,
        "extra json DEFAULT '{\"a\":  1}'",
        "extra text GENERATED ALWAYS AS (upper(title)) STORED",
        "extra int GENERATED ALWAYS AS IDENTITY",
        "extra text GENERATED ALWAYS AS (upper(title)) STORED, ADD COLUMN more json DEFAULT '[1,  2]'",
        "extra point DEFAULT '(1,2)'",
        "extra numeric DEFAULT 1.50",
    ],
)
async def test_an_update_without_changes_is_not_logged(db: Connection, column: str | None) -> None:
    if column is not None:
        await db.execute(f"ALTER TABLE opportunities ADD COLUMN {column}")
        await db.execute("SELECT feed.mend()")
    before = await newest_seq(db)
    done = await db.execute("UPDATE opportunities SET title = title RETURNING version_number")
    assert done.statusmessage == "UPDATE 1"
    assert await done.fetchall() == [{"version_number": 1}]
    assert await log_rows(db, before) == []


async def test_a_change_beside_a_generated_column_counts(db: Connection) -> None:
    await db.execute("ALTER TABLE opportunities ADD COLUMN extra text GENERATED ALWAYS AS (upper(title)) STORED")
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = 'quiet'")
    (row,) = await log_rows(db, before)
    assert (row["version"], row["new"]["extra"]) == (2, "QUIET")


async def test_a_change_of_a_json_column_counts(db: Connection) -> None:
    await db.execute("ALTER TABLE opportunities ADD COLUMN extra json")
    before = await newest_seq(db)
    await db.execute("""UPDATE opportunities SET extra = '{"a": 1}'""")
    (row,) = await log_rows(db, before)
    assert (row["version"], row["new"]["extra"]) == (2, {"a": 1})


@pytest.mark.parametrize("name", ["zz_feed_version_2", "zzz", "~", "última_alteração", "\U0010ffff"])
@pytest.mark.parametrize("generated", [False, True])
async def test_a_row_that_only_a_later_trigger_changes_gets_a_version(
    db: Connection, name: str, generated: bool
) -> None:
    await db.execute("ALTER TABLE opportunities ADD COLUMN touched int DEFAULT 0")
    if generated:
        await db.execute("ALTER TABLE opportunities ADD COLUMN twice int GENERATED ALWAYS AS (2 * touched) STORED")
        await db.execute("SELECT feed.mend()")
    await db.execute(
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.touched := NEW.touched + 1; RETURN NEW; END$$"
    )
    await db.execute(
        SQL("CREATE TRIGGER {} BEFORE UPDATE ON opportunities FOR EACH ROW EXECUTE FUNCTION touch()").format(
            Identifier(name)
        )
    )
    before = await newest_seq(db)
    for _ in range(2):
        await db.execute("UPDATE opportunities SET title = title")
    assert [(row["version"], row["new"]["touched"]) for row in await log_rows(db, before)] == [(2, 1), (3, 2)]
    await db.execute(SQL("ALTER TABLE opportunities DISABLE TRIGGER {}").format(Identifier(name)))
    await db.execute("UPDATE opportunities SET title = title")
    assert await value(db, "SELECT version_number FROM opportunities") == 3


async def test_the_version_trigger_runs_after_the_applications_triggers(db: Connection) -> None:
    await db.execute(
        "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN NEW.title := upper(NEW.title); RETURN NEW; END$$"
    )
    await db.execute("CREATE TRIGGER a_shout BEFORE UPDATE ON opportunities FOR EACH ROW EXECUTE FUNCTION shout()")
    await db.execute("UPDATE opportunities SET title = 'LOUD'")
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = 'loud'")
    assert await log_rows(db, before) == []


async def test_a_changed_key_is_logged_as_delete_and_insert(db: Connection) -> None:
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET id = 'o9'")
    assert sorted((row["op"], row["key"]) for row in await log_rows(db, before)) == [("delete", "o1"), ("insert", "o9")]
    assert await value(db, "SELECT version_number FROM opportunities") == 2


async def test_a_key_changed_by_a_trigger_is_logged_as_delete_and_insert(db: Connection) -> None:
    await db.execute(
        "CREATE FUNCTION rename() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.id := 'o9'; RETURN NEW; END$$"
    )
    await db.execute("CREATE TRIGGER a_rename BEFORE UPDATE ON opportunities FOR EACH ROW EXECUTE FUNCTION rename()")
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    assert sorted((row["op"], row["key"]) for row in await log_rows(db, before)) == [("delete", "o1"), ("insert", "o9")]


async def test_each_update_gets_its_own_version(db: Connection) -> None:
    statement = "UPDATE opportunities SET probability = coalesce(probability, 0) + 1 RETURNING version_number"
    versions = [await value(db, statement) for _ in range(3)]
    assert versions == [2, 3, 4]


async def test_the_history_survives_the_deletion_of_its_row(db: Connection) -> None:
    await db.execute("UPDATE opportunities SET title = 'B', last_modified_by = 'ana'")
    await db.execute("UPDATE opportunities SET board_id = 'b2'")
    await db.execute("DELETE FROM opportunities")
    found = await rows(
        db,
        "SELECT version_number, data ->> 'title' AS title, data ->> 'board_id' AS board, created_by "
        "FROM opportunity_versions WHERE opportunity_id = 'o1' ORDER BY version_number",
    )
    assert [tuple(row.values()) for row in found] == [
        (1, "A deal", "b1", "boardcast"),
        (2, "B", "b1", "ana"),
        (3, "B", "b2", "boardcast"),
    ]


async def test_the_version_before_attach_is_known_from_the_first_change(db: Connection) -> None:
    await db.execute("SELECT feed.detach('opportunities')")
    await db.execute(
        "INSERT INTO opportunities (id, board_id, title, last_modified_by) VALUES ('old', 'b1', 'Was', 'eva')"
    )
    await db.execute("SELECT feed.attach('opportunities', key => 'id', board => 'board_id')")
    history = "SELECT * FROM opportunity_versions WHERE opportunity_id = 'old' ORDER BY version_number"
    assert await rows(db, history) == []
    await db.execute("UPDATE opportunities SET title = 'Is' WHERE id = 'old'")
    await db.execute("UPDATE opportunities SET title = 'Will be' WHERE id = 'old'")
    first, second, third = await rows(db, history)
    assert (first["version_number"], first["data"]["title"], first["created_by"]) == (1, "Was", "eva")
    assert first["created_at"] < second["created_at"]
    assert (second["version_number"], second["data"]["title"]) == (2, "Is")
    assert (third["version_number"], third["data"]["title"]) == (3, "Will be")
    assert len({row["id"] for row in (first, second, third)}) == 3


async def test_an_adopted_row_that_is_deleted_first_has_a_history(db: Connection) -> None:
    await db.execute("SELECT feed.detach('opportunities')")
    await db.execute(
        "INSERT INTO opportunities (id, board_id, title) VALUES ('old', 'b1', 'Was'), ('moved', 'b1', 'W')"
    )
    await db.execute("SELECT feed.attach('opportunities', key => 'id', board => 'board_id')")
    await db.execute("DELETE FROM opportunities WHERE id = 'old'")
    await db.execute("UPDATE opportunities SET board_id = 'b2' WHERE id = 'moved'")
    found = await rows(
        db,
        "SELECT opportunity_id, version_number, data ->> 'board_id' AS board FROM opportunity_versions "
        "WHERE opportunity_id IN ('old', 'moved') ORDER BY 1, 2",
    )
    assert [tuple(row.values()) for row in found] == [("moved", 1, "b1"), ("moved", 2, "b2"), ("old", 1, "b1")]


async def test_operators_on_the_search_path_cannot_change_versions(db: Connection) -> None:
    await db.execute("CREATE SCHEMA mine")
    for name in ("+", "<>", "="):
        body = "SELECT 70" if name == "+" else "SELECT true"
        kind = "integer" if name == "+" else "boolean"
        await db.execute(
            f"CREATE FUNCTION mine.f_{len(body)}{ord(name[0])}(integer, integer) RETURNS {kind} LANGUAGE sql AS '{body}'"
        )
        await db.execute(
            f"CREATE OPERATOR mine.{name} (FUNCTION = mine.f_{len(body)}{ord(name[0])}, LEFTARG = integer, RIGHTARG = integer)"
        )
    await db.execute("SET search_path = mine, public, pg_catalog")
    assert await value(db, "SELECT 1 + 1") == 70
    await db.execute("UPDATE opportunities SET title = 'B'")
    assert await value(db, "SELECT version_number FROM opportunities") == 2
