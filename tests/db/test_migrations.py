"""A migrated database matches the files of db/sql, and a downgrade leaves nothing behind."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import TableClause

from db import migrate, models
from db.embedded.server import EmbeddedPostgres
from db.sqlfiles import sql
from tests.support.database import Database, cloned

ROOT = Path(__file__).parents[2]
SQL = ROOT / "db" / "sql"
FILES = sorted(str(path.relative_to(SQL).with_suffix("")) for path in SQL.rglob("*.sql"))
OBJECTS = [name for name in FILES if name.partition("/")[0] in {"functions", "views", "triggers"}]

# The definitions of our objects in the catalog, to compare with their files.
CATALOG = """
    SELECT 'function ' || p.oid::regprocedure AS name,
           pg_get_functiondef(p.oid) || coalesce(obj_description(p.oid, 'pg_proc'), '') AS definition
    FROM pg_proc AS p WHERE p.pronamespace = 'feed'::regnamespace
    UNION ALL
    SELECT 'view ' || c.oid::regclass, pg_get_viewdef(c.oid) || coalesce(obj_description(c.oid, 'pg_class'), '')
    FROM pg_class AS c WHERE c.relkind = 'v' AND c.relnamespace IN ('public'::regnamespace, 'feed'::regnamespace)
    UNION ALL
    SELECT 'trigger ' || t.tgname || ' on ' || t.tgrelid::regclass, pg_get_triggerdef(t.oid)
    FROM pg_trigger AS t WHERE NOT t.tgisinternal
"""


SyncConnection = psycopg.Connection[dict[str, Any]]


def connect(database: Database) -> SyncConnection:
    return psycopg.connect(database.url, autocommit=True, row_factory=dict_row)


def all_objects(database: Database) -> set[tuple[str, str]]:
    """Return all user objects in the database, by type and name."""
    with connect(database) as conn:
        found = conn.execute(
            """
            SELECT d.type, d.identity
            FROM (SELECT 'pg_class'::regclass::oid AS catalogue, oid FROM pg_class
                  UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc
                  UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger
                  UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace
                  UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type
                  UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint) AS o
            CROSS JOIN LATERAL pg_identify_object(o.catalogue, o.oid, 0) AS d
            WHERE o.oid >= 16384 AND d.identity !~ '^(pg_toast|pg_temp|"RI_ConstraintTrigger_)'
            """
        ).fetchall()
    return {(row["type"], row["identity"]) for row in found}


def test_a_downgrade_leaves_nothing_and_a_second_upgrade_is_identical(empty_database: Database) -> None:
    before = all_objects(empty_database)
    migrate.upgrade(empty_database.url)
    first = all_objects(empty_database)
    migrate.downgrade(empty_database.url)
    assert all_objects(empty_database) == before
    migrate.upgrade(empty_database.url)
    assert all_objects(empty_database) == first


def test_a_second_upgrade_does_nothing(database: Database) -> None:
    before = all_objects(database)
    migrate.upgrade(database.url)
    assert all_objects(database) == before


@pytest.mark.parametrize("table", models.ALL, ids=lambda table: table.name)
def test_model_columns_exist_in_the_table(database: Database, table: TableClause) -> None:
    with connect(database) as conn:
        found = conn.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", (table.fullname,)
        ).fetchall()
    assert {column.name for column in table.columns} <= {row["attname"] for row in found}


@pytest.mark.any_version
def test_each_sql_file_is_used() -> None:
    paths = [path for folder in ("db", "feed", "api", "cli") for path in (ROOT / folder).rglob("*.py")]
    named = {name for path in paths for name in re.findall(r'"([\w/]+)"', path.read_text(encoding="utf-8"))}
    assert [name for name in FILES if not named & {name, name.rpartition("/")[2]}] == []


def catalog(conn: SyncConnection) -> dict[str, str]:
    return {row["name"]: row["definition"] for row in conn.execute(CATALOG).fetchall()}


@pytest.fixture(scope="module")
def unchanged(server: EmbeddedPostgres, template: str) -> Iterator[tuple[SyncConnection, dict[str, str]]]:
    """A connection for tests that roll back what they do, and the catalog of its database."""
    with cloned(server, template) as database, connect(database) as conn:
        yield conn, catalog(conn)


@pytest.mark.parametrize("name", OBJECTS)
def test_the_catalog_matches_the_sql_file(unchanged: tuple[SyncConnection, dict[str, str]], name: str) -> None:
    conn, before = unchanged
    text = sql(name)
    created = re.findall(
        r"^CREATE (?:CONSTRAINT )?(FUNCTION|VIEW|TRIGGER) ([\w.]+)(?:.*? ON ([\w.]+))?", text, re.MULTILINE
    )
    assert created or name == "triggers/attach_crm"
    with conn.transaction(force_rollback=True):
        for kind, thing, table in created:
            if kind == "TRIGGER":
                conn.execute(f"DROP TRIGGER {thing} ON {table}")
        # Replaced, not dropped, because others depend on them. A changed signature would show as an extra object.
        replaced = re.sub(r"^CREATE (FUNCTION|VIEW)", r"CREATE OR REPLACE \1", text, flags=re.MULTILINE)
        conn.execute(replaced)
        assert catalog(conn) == before


def test_every_function_and_view_has_a_file(database: Database) -> None:
    named = {name.rpartition("/")[2] for name in OBJECTS}
    with connect(database) as conn:
        functions = conn.execute(
            "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'feed'::regnamespace"
        ).fetchall()
        views = conn.execute("SELECT viewname AS name FROM pg_views WHERE schemaname IN ('public', 'feed')").fetchall()
    assert {row["name"] for row in [*functions, *views]} <= named


def test_every_object_in_the_schema_has_a_comment(database: Database) -> None:
    with connect(database) as conn:
        undocumented = conn.execute(
            """
            SELECT 'function ' || p.oid::regprocedure AS name FROM pg_proc AS p
            WHERE p.pronamespace = 'feed'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
            UNION ALL
            SELECT 'relation ' || c.oid::regclass FROM pg_class AS c
            WHERE (c.relnamespace = 'feed'::regnamespace
                   OR c.oid = to_regclass('public.opportunity_versions'))
              AND c.relkind IN ('r', 'v', 'p', 'm', 'S') AND obj_description(c.oid, 'pg_class') IS NULL
            UNION ALL
            SELECT 'column ' || c.oid::regclass || '.' || a.attname
            FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
            WHERE c.relnamespace = 'feed'::regnamespace AND c.relkind IN ('r', 'v', 'p') AND c.relname !~ '^log_(\\d+|default)$'
              AND col_description(c.oid, a.attnum) IS NULL AND NOT a.attisdropped
            UNION ALL
            SELECT 'schema feed' WHERE obj_description('feed'::regnamespace, 'pg_namespace') IS NULL
            """
        ).fetchall()
    assert [row["name"] for row in undocumented] == []


@pytest.mark.any_version
def test_concurrent_migrations_run_one_after_the_other(empty_database: Database) -> None:
    with psycopg.connect(empty_database.url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", (migrate.LOCK,))
        with connect(empty_database) as watcher:
            watcher.execute("SET statement_timeout = '10s'")
            with ThreadPoolExecutor(2) as pool:
                both = [pool.submit(migrate.upgrade, empty_database.url) for _ in range(2)]
                while watcher.execute(
                    "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                ).fetchone() != {"n": 2}:
                    assert not any(job.done() for job in both)
                holder.rollback()
                for job in both:
                    job.result(timeout=30)
    assert ("schema", "feed") in all_objects(empty_database)
