"""Runs the schema migrations: the same call for the command line, `boardcast up`, and the tests.

Invariant: two processes never migrate one database at once (an advisory lock), and a migration that fails leaves nothing behind
(one transaction).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine  # noqa: TID251 - see _migrating()

from db.sqlfiles import sql

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x626F617264  # "board"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at url (postgresql://…; libpq's environment fills what it leaves out) up to a revision."""
    with _migrating(url) as config:
        command.upgrade(config, revision)


def downgrade(url: str, revision: str = "base") -> None:
    """Take it back down to a revision. Tables and columns that were there before boardcast stay, with their rows."""
    with _migrating(url) as config:
        command.downgrade(config, revision)


def head() -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(connection: Connection) -> str | None:
    """The revision of a database; None if boardcast was never installed."""
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _migrating(url: str) -> Iterator[Config]:
    # libpq reads the URL, as for all other connections: several hosts and service files included.
    # A migration takes as long as it needs, and whoever runs it can end it: only keepalives end its connection.
    # Without a client encoding, psycopg returns the text of a SQL_ASCII database as bytes, and SQLAlchemy fails on it.
    connect = partial(
        psycopg.connect,  # noqa: TID251
        url,
        application_name="boardcast-migrate",
        client_encoding="utf8",
        connect_timeout=5,
    )
    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(sql("queries/migration_lock"), {"key": _LOCK})
        config = _config()
        config.attributes["connection"] = connection
        yield config


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config
