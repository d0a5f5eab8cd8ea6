"""Runs the schema migrations: the same call for the command line, `boardcast up`, and the tests.

Invariant: two processes never migrate one database at once (an advisory lock), and a migration that fails leaves nothing behind
(one transaction). No writer of the application waits longer than a second: a lock on its tables is tried for a moment, and held for
a moment. What takes longer, restoring rows and creating an index, is done afterward and beside writers. If it is interrupted, the
next migration goes on with it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import DuplicateTable
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine, NullPool, create_engine  # noqa: TID251 - see _engine()
from sqlalchemy.exc import ProgrammingError

from db import session
from db.migrations import SCHEMA
from db.sqlfiles import sql

SCRIPTS = Path(__file__).parent / "migrations"
LOCK = 0x626F617264  # "board"
"""The advisory lock of everything that changes the schema."""
_SETTINGS = session.SETTINGS | {"transaction_timeout": "0", "search_path": "pg_catalog, pg_temp"}
"""The tables of the application are in schema public, whatever the search_path of the role or the database."""
_ROWS = 2000
"""Rows that are restored in one transaction. A writer of one of them waits for it."""


class ForeignSchemaError(Exception):
    """The database has a schema named feed that boardcast did not create."""


def upgrade(url: str, revision: str = "head", *, feed_only: bool = False) -> None:
    """Bring the database at url (postgresql://…; libpq's environment fills what it leaves out) up to a revision.

    `feed_only`: do not adopt users and opportunities, and do not create them; ignored if boardcast is installed already. Raises
    ForeignSchemaError.
    """
    with migrating(url) as (connection, config):
        install(connection, config, revision, feed_only=feed_only)
    _finish(url)


def install(connection: Connection, config: Config, revision: str = "head", *, feed_only: bool) -> None:
    """Like `upgrade`, in a transaction of `migrating`, and without the index."""
    if current(connection) is None:
        if connection.exec_driver_sql(sql("queries/schema_owned")).scalar_one():
            # Alembic's table was dropped or emptied. db.schema_repair adds what an older schema lacks.
            command.stamp(config, revision)
        else:
            _create_schema(connection)
    config.attributes["feed_only"] = feed_only
    command.upgrade(config, revision)


def adopt(
    url: str,
    table: str,
    columns: Mapping[str, str],
    *,
    users: str | None = None,
    user_columns: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Make a table of the application the board, with these columns for the fields of a card; see feed.adopt.

    Installs boardcast if it is missing, in the same transaction: a table that is refused leaves nothing behind. Returns a line for
    each thing that it did. Raises ForeignSchemaError.
    """
    with migrating(url) as (connection, config):
        install(connection, config, feed_only=True)
        parameters = {
            "table": table,
            "columns": Jsonb(dict(columns)),
            "users": users,
            "user_columns": Jsonb(dict(user_columns)),
        }
        done = list(connection.exec_driver_sql(sql("queries/adopt"), parameters).scalars())
    return [*done, *_finish(url)]


def mend(url: str) -> list[str]:
    """Bring back what the application's tools have dropped outside of schema feed. Returns a line for each thing that it did.

    It needs the whole schema: see db.schema_repair.
    """
    with migrating(url) as (connection, _):
        done = list(connection.exec_driver_sql(sql("queries/mend")).scalars())
    return [*done, *_finish(url)]


def _finish(url: str) -> list[str]:
    """Do what takes long, in transactions of their own. Returns a line for each thing that was done."""
    done: list[str] = []
    restoring = True
    while restoring:
        with migrating(url) as (connection, _):
            if not connection.exec_driver_sql(sql("queries/schema_owned")).scalar_one():
                return done
            done += connection.exec_driver_sql(sql("queries/mend_rows"), {"size": _ROWS}).scalars()
            restoring = connection.exec_driver_sql(sql("queries/is_restoring")).scalar_one()
            commands = connection.exec_driver_sql(sql("queries/board_index")).scalars().all()
    with _engine(url, settings=True).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in commands:
            try:
                connection.exec_driver_sql(statement.replace("%", "%%"), {})
            except ProgrammingError as error:
                if isinstance(error.orig, DuplicateTable):  # another migration has begun to create it
                    break
                raise
            done.append(f"ran {statement}")
    return done


def downgrade(url: str, revision: str = "base") -> bool:
    """Take it back down to a revision. Tables and columns that were there before boardcast stay, with their rows.

    Returns False, and changes nothing, if boardcast is not installed.
    """
    with migrating(url) as (connection, config):
        if current(connection) is None:
            return False
        command.downgrade(config, revision)
        if current(connection) is None:
            connection.exec_driver_sql(sql("queries/drop_schema"))
        return True


def _create_schema(connection: Connection) -> None:
    if connection.exec_driver_sql(sql("queries/schema_exists")).scalar_one():
        raise ForeignSchemaError(
            "the database has a schema named feed that boardcast did not create: rename it"
            " (ALTER SCHEMA feed RENAME TO …), and migrate again"
        )
    connection.exec_driver_sql(sql("queries/create_schema"))


def head() -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(connection: Connection) -> str | None:
    """The revision of a database; None if boardcast was never installed."""
    options = {"version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def installed_files() -> list[str]:
    """The files of db/sql that make up the schema, such as ``views/health``, each after those that it needs."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    names = (name for script in reversed(list(scripts)) for name in script.module.INSTALLS)
    return list(dict.fromkeys(names))


@contextmanager
def migrating(url: str) -> Iterator[tuple[Connection, Config]]:
    """A transaction during which no other migration runs; committed at the end."""
    with _engine(url).begin() as connection:
        connection.exec_driver_sql(sql("queries/migration_settings"), {"settings": Jsonb(_SETTINGS)})
        connection.exec_driver_sql(sql("queries/migration_lock"), {"key": LOCK})
        config = _config()
        config.attributes["connection"] = connection
        yield connection, config


def _engine(url: str, *, settings: bool = False) -> Engine:
    """`settings`: set what a transaction cannot set for itself, unless there is a pooler, which would keep it for others."""

    # libpq reads the URL, as for all other connections: several hosts and service files included.
    # A migration takes as long as it needs, and whoever runs it can end it: only keepalives end its connection.
    # Without a client encoding, psycopg returns the text of a SQL_ASCII database as bytes, and SQLAlchemy fails on it.
    def connect() -> Any:
        parameters: dict[str, Any] = {"application_name": "boardcast-migrate", "client_encoding": "utf8"}
        options: dict[str, Any] = {"options": session.with_settings(conninfo_to_dict(url))} if settings else {}
        try:
            conn = psycopg.connect(url, connect_timeout=5, **parameters, **options)  # noqa: TID251
        except psycopg.OperationalError as error:
            if not settings or not session.refuses_settings(error):
                raise
            conn = psycopg.connect(url, connect_timeout=5, **parameters)  # noqa: TID251
        conn.isolation_level, conn.read_only, conn.deferrable = IsolationLevel.READ_COMMITTED, False, False
        return conn

    return create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config
