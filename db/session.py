"""The settings on which boardcast's sessions depend, whatever is set for their role, their database, or the server.

Invariant: they apply to our own sessions only, and the application's triggers see no other search_path than usual. So queries
name the schema of each table instead.

They are sent with the connection. A transaction pooler does not accept or does not pass on most of them. Behind one, the settings
that a pooler keeps for each client are set afterwards, and every transaction names its isolation level and access mode.
"""

import re
from collections.abc import Mapping

import psycopg
from psycopg import IsolationLevel, pq

from db.sqlfiles import sql

SETTINGS = {
    # How values are written and read.
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    # What a transaction may do and see. Serializable, writers would fail that only have to wait for each other.
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "row_security": "on",
    # A query of the catalog is planned as if it were expensive. To compile it takes seconds.
    "jit": "off",
    # Every wait has a deadline of ours (db/connection.py); the server ends only what a dead client left behind.
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "60s",
}
_REFUSED = re.compile(r"startup parameter|command-line options")
"""In the error of a pooler that does not pass on `options`."""
TRANSACTION_TIMEOUT_SINCE = 170_000
"""The version of the server from which transaction_timeout has to be switched off; earlier ones refuse the name."""


def inherited_options() -> str:
    """Return the `options` that libpq takes from the environment for a connection that names none."""
    return next(
        (option.val or b"" for option in pq.Conninfo.get_defaults() if option.keyword == b"options"), b""
    ).decode()


def with_settings(parameters: Mapping[str, object]) -> str:
    """Return the `options` of a connection with these parameters: its own or the inherited ones, and the settings."""
    before = parameters.get("options", inherited_options())
    settings = (f"-c {name}=" + value.replace(" ", r"\ ") for name, value in SETTINGS.items())
    return " ".join((str(before), *settings)).lstrip()


def refuses_settings(error: psycopg.OperationalError) -> bool:
    """Return whether a pooler refused the connection because of its `options`."""
    return _REFUSED.search(str(error)) is not None


async def complete(conn: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    """Set what could not be sent with the connection. Takes a new connection in autocommit mode."""
    await conn.set_isolation_level(IsolationLevel.READ_COMMITTED)
    await conn.set_deferrable(False)
    if _reported(conn, "in_hot_standby") != "on":  # a standby refuses READ WRITE
        await conn.set_read_only(False)
    if not all(_reported(conn, name).startswith(SETTINGS[name]) for name in ("TimeZone", "DateStyle", "IntervalStyle")):
        await conn.execute(sql("queries/pooled_session"), prepare=False)
    elif conn.info.server_version >= TRANSACTION_TIMEOUT_SINCE:
        await conn.execute(sql("queries/no_transaction_timeout"), prepare=False)


def _reported(conn: psycopg.AsyncConnection[tuple[object, ...]], name: str) -> str:
    return conn.info.parameter_status(name) or ""
