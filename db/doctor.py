"""The checks of `boardcast doctor` that the database can answer: its version, its settings, the role's privileges, feed.health.

Invariant: a check that this role may not run is also a finding, and names the roles that may run it. Each check ends within
seconds and writes nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString, NamedTuple

from psycopg import errors
from psycopg.rows import dict_row

from db import catalog, readiness
from db.changelog import retention
from db.connection import PsycopgConnection
from db.privileges import RoleCheck, check_privileges
from db.sqlfiles import sql

OK, WARNING, BAD, UNKNOWN = "ok", "warning", "bad", "unknown"

_OLDEST, _NEWEST = 15, 18
"""The major versions that boardcast is tested on."""
_LISTENS = {15: 16, 16: 12, 17: 8, 18: 2}
"""By major version, the minor version in which LISTEN no longer fails because of what vacuum removed (see `version`)."""
_NAMED = 20
"""How many faults of the schema are listed by name."""
_ANSWER = 8.0
"""Seconds after which a check is given up, if the server has not canceled it itself."""


_SLOW = "no answer within 5 s: the database is slow, or a lock is in the way"


class Finding(NamedTuple):
    """`fix` is a command to paste, with the reason behind -- or #; None if there is no problem, or no fix from here."""

    topic: str
    status: str
    found: str
    fix: str | None = None

    @property
    def well(self) -> bool:
        return self.status in {OK, UNKNOWN}


class Server(NamedTuple):
    """`directory` is that of the data, None if the role may not see it; `tablespace` is where the log is, if elsewhere."""

    version: int
    standby: bool
    installed: bool
    versioned: bool
    role: str
    name: str
    directory: str | None
    tablespace: str | None


async def server(conn: PsycopgConnection) -> Server:
    """The server and the role. As all checks here, it raises TimeoutError, and psycopg.OperationalError for a lost connection."""
    (row,) = await _rows(conn, sql("queries/doctor_server"))
    return Server(**row)


def version(number: int) -> Finding:
    """Judge a server_version_num."""
    major, minor = divmod(number, 10_000)
    found, first = f"PostgreSQL {major}.{minor}", _LISTENS.get(major, 0)
    if major < _OLDEST:
        return Finding(
            "version", BAD, f"{found} is too old: boardcast needs 15 or newer", "pg_upgradecluster # on Debian"
        )
    if minor < first:
        fault = "LISTEN may fail with “could not access status of transaction”"
        fix = (
            f"apt-get install --only-upgrade postgresql-{major} # or your system's equivalent; {major}.{first} fixes it"
        )
        return Finding("version", WARNING, f"{found}: {fault}", fix)
    if major > _NEWEST:
        return Finding("version", UNKNOWN, f"{found}: boardcast is tested on {_OLDEST} to {_NEWEST}")
    return Finding("version", OK, found)


async def settings(conn: PsycopgConnection, role: str) -> list[Finding]:
    """The settings of this session that harm the feed. They are read as they are, so without a timeout set first."""
    return await _findings(conn, role, "settings", sql("queries/doctor_settings"), bounded=False)


async def rights(conn: PsycopgConnection) -> Finding:
    """Whether this role may run each service, or read what the checks need."""
    async with asyncio.timeout(_ANSWER):
        found = await check_privileges(conn)
    said = f"role {found[0].role}: {'; '.join(map(_describe, found))}"
    if not all(each.known for each in found):
        roles = ("feed_app", "feed_listener", "feed_dba", "feed_owner", "feed_sandbox")
        fix = " ".join(f"CREATE ROLE {name};" for name in roles)
        return Finding(
            "rights",
            BAD,
            said,
            f"{fix} -- then restore the dump again: a dump has no roles, so its grants were lost",
        )
    if all(each.lacking for each in found):
        return Finding("rights", BAD, said, f"{found[-1].fix} -- for monitoring; {_services(found)}")
    return Finding("rights", OK, said)


def _services(found: list[RoleCheck]) -> str:
    return ", ".join(f"{each.granted} for {each.does}" for each in found[:-1])


def _describe(right: RoleCheck) -> str:
    if not right.known:
        return f"{right.does}: unknown, because role {right.granted} is missing or has no grants"
    return f"{right.does}: no, {right.lacks}" if right.lacking else f"{right.does}: yes"


