"""boardcast beside an application: its migration table, its tables with the names of ours, and its tools."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg.rows import dict_row

from db import migrate
from tests.support.database import Database

pytestmark = pytest.mark.any_version

ENV = """
from alembic import context
from sqlalchemy import NullPool, create_engine

engine = create_engine(context.config.get_main_option("url"), poolclass=NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
"""
MIGRATION = """
from alembic import op

revision, down_revision, branch_labels, depends_on = {revision!r}, {down!r}, None, None


def upgrade():
    op.execute({statement!r})


def downgrade():
    pass
"""
STATEMENTS = {
    "0001": "CREATE TABLE opportunities (id text PRIMARY KEY, title text NOT NULL, phase text NOT NULL)",
    "0002": "ALTER TABLE opportunities ADD COLUMN city text",
}


@pytest.fixture
def conn(empty_database: Database) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    with psycopg.connect(empty_database.url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def alembic_of_the_application(folder: Path, url: str) -> Config:
    (folder / "versions").mkdir()
    (folder / "env.py").write_text(ENV)
    down = None
    for revision, statement in STATEMENTS.items():
        text = MIGRATION.format(revision=revision, down=down, statement=statement)
        (folder / "versions" / f"{revision}_app.py").write_text(text)
        down = revision
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("url", url.replace("postgresql://", "postgresql+psycopg://").replace("%", "%%"))
    return config


def test_the_applications_alembic_and_ours_do_not_see_each_other(
    empty_database: Database, conn: psycopg.Connection[dict[str, Any]], tmp_path: Path
) -> None:
    config = alembic_of_the_application(tmp_path, empty_database.url)
    command.upgrade(config, "0001")  # a revision that we have, too
    migrate.upgrade(empty_database.url)
    assert conn.execute("SELECT * FROM public.alembic_version").fetchall() == [{"version_num": "0001"}]
    assert conn.execute("SELECT * FROM feed.alembic_version").fetchall() == [{"version_num": migrate.head()}]
    command.upgrade(config, "head")
    conn.execute("INSERT INTO opportunities (id, title, phase, city) VALUES ('o1', 'One', 'new', 'Recife')")
    assert conn.execute("SELECT new ->> 'city' AS city FROM feed.log WHERE key = 'o1'").fetchall() == [
        {"city": "Recife"}
    ]
    assert migrate.downgrade(empty_database.url)
    assert conn.execute("SELECT * FROM public.alembic_version").fetchall() == [{"version_num": "0002"}]


@pytest.mark.parametrize("head", ["0001", "0002", "f3a9"])
def test_a_version_table_in_public_is_neither_read_nor_written(
    empty_database: Database, conn: psycopg.Connection[dict[str, Any]], head: str
) -> None:
    conn.execute("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
    conn.execute("INSERT INTO alembic_version VALUES (%s)", (head,))
    assert not migrate.downgrade(empty_database.url)
    migrate.upgrade(empty_database.url)
    assert conn.execute("SELECT to_regclass('feed.log') IS NOT NULL AS installed").fetchone() == {"installed": True}
    assert migrate.downgrade(empty_database.url)
    assert conn.execute("SELECT version_num FROM alembic_version").fetchall() == [{"version_num": head}]


def test_a_schema_of_our_name_that_is_not_ours_is_left_alone(
    empty_database: Database, conn: psycopg.Connection[dict[str, Any]]
) -> None:
    conn.execute("CREATE SCHEMA feed CREATE TABLE articles (id int)")
    with pytest.raises(migrate.ForeignSchemaError, match="rename it"):
        migrate.upgrade(empty_database.url)
    assert not migrate.downgrade(empty_database.url)
    assert conn.execute("SELECT to_regclass('feed.articles')::text AS kept").fetchone() == {"kept": "feed.articles"}


NAMES = {
    "boards": "CREATE TABLE boards (id serial PRIMARY KEY, label int)",
    "board_members": "CREATE TABLE board_members (board_id int, person int)",
    "user_presence": "CREATE VIEW user_presence AS SELECT 1 AS one",
    "opportunity_versions": "CREATE TABLE opportunity_versions (id int PRIMARY KEY, body text)",
    "alembic_version": "CREATE TABLE alembic_version (version_num int)",
    "log": "CREATE TABLE log (id int)",
    "flags": "CREATE VIEW flags AS SELECT 1 AS one",
}


def test_tables_of_the_application_with_our_names_do_not_collide(
    empty_database: Database, conn: psycopg.Connection[dict[str, Any]]
) -> None:
    for statement in NAMES.values():
        conn.execute(statement)
    migrate.upgrade(empty_database.url)
    conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]')")
    conn.execute("INSERT INTO opportunities (id, board_id) VALUES ('o1', 'b1')")
    conn.execute("SELECT feed.attach('public.boards')")
    conn.execute("INSERT INTO boards (label) VALUES (7)")
    assert conn.execute("SELECT relation, key FROM feed.log ORDER BY seq").fetchall() == [
        {"relation": "feed.boards", "key": "b1"},
        {"relation": "opportunities", "key": "o1"},
        {"relation": "boards", "key": "1"},
    ]
    conn.execute("SELECT feed.detach('public.boards')")
    assert migrate.downgrade(empty_database.url)
    for name in NAMES:
        assert conn.execute("SELECT to_regclass(%s)::text AS kept", (f"public.{name}",)).fetchone() == {"kept": name}


def test_nothing_depends_on_the_view_in_public(
    empty_database: Database, conn: psycopg.Connection[dict[str, Any]]
) -> None:
    migrate.upgrade(empty_database.url)
    conn.execute("DROP VIEW public.opportunity_versions")
    conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]')")
    conn.execute("INSERT INTO opportunities (id, board_id) VALUES ('o1', 'b1')")
    assert conn.execute("SELECT version_number FROM feed.opportunity_versions").fetchall() == [{"version_number": 1}]
    assert conn.execute("SELECT topic FROM feed.health WHERE status = 'bad' AND topic <> 'instances'").fetchall() == []
    assert migrate.downgrade(empty_database.url)


def test_the_memberships_of_deleted_users_are_removed(
    empty_database: Database, conn: psycopg.Connection[dict[str, Any]]
) -> None:
    migrate.upgrade(empty_database.url)
    conn.execute("INSERT INTO users (id) VALUES ('ana'), ('bruno'), ('carla')")
    conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]')")
    conn.execute("INSERT INTO feed.board_members SELECT 'b1', id, 'viewer' FROM users")
    conn.execute("DELETE FROM users WHERE id = 'ana'")
    left = "SELECT user_id FROM feed.board_members ORDER BY 1"
    assert conn.execute(left).fetchall() == [{"user_id": "bruno"}, {"user_id": "carla"}]
    conn.execute("TRUNCATE users")
    assert conn.execute(left).fetchall() == []
