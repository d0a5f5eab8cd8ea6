"""Migrations never change: each has its own copy of the SQL, and schema.sql shows the result."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from db import migrate
from db.embedded.binaries import find_binaries, major_version
from tests.support import freeze
from tests.support.database import Database

SECOND = '''
"""A migration of the test."""

from alembic import op

from db.migrations.frozen import install, replace

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CHANGED = ("functions/display_value",)
NEW = ("tables/labels", "functions/label_of")
OWNERSHIP = ("grants/ownership",)
INSTALLS = (*CHANGED, *NEW, *OWNERSHIP)


def upgrade() -> None:
    op.execute("ALTER TABLE feed.gap_reports ADD COLUMN note text")
    replace(__file__, *CHANGED)
    install(__file__, *NEW, *OWNERSHIP)


def downgrade() -> None:
    raise NotImplementedError
'''

# The definition of all tables, except for the order of columns: a migration adds columns at the end.
TABLES = """
    WITH ours AS (
        SELECT c.oid, c.oid::regclass::text AS name, c.relkind, c.relpersistence
        FROM pg_class AS c
        WHERE c.relkind IN ('r', 'p', 'S') AND NOT c.relispartition
          AND c.relnamespace = 'feed'::regnamespace AND c.relname <> 'alembic_version'
    )
    SELECT concat_ws(' ', name, relkind, relpersistence, obj_description(oid, 'pg_class')) AS line FROM ours
    UNION ALL
    SELECT concat_ws(' ', o.name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
                     col_description(o.oid, a.attnum))
    FROM ours AS o
    JOIN pg_attribute AS a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = o.oid AND d.adnum = a.attnum
    UNION ALL
    SELECT concat_ws(' ', o.name, k.conname, pg_get_constraintdef(k.oid))
    FROM ours AS o JOIN pg_constraint AS k ON k.conrelid = o.oid AND k.contype <> 't'
    UNION ALL
    SELECT pg_get_indexdef(i.indexrelid) FROM ours AS o JOIN pg_index AS i ON i.indrelid = o.oid
"""

PRIVILEGES = """
    SELECT o.name, a.grantee::regrole::text, a.privilege_type
    FROM (SELECT oid::regclass::text AS name, relacl AS acl FROM pg_class
          UNION ALL SELECT attrelid::regclass || '.' || attname, attacl FROM pg_attribute
          UNION ALL SELECT oid::regprocedure::text, proacl FROM pg_proc
          UNION ALL SELECT nspname, nspacl FROM pg_namespace) AS o
    CROSS JOIN LATERAL aclexplode(o.acl) AS a
    ORDER BY 1, 2, 3
