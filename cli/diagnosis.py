"""Findings that only a client can make: of the connections that are named to it, and of the machine that it runs on.

Invariant: each is one sentence on what was found, and a cure where it is not well.
"""

import asyncio
import shutil
import time
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg

from cli import probe
from cli.failures import FailureError, in_one_line
from cli.probe import Clock
from db import replica
from db.changelog import Connection
from db.doctor import BAD, OK, UNKNOWN, WARNING, Finding, Server
from feed.system.database import POOLER

_SKEW = 1.0
"""Seconds by which clocks may differ."""
_LEFT, _DAYS = 0.05, 14
"""The share of a disk, and the days of growth, that should be left."""
_POLL = 0.02
_PRIMARY = "export DATABASE_URL=postgresql://PRIMARY/NAME # or 'postgresql://A,B/NAME?target_session_attrs=read-write'"
_DIRECT = "export LISTEN_DATABASE_URL=postgresql://SERVER:5432/NAME # the server itself, past the pooler"
_REPLICA = "unset BOARDCAST_REPLICA_URL # or name a standby of this primary: until then the log is read on the primary"
_BEHIND = "SELECT * FROM pg_stat_replication; -- on the primary: until it has caught up the log is read there"


def connection(topic: str, conn: Connection, server: Server) -> Finding:
    """Who answers to whom, and whether others can read along."""
    found = f"role {server.role} on database {server.name} at {conn.info.host or 'a socket'}:{conn.info.port}"
    if conn.pgconn.ssl_in_use:
        return Finding(topic, OK, f"{found}, by TLS")
    if not probe.elsewhere(conn):
        return Finding(topic, OK, f"{found}, on this machine")
    cure = "sslmode=verify-full in the URL # others on the way can read what is written, and the password's proof"
    return Finding(topic, WARNING, f"{found}, without TLS", cure)


def primary(server: Server) -> Finding:
    if server.standby:
        return Finding("primary", BAD, "the server is a standby: no service starts on it", _PRIMARY)
    return Finding("primary", OK, "the server takes writes")


def clock(found: Clock) -> Finding:
    """Tokens end, and times are shown, by these clocks."""
    by = f"{abs(found.ahead) * 1000:.0f} ms {'ahead' if found.ahead > 0 else 'behind'}, give or take {found.bound * 1000:.1f} ms"
    if abs(found.ahead) - found.bound < _SKEW:
        return Finding("clock", OK, f"the server's is {by}")
    cure = "timedatectl set-ntp true # here and there: tokens end by these clocks, and delays are measured by them"
    return Finding("clock", WARNING, f"the server's is {by}", cure)


async def pooler(conn: Connection, url: str, *, direct: bool) -> Finding:
    """What answers at DATABASE_URL; `direct`: LISTEN goes another way."""
    try:
        wanders = await probe.wanders(conn, url)
    except (psycopg.OperationalError, FailureError) as error:
        return Finding("pooler", UNKNOWN, f"no second connection: {in_one_line(str(error))}")
    if not wanders:
        kept = await probe.between(conn)
        return Finding("pooler", OK, "something is between that keeps sessions" if kept else "none is between")
    found = "in transaction mode: LISTEN, prepared statements and settings of a session are lost there"
    if direct:
        return Finding("pooler", OK, f"{found}; LISTEN_DATABASE_URL goes another way")
    return Finding("pooler", BAD, found, _DIRECT)


async def listen(conn: Connection, url: str, *, named: bool) -> Finding:
    """Whether a NOTIFY that is sent by DATABASE_URL is heard where services LISTEN, at `url`; `named`: by a URL of its own."""
    name = "LISTEN_DATABASE_URL" if named else "DATABASE_URL"
    async with AsyncExitStack() as stack:
        try:
            listening = await stack.enter_async_context(probe.opened(url))
            if await probe.wanders(listening, url):
                return Finding(
                    "LISTEN", BAD, f"{name} goes through a pooler in transaction mode, which carries none", _DIRECT
                )
            after = await probe.hears(listening, conn)
        except psycopg.errors.ReadOnlySqlTransaction as error:
            return Finding("LISTEN", BAD, f"{name}: {error.diag.message_primary}", _PRIMARY)
        except (psycopg.OperationalError, FailureError) as error:
            if named:
                return Finding("LISTEN", BAD, f"{name}: {in_one_line(str(error))}", _DIRECT)
            return Finding("LISTEN", UNKNOWN, f"no second connection: {in_one_line(str(error))}")
    if after is None:
        return Finding("LISTEN", BAD, POOLER, _DIRECT)
    return Finding("LISTEN", OK, f"{name} hears its own NOTIFY after {after * 1000:.1f} ms")


async def standby(conn: Connection, url: str, lag: float, role: str) -> Finding:
    """Whether the replica is one of this primary, and how long it takes to have what the primary shows."""
    try:
        async with probe.opened(url, primary=False) as there:
            standing = await replica.standing(there)
            mine = await replica.standing(conn)
            if not standing.standby:
                return Finding("replica", BAD, "BOARDCAST_REPLICA_URL is no standby", _REPLICA)
            if not standing.same or standing.feed_id != mine.feed_id:
                return Finding("replica", BAD, "it is a standby of another cluster", _REPLICA)
            began = time.monotonic()
            wanted = (await replica.horizon(conn)).flushed
            while not (await replica.replayed(there, wanted))[1]:
                if time.monotonic() - began > max(1.0, lag):
                    found = f"it is behind by more than {lag:g} s (BOARDCAST_REPLICA_LAG)"
                    return Finding("replica", WARNING, found, _BEHIND)
                await asyncio.sleep(_POLL)
    except psycopg.errors.InsufficientPrivilege as error:
        return Finding(
            "replica", UNKNOWN, f"{error.diag.message_primary}", f'GRANT feed_dba TO "{role}"; -- who may look'
        )
    except (psycopg.Error, FailureError, LookupError) as error:
        return Finding("replica", WARNING, in_one_line(str(error)), _REPLICA)
    return Finding("replica", OK, f"it has what the primary shows after {(time.monotonic() - began) * 1000:.0f} ms")


def disk(conn: Connection, server: Server, growth: int | None) -> Finding:
    """How much room is left, where the server is on this machine; and what the log takes of it."""
    grows = "" if growth is None else f"; the log grows by {_size(growth)} a day"
    folders = [Path(each) for each in (server.tablespace, server.directory) if each]
    if not folders and not probe.elsewhere(conn):
        cure = f'GRANT pg_read_all_settings TO "{server.role}"; -- who may know where the data are'
        return Finding("disk", UNKNOWN, f"where the data are, this role may not know{grows}", cure)
    try:
        rooms = [] if probe.elsewhere(conn) else [(shutil.disk_usage(each), each) for each in folders]
    except OSError:
        rooms = []
    if not rooms:
        cure = "df -h # there"
        return Finding("disk", UNKNOWN, f"the server's, of which only it knows how much is left{grows}", cure)
    room, folder = min(rooms, key=lambda each: each[0].free)
    found = f"{_size(room.free)} of {_size(room.total)} are left at {folder}{grows}"
    cure = (
        "boardcast retain 30d # or a larger disk. When it is full writes fail, and nothing is lost; "
        "boardcast prune --older-than 30d makes room"
    )
    if room.free < room.total * _LEFT / 5:
        return Finding("disk", BAD, found, cure)
    if room.free < room.total * _LEFT or room.free < _DAYS * (growth or 0):
        return Finding("disk", WARNING, found, cure)
    return Finding("disk", OK, found)


def _size(amount: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"
