"""What a server says of itself and of the feed in it, question by question.

Invariant: a question that cannot be answered is a finding too, which says who may ask it. Each ends within seconds, and nothing is
written.
"""

import asyncio
from typing import Any, LiteralString, NamedTuple

from psycopg import errors
from psycopg.rows import dict_row

from db import rights as reading
from db.changelog import Connection
from db.rights import Right
from db.sqlfiles import sql

OK, WARNING, BAD, UNKNOWN = "ok", "warning", "bad", "unknown"

_OLDEST, _NEWEST = 15, 18
"""The majors that boardcast is tried on."""
_LISTENS = {15: 16, 16: 12, 17: 8, 18: 2}
"""The minor from which on LISTEN does not fail over what vacuum has removed below an old entry of the queue."""
_ANSWER = 8.0
"""Seconds after which a server is given up that does not end the question itself, as it was told to."""


class Finding(NamedTuple):
    """`cure` is a command to paste, with the reason behind it; None where all is well, or nothing can be done from here."""

    topic: str
    status: str
    found: str
    cure: str | None = None

    @property
    def well(self) -> bool:
        return self.status in {OK, UNKNOWN}


class Server(NamedTuple):
    """`directory` of its data, None where the role may not know; `tablespace`, where the log is if not there."""

    version: int
    standby: bool
    installed: bool
    role: str
    name: str
    directory: str | None
    tablespace: str | None


async def server(conn: Connection) -> Server:
    """What answers. As all that is asked here: raises TimeoutError, and psycopg.OperationalError where the connection is lost."""
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
        fault = "LISTEN may fail there with “could not access status of transaction”"
        cure = (
            f"apt-get install --only-upgrade postgresql-{major} # or as your system does it: {major}.{first} mends it"
        )
        return Finding("version", WARNING, f"{found}: {fault}", cure)
    if major > _NEWEST:
        return Finding("version", UNKNOWN, f"{found}: boardcast has been tried on {_OLDEST} to {_NEWEST}")
    return Finding("version", OK, found)


async def settings(conn: Connection, role: str) -> list[Finding]:
    """The settings of this session that the feed cannot live with, or not well. They are read as they are, so without a bound."""
    return await _findings(conn, role, "settings", sql("queries/doctor_settings"), bounded=False)


async def rights(conn: Connection) -> Finding:
    """Whether this role may do what the services need, or what is needed to look."""
    async with asyncio.timeout(_ANSWER):
        found = await reading.rights(conn)
    said = f"role {found[0].role} may do: {'; '.join(map(_said, found))}"
    if not all(each.known for each in found):
        roles = ("feed_app", "feed_listener", "feed_dba", "feed_owner", "feed_sandbox")
        cure = " ".join(f"CREATE ROLE {name};" for name in roles)
        return Finding(
            "rights",
            BAD,
            said,
            f"{cure} -- then restore the dump again: roles are the cluster's, and its grants were lost",
        )
    if all(each.lacking for each in found):
        return Finding("rights", BAD, said, f"{found[-1].cure} -- to look; {_services(found)}")
    return Finding("rights", OK, said)


def _services(found: list[Right]) -> str:
    return ", ".join(f"{each.granted} for {each.does}" for each in found[:-1])


def _said(right: Right) -> str:
    if not right.known:
        return f"{right.does}, not known: role {right.granted} is missing, or was granted nothing"
    return f"{right.does}, no: {right.lacks}" if right.lacking else f"{right.does}, yes"


async def health(conn: Connection, role: str) -> list[Finding]:
    """What feed.health says; one finding that says why where it cannot be asked."""
    return await _findings(conn, role, "health", sql("queries/doctor_health"))


async def growth(conn: Connection) -> int | None:
    """By how many bytes a day the log grows; None where that cannot be known."""
    try:
        (row,) = await _rows(conn, sql("queries/doctor_growth"))
    except (errors.InsufficientPrivilege, errors.ObjectNotInPrerequisiteState, errors.QueryCanceled):
        return None
    return None if row["bytes"] is None else int(row["bytes"])


async def _findings(
    conn: Connection, role: str, topic: str, question: LiteralString, *, bounded: bool = True
) -> list[Finding]:
    try:
        return [Finding(**row) for row in await _rows(conn, question, bounded=bounded)]
    except errors.InsufficientPrivilege as error:
        return [
            Finding(topic, UNKNOWN, f"{error.diag.message_primary}", f'GRANT feed_dba TO "{role}"; -- who may look')
        ]
    except errors.QueryCanceled:
        return [
            Finding(topic, UNKNOWN, "no answer in 5 s: the database is slow, or somebody holds a lock on what is asked")
        ]
    except errors.OperationalError:
        raise
    except errors.DatabaseError as error:
        return [Finding(topic, UNKNOWN, f"{error.diag.message_primary or error}")]


async def _rows(conn: Connection, question: LiteralString, *, bounded: bool = True) -> list[dict[str, Any]]:
    async with asyncio.timeout(_ANSWER), conn.transaction(), conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SET TRANSACTION READ ONLY")
        if bounded:
            await cursor.execute(sql("queries/dba_bounded"))
        return await (await cursor.execute(question)).fetchall()