async def revision(conn: PsycopgConnection, server: Server) -> Finding:
    """Whether the database has the schema revision of this code."""
    try:
        async with asyncio.timeout(_ANSWER):
            found = await readiness.read_revision(conn) if server.versioned else None
    except errors.InsufficientPrivilege as error:
        fix = f'GRANT feed_dba TO "{server.role}"; -- lets this role read the revision'
        return Finding("revision", UNKNOWN, f"{error.diag.message_primary}", fix)
    fault = readiness.revision_fault(found, installed=server.installed)
    if fault is None:
        return Finding("revision", OK, f"schema revision {found}")
    what, remedy = fault
    command = "boardcast migrate" if "`boardcast migrate`" in remedy else "pip install --upgrade boardcast"
    return Finding("revision", BAD, what, f"{command} # {remedy.replace('`', '')}")


async def schema(conn: PsycopgConnection) -> Finding:
    """Whether everything that the migrations created is still there, and as they created it."""
    try:
        async with asyncio.timeout(_ANSWER), _read_only(conn):
            faults = await catalog.faults(conn)
    except errors.QueryCanceled:
        return Finding("schema", UNKNOWN, _SLOW)
    if not faults:
        return Finding("schema", OK, "complete")
    names = [str(fault) for fault in faults]
    found = "; ".join(names[:_NAMED]) + (f"; and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    lost = sorted(fault.wanted.name for fault in faults if fault.lost)
    fix = "boardcast migrate # puts it back"
    if lost:
        listed = ", ".join(lost[:_NAMED])
        fix += f"; {listed} come back empty, and all clients reload. To keep the contents, restore a backup instead"
    only_privileges = all(fault.wanted.kind == "privilege" for fault in faults)
    return Finding("schema", WARNING if only_privileges else BAD, found, fix)


async def health(conn: PsycopgConnection, role: str) -> list[Finding]:
    """The rows of feed.health; one finding with the reason if this role may not read it."""
    return await _findings(conn, role, "health", sql("queries/doctor_health"))


async def growth(conn: PsycopgConnection) -> int | None:
    """The growth of the log in bytes per day; None if it is unknown."""
    try:
        async with asyncio.timeout(_ANSWER), _read_only(conn):
            return await retention.growth(conn)
    except (errors.ProgrammingError, errors.ObjectNotInPrerequisiteState, errors.QueryCanceled):
        return None


async def _findings(
    conn: PsycopgConnection, role: str, topic: str, statement: LiteralString, *, bounded: bool = True
) -> list[Finding]:
    try:
        return [Finding(**row) for row in await _rows(conn, statement, bounded=bounded)]
    except errors.InsufficientPrivilege as error:
        return [
            Finding(
                topic,
                UNKNOWN,
                f"{error.diag.message_primary}",
                f'GRANT feed_dba TO "{role}"; -- lets this role read schema feed',
            )
        ]
    except errors.QueryCanceled:
        return [Finding(topic, UNKNOWN, _SLOW)]
    except errors.OperationalError:
        raise
    except errors.DatabaseError as error:
        # A part of the schema is missing: see `schema`. What this check would have said is not known, but this is not well.
        if (error.sqlstate or "").startswith(("42", "3F")):
            return [
                Finding(topic, BAD, f"{error.diag.message_primary}", "boardcast migrate # puts back what is missing")
            ]
        return [Finding(topic, UNKNOWN, f"{error.diag.message_primary or error}")]


async def _rows(conn: PsycopgConnection, statement: LiteralString, *, bounded: bool = True) -> list[dict[str, Any]]:
    async with (
        asyncio.timeout(_ANSWER),
        _read_only(conn, bounded=bounded),
        conn.cursor(row_factory=dict_row) as cursor,
    ):
        return await (await cursor.execute(statement)).fetchall()


@asynccontextmanager
async def _read_only(conn: PsycopgConnection, *, bounded: bool = True) -> AsyncIterator[None]:
    """A transaction that may not write; `bounded`: and whose statements end after some seconds."""
    async with conn.transaction():
        await conn.execute("SET TRANSACTION READ ONLY")
        if bounded:
            await conn.execute(sql("queries/dba_bounded"))
        yield