"""


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """Copies of db/migrations and db/sql, side by side."""
    shutil.copytree(freeze.SQL, tmp_path / "sql")
    return Path(shutil.copytree(freeze.MIGRATIONS, tmp_path / "migrations"))


@contextmanager
def connected(database: Database) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    with psycopg.connect(database.url, autocommit=True, row_factory=dict_row) as conn:
        yield conn


def lines(database: Database) -> set[str]:
    with connected(database) as conn:
        return {row["line"] for row in conn.execute(TABLES).fetchall()}


def one(conn: psycopg.Connection[dict[str, Any]], query: Any) -> Any:
    (row,) = conn.execute(query).fetchall()
    (value,) = row.values()
    return value


def test_the_newest_unreleased_migration_matches_db_sql() -> None:
    newest = freeze.scripts()[0]
    if newest.revision not in freeze.released():
        assert freeze.copied(newest) == freeze.installed(newest), "run `make freeze`"


def test_the_newest_copy_of_each_object_is_the_one_in_db_sql() -> None:
    """A new migration installs each changed file. Tables and privileges are altered instead; later tests compare them."""
    newest: dict[str, str] = {}
    for script in reversed(freeze.scripts()):
        newest |= freeze.copied(script)
    files = [path for path in freeze.SQL.rglob("*.sql") if path.parent.name != "queries"]
    found = {str(path.relative_to(freeze.SQL).with_suffix("")): path.read_text("ascii") for path in files}
    assert found.keys() <= newest.keys()
    altered = {name for name in found if name.startswith("tables/")} | {"grants/privileges"}
    assert [name for name in found if found[name] != newest[name] and name not in altered] == []


def test_migrated_tables_match_their_files(database: Database, empty_database: Database) -> None:
    names = dict.fromkeys(name for script in reversed(freeze.scripts()) for name in freeze.installed(script))
    with connected(empty_database) as conn:
        conn.execute("CREATE SCHEMA feed")
        for name in ("grants/roles", *(name for name in names if name.startswith("tables/"))):
            conn.execute((freeze.SQL / f"{name}.sql").read_bytes())
    assert lines(database) == lines(empty_database)


def test_migrated_privileges_match_their_file(database: Database) -> None:
    with connected(database) as conn:
        before = conn.execute(PRIVILEGES).fetchall()
        conn.execute((freeze.SQL / "grants" / "privileges.sql").read_bytes())
        assert conn.execute(PRIVILEGES).fetchall() == before


def test_a_released_migration_has_not_changed() -> None:
    current = {script.revision: freeze.checksum(script) for script in freeze.scripts()}
    assert freeze.released().items() <= current.items()


def test_schema_sql_is_the_output_of_pg_dump(database: Database, binaries: Path | None) -> None:
    programs = binaries or find_binaries()
    if major_version(programs) != freeze.MAJOR:
        pytest.skip(f"schema.sql is written by PostgreSQL {freeze.MAJOR}")
    assert freeze.dump(database.url, programs) == freeze.SCHEMA.read_text("ascii"), "run `make freeze`"


def test_catalog_json_is_what_the_migrations_create(database: Database) -> None:
    """On every version of PostgreSQL."""
    assert freeze.catalog_text(database.url) == freeze.CATALOG.read_text("ascii"), "run `make freeze`"


def test_a_released_migration_is_not_frozen_again(migrations: Path) -> None:
    freeze.release(migrations)
    assert freeze.released(migrations) == {
        script.revision: freeze.checksum(script) for script in freeze.scripts(migrations)
    }
    with pytest.raises(freeze.ReleasedError, match="0001 is released"):
        freeze.freeze(migrations, migrations.parent / "sql")


@pytest.mark.parametrize("changed", ["0001_feed.py", "0001_feed/functions/new_id.sql"])
def test_a_change_to_a_released_migration_is_detected(migrations: Path, changed: str) -> None:
    freeze.release(migrations)
    path = migrations / "versions" / changed
    path.write_text(path.read_text() + "\n")
    (script,) = freeze.scripts(migrations)
    assert freeze.checksum(script) != freeze.released(migrations)[script.revision]


def test_a_copy_follows_db_sql_until_it_is_released(migrations: Path) -> None:
    sql = migrations.parent / "sql"
    display_value = sql / "functions" / "display_value.sql"
    display_value.write_text(display_value.read_text().replace("'null'", "'nothing'"))
    stale = migrations / "versions" / "0001_feed" / "functions" / "gone.sql"
    stale.write_text("")
    freeze.freeze(migrations, sql)
    (script,) = freeze.scripts(migrations)
    assert freeze.copied(script)["functions/display_value"] == display_value.read_text()
    assert not stale.exists()


def test_upgrading_from_the_first_migration_keeps_the_data(
    empty_database: Database, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(empty_database.url, "0001")
    with connected(empty_database) as conn:
        conn.execute("INSERT INTO users (id, name) VALUES ('ana', 'Ana')")
        conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]')")
        conn.execute("INSERT INTO feed.board_members VALUES ('b1', 'ana', 'editor')")
        conn.execute("INSERT INTO opportunities (id, board_id, title) VALUES ('o1', 'b1', 'First')")
        before = conn.execute("SELECT seq, op, relation, key, new FROM feed.log ORDER BY seq").fetchall()
    _freeze_second_migration(migrations)
    monkeypatch.setattr(migrate, "SCRIPTS", migrations)
    migrate.upgrade(empty_database.url)
    with connected(empty_database) as conn:
        assert one(conn, "SELECT version_num FROM feed.alembic_version") == "0002"
        assert conn.execute("SELECT seq, op, relation, key, new FROM feed.log ORDER BY seq").fetchall() == before
        conn.execute("UPDATE opportunities SET title = 'Second', notes = 'x' WHERE id = 'o1'")
        assert one(conn, "SELECT version_number FROM opportunities") == 2
        change = conn.execute(
            "SELECT op, key, version, changes FROM feed.trigger_log ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        assert change == {
            "op": "update",
            "key": "o1",
            "version": 2,
            "changes": "notes: nothing -> x; title: First -> Second",
        }
        assert one(conn, "SELECT feed.label_of('o1')") == "hot"
        owners = "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'feed'::regnamespace AND relkind = 'r'"
        assert one(conn, owners) == "feed_owner"
        assert one(conn, "SELECT count(note) FROM feed.gap_reports") == 0


def _freeze_second_migration(migrations: Path) -> None:
    """Release the first migration, change db/sql, and freeze a second one."""
    freeze.release(migrations)
    sql = migrations.parent / "sql"
    display_value = sql / "functions" / "display_value.sql"
    display_value.write_text(display_value.read_text().replace("THEN 'null'", "THEN 'nothing'"))
    (sql / "tables" / "labels.sql").write_text(
        "CREATE TABLE feed.labels (id text PRIMARY KEY, label text NOT NULL);\nINSERT INTO feed.labels VALUES ('o1', 'hot');\n"
    )
    (sql / "functions" / "label_of.sql").write_text(
        "CREATE FUNCTION feed.label_of(id text) RETURNS text LANGUAGE sql STABLE\n"
        "RETURN (SELECT l.label FROM feed.labels AS l WHERE l.id = label_of.id);\n"
    )
    (migrations / "versions" / "0002_labels.py").write_text(SECOND)
    freeze.freeze(migrations, sql)
