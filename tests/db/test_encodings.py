"""boardcast can be installed in a database of any encoding."""

import uuid
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from db import migrate
from db.embedded.server import EmbeddedPostgres
from tests.support.until import wait_until

SQL = Path(__file__).parents[2] / "db" / "sql"


def test_sql_files_are_ascii() -> None:
    """The database's encoding may lack other characters, even in comments."""
    files = list(SQL.rglob("*.sql"))
    assert files
    assert [str(path) for path in files if not path.read_bytes().isascii()] == []


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_with_another_encoding_can_be_migrated(server: EmbeddedPostgres, encoding: str) -> None:
    name = f"test_{uuid.uuid4().hex[:12]}"
    options = sql.SQL("TEMPLATE template0 ENCODING {} LOCALE_PROVIDER libc LOCALE 'C'").format(encoding)
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        identifier = sql.Identifier(name)
        admin.execute(sql.SQL("CREATE DATABASE {} {}").format(identifier, options))
        try:
            migrate.upgrade(server.url(name))
            with psycopg.connect(server.url(name), client_encoding="utf8", autocommit=True) as conn:
                conn.execute("INSERT INTO users (id) VALUES ('ana')")
                conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b', 'B', '[]')")
                assert conn.execute("SELECT op FROM feed.trigger_log").fetchall() == [("insert",)]
                # A byte that no UTF-8 text has in this place.
                conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('c', chr(227), '[]')")
                conn.execute("SELECT feed.set_seal(true)")
                seal = "SELECT NOT feed.seal() AND (SELECT sum(changes) FROM feed.seals) = count(*) FROM feed.log"
                wait_until(lambda: conn.execute(seal).fetchone() == (True,), what="all rows to be sealed")
                assert conn.execute("SELECT finding FROM feed.verify_seals()").fetchall() == [(None,)]
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))
