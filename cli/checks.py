"""The checks of `boardcast doctor` that need a client: the configured connections, and the machine that it runs on.

Invariant: each returns one finding, with a fix if there is a problem.
"""

import asyncio
import shutil
import time
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg

from cli import probe
from cli.failures import FailureError, one_line
from cli.probe import ClockOffset
from db.changelog import replica
from db.connection import PsycopgConnection
from db.doctor import BAD, OK, UNKNOWN, WARNING, Finding, Server
from feed.system.database import POOLER_MESSAGE

_MAX_CLOCK_OFFSET = 1.0
_FREE_SHARE, _FREE_DAYS = 0.05, 14
"""The share of the disk, and the days of log growth, below which free space is a warning."""
_POLL_INTERVAL = 0.02
_USE_PRIMARY = (
    "export DATABASE_URL=postgresql://PRIMARY/NAME # or 'postgresql://A,B/NAME?target_session_attrs=read-write'"
)
_CONNECT_DIRECTLY = "export LISTEN_DATABASE_URL=postgresql://SERVER:5432/NAME # the server itself, not the pooler"
_FIX_REPLICA = (
    "unset BOARDCAST_REPLICA_URL # or set it to a standby of this primary; until then the log is read on the primary"
)
_REPLICA_LAG = (
    "SELECT * FROM pg_stat_replication; -- on the primary, where the log is read until the standby catches up"
)


def connection(topic: str, conn: PsycopgConnection, server: Server) -> Finding:
    """Who answers, as which role, and whether others on the network can read along."""
    found = f"role {server.role}, database {server.name}, {conn.info.host or 'a socket'}:{conn.info.port}"
    if conn.pgconn.ssl_in_use:
        return Finding(topic, OK, f"{found}, with TLS")
    if not probe.is_remote(conn):
        return Finding(topic, OK, f"{found}, on this machine")
    fix = "add sslmode=verify-full to the URL # without TLS, others on the network can read the data"
    return Finding(topic, WARNING, f"{found}, without TLS", fix)


def primary(server: Server) -> Finding:
    if server.standby:
        return Finding("primary", BAD, "the server is a standby; services do not start on one", _USE_PRIMARY)
    return Finding("primary", OK, "the server accepts writes")


def clock(offset: ClockOffset) -> Finding:
    """Tokens expire, and delays are measured, by the clocks of both machines."""
    direction = "ahead" if offset.ahead > 0 else "behind"
    found = f"the server is {abs(offset.ahead) * 1000:.0f} ms {direction} (± {offset.error * 1000:.1f} ms)"
    if abs(offset.ahead) - offset.error < _MAX_CLOCK_OFFSET:
        return Finding("clock", OK, found)
    fix = "timedatectl set-ntp true # on both machines: the expiry of tokens and the measured delays depend on their clocks"
    return Finding("clock", WARNING, found, fix)


async def pooler(conn: PsycopgConnection, url: str, *, direct: bool) -> Finding:
    """Whether DATABASE_URL goes through a pooler. `direct`: LISTEN_DATABASE_URL is set."""
    try:
        transaction_pooled = await probe.is_transaction_pooled(conn, url)
    except (psycopg.OperationalError, FailureError) as error:
        return Finding("pooler", UNKNOWN, f"could not open a second connection: {one_line(str(error))}")
    if not transaction_pooled:
        found = "a pooler in session mode" if await probe.has_pooler(conn) else "no pooler"
        return Finding("pooler", OK, found)
    found = "a pooler in transaction mode, which cannot carry LISTEN, prepared statements or session settings"
    if direct:
        return Finding("pooler", OK, f"{found}; LISTEN uses LISTEN_DATABASE_URL")
    return Finding("pooler", BAD, found, _CONNECT_DIRECTLY)


