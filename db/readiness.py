"""Whether a database can be used by this version: asked on every connect and reconnect.

Invariant: the revision of the code is the number of its newest migration, and the revision of a database is what Alembic wrote into
it. They are compared without Alembic, which a feed does not load.
"""

from functools import cache
from importlib.resources import files

from psycopg import errors

from db.connection import PsycopgConnection
from db.sqlfiles import sql

_MIN_VERSION = 150_000


class NotReadyError(Exception):
    """The server cannot serve a feed as it is. The message says what to do."""


@cache
def code_revision() -> str:
    """The newest revision that this code knows."""
    names = (each.name for each in files("db.migrations").joinpath("versions").iterdir() if each.name.endswith(".py"))
    return max(name.partition("_")[0] for name in names if name[0].isdigit())


async def read_revision(conn: PsycopgConnection) -> str | None:
    """The revision of a database; None if it has none. Requires autocommit."""
    try:
        row = await (await conn.execute(sql("queries/schema_revision"))).fetchone()
    except errors.UndefinedTable:
        return None
    return None if row is None else str(row[0])


async def require_ready(conn: PsycopgConnection) -> None:
    """Raise NotReadyError for a standby, a PostgreSQL before 15, or a database that is not on the revision of this code.

    Requires autocommit.
    """
    row = await (await conn.execute(sql("queries/schema_state"))).fetchone()
    standby, installed, versioned, version = row or (False, False, False, 0)
    if standby:
        raise NotReadyError("the server is a standby: set DATABASE_URL to the primary")
    if version < _MIN_VERSION:
        raise NotReadyError(f"PostgreSQL {version // 10_000} is too old: boardcast needs 15 or newer")
    revision = await read_revision(conn) if versioned else None
    if (fault := revision_fault(revision, installed=installed)) is not None:
        raise NotReadyError(": ".join(fault))


def revision_fault(revision: str | None, *, installed: bool) -> tuple[str, str] | None:
    """What is wrong with the revision of a database, and what to do; None if it is that of this code."""
    wanted = code_revision()
    if revision == wanted and installed:
        return None
    if revision is None and not installed:
        return "boardcast is not installed in this database", "run `boardcast migrate`"
    if not installed:
        return "the log was dropped", "run `boardcast migrate`, which creates it anew"
    if revision is None:
        return "the table feed.alembic_version does not name the revision of schema feed", "run `boardcast migrate`"
    if revision < wanted:
        return (
            f"the database has schema revision {revision}, and this version needs {wanted}",
            "run `boardcast migrate`",
        )
    return (
        f"the database has schema revision {revision}, and this version knows only {wanted}",
        "replace it with the version that migrated the database",
    )
