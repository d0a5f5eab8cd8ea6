"""Schema migrations, run by code: the same call for the command line, `up` and the tests.

Invariant: two migrations of one database never run at once (an advisory lock), and one that fails leaves nothing behind
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
from sqlalchemy import Connection, NullPool, create_engine, text  # noqa: TID251 - see _migrating()

_LOCK = 0x626F617264  # "board"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at url (postgresql://…; libpq's environment fills what it leaves out) up to a revision."""
    with _migrating(url) as config:
        command.upgrade(config, revision)


def downgrade(url: str, revision: str = "base") -> None:
    """Take it back down. Tables and columns that were there before boardcast stay, with their rows."""
    with _migrating(url) as config:
        command.downgrade(config, revision)


def head() -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(connection: Connection) -> str | None:
    """The revision that a database is at; None where boardcast was never installed."""
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _migrating(url: str) -> Iterator[Config]:
    # Read by libpq and not by SQLAlchemy, as all other connections are: several hosts and service files included.
    # A migration works for as long as it needs, and whoever runs it can end it: only keepalives end its connection.
    connect = partial(psycopg.connect, url, application_name="boardcast-migrate", connect_timeout=5)  # noqa: TID251
    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = _config()
        config.attributes["connection"] = connection
        yield config


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