async def listen(conn: PsycopgConnection, url: str, *, named: bool) -> Finding:
    """Whether a NOTIFY sent through DATABASE_URL arrives where services LISTEN. `named`: LISTEN_DATABASE_URL is set."""
    name = "LISTEN_DATABASE_URL" if named else "DATABASE_URL"
    async with AsyncExitStack() as stack:
        try:
            listener = await stack.enter_async_context(probe.opened(url))
            if await probe.is_transaction_pooled(listener, url):
                found = f"{name} goes through a pooler in transaction mode, which cannot carry LISTEN"
                return Finding("LISTEN", BAD, found, _CONNECT_DIRECTLY)
            delay = await probe.notify_delay(listener, conn)
        except psycopg.errors.ReadOnlySqlTransaction as error:
            return Finding("LISTEN", BAD, f"{name}: {error.diag.message_primary}", _USE_PRIMARY)
        except (psycopg.OperationalError, FailureError) as error:
            if named:
                return Finding("LISTEN", BAD, f"{name}: {one_line(str(error))}", _CONNECT_DIRECTLY)
            return Finding("LISTEN", UNKNOWN, f"could not open a second connection: {one_line(str(error))}")
    if delay is None:
        return Finding("LISTEN", BAD, POOLER_MESSAGE, _CONNECT_DIRECTLY)
    return Finding("LISTEN", OK, f"NOTIFY arrives at {name} after {delay * 1000:.1f} ms")


async def standby(conn: PsycopgConnection, url: str, lag: float, role: str) -> Finding:
    """Whether the replica is a standby of this primary, and how long it takes to catch up with it."""
    try:
        async with probe.opened(url, primary=False) as there:
            standing = await replica.standby_status(there)
            mine = await replica.standby_status(conn)
            if not standing.standby:
                return Finding("replica", BAD, "BOARDCAST_REPLICA_URL is not a standby", _FIX_REPLICA)
            if not standing.same or standing.feed_id != mine.feed_id:
                return Finding("replica", BAD, "it is a standby of another cluster", _FIX_REPLICA)
            began = time.monotonic()
            wanted = (await replica.horizon(conn)).flushed
            while not (await replica.replayed(there, wanted))[1]:
                if time.monotonic() - began > max(1.0, lag):
                    found = f"it is more than {lag:g} s behind (BOARDCAST_MAX_REPLICA_LAG)"
                    return Finding("replica", WARNING, found, _REPLICA_LAG)
                await asyncio.sleep(_POLL_INTERVAL)
    except psycopg.errors.InsufficientPrivilege as error:
        fix = f'GRANT feed_dba TO "{role}"; -- lets this role read schema feed'
        return Finding("replica", UNKNOWN, f"{error.diag.message_primary}", fix)
    except (psycopg.Error, FailureError, LookupError) as error:
        return Finding("replica", WARNING, one_line(str(error)), _FIX_REPLICA)
    return Finding("replica", OK, f"it catches up with the primary in {(time.monotonic() - began) * 1000:.0f} ms")


def disk(conn: PsycopgConnection, server: Server, growth: int | None) -> Finding:
    """How much space is free, if the server is on this machine, and how fast the log grows."""
    grows = "" if growth is None else f"; the log grows by {_size(growth)} a day"
    folders = [Path(each) for each in (server.tablespace, server.directory) if each]
    if not folders and not probe.is_remote(conn):
        fix = f'GRANT pg_read_all_settings TO "{server.role}"; -- lets this role see the data directory'
        return Finding("disk", UNKNOWN, f"this role may not see the data directory{grows}", fix)
    try:
        usages = [] if probe.is_remote(conn) else [(shutil.disk_usage(each), each) for each in folders]
    except OSError:
        usages = []
    if not usages:
        fix = "df -h # on the server"
        return Finding("disk", UNKNOWN, f"free space can only be seen on the server{grows}", fix)
    usage, folder = min(usages, key=lambda each: each[0].free)
    found = f"{_size(usage.free)} of {_size(usage.total)} free at {folder}{grows}"
    fix = (
        "boardcast retain 30d # or use a larger disk. When it is full, writes fail but nothing is lost; "
        "boardcast prune --older-than 30d frees space at once"
    )
    if usage.free < usage.total * _FREE_SHARE / 5:
        return Finding("disk", BAD, found, fix)
    if usage.free < usage.total * _FREE_SHARE or usage.free < _FREE_DAYS * (growth or 0):
        return Finding("disk", WARNING, found, fix)
    return Finding("disk", OK, found)


def _size(amount: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"
