"""A hot standby that serves reads of the log in place of the primary.

Invariant: a read on the standby shows what one of the primary's snapshots shows, as far as the standby has replayed it.
Transactions that it has not replayed count as in progress and are delivered by a later read. Cursors are never made from the
standby's own snapshots. Each read verifies, in its own snapshot, that the server is a standby of the followed feed. A read that
the standby cannot serve correctly and in time raises ReplicaReadError and is done on the primary. A standby that failed is used
again once a check succeeds.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import NamedTuple

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db.changelog import replica
from db.changelog.changes import tune_log_reads
from db.changelog.positions import Seen
from db.changelog.replica import Horizon, StandbyStatus
from db.changelog.transactions import begin_log_read
from db.connection import Connection, ReadTimeoutError
from feed.system.database import Pool, direct_pool
from feed.system.supervisor import Supervisor
from feed.system.tasks import end
from feed.telemetry.metrics import Metrics
from feed.wire.cursor import parse_snapshot

_POOL_SIZE = 5
_CHECK_INTERVAL = 1.0
"""Seconds between checks of a standby that is not in use."""
_POLL_INTERVALS = 0.001, 0.02
"""Seconds between checks of the replay position: the first interval, and the longest."""
READ_TIMEOUT = 3.0
"""Seconds of silence after which any statement on the standby is given up and the read is done on the primary."""
_RECOVERY_CONFLICTS = frozenset({"40001", "40P01"})
"""SQLSTATEs of queries that were canceled because they conflicted with replay."""

log = structlog.get_logger()


class ReplicaStatus(StrEnum):
    USED = "used"
    LAGGING = "lagging"
    """It does not replay what the primary shows within the allowed lag."""
    UNREACHABLE = "away"
    PROMOTED = "promoted"
    """It has become a primary."""
    FOREIGN = "foreign"
    """It belongs to another cluster or feed, or follows another timeline."""


class ReplicaReadError(Exception):
    """The read must be done on the primary. `outcome`: a ReplicaStatus, or `cancelled`, `doubted`, `silent` or `failed`."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


class View(NamedTuple):
    """A transaction on the standby that shows what `seen` covers, begun after the standby had replayed up to `lsn`."""

    conn: Connection
    seen: Seen
    lsn: str


class Replica:
    """`feed` returns the id of the primary's feed; `primary` is the pool that is asked for the primary's horizon."""

    def __init__(self, url: str, max_lag: float, primary: Pool, feed: Callable[[], str], metrics: Metrics) -> None:
        self._pool = direct_pool(url, "boardcast-replica", _POOL_SIZE, tune_log_reads, max_read_timeout=READ_TIMEOUT)
        self._max_lag = max_lag
        self._primary = primary
        self._feed = feed
        self._metrics = metrics
        metrics.replica_used.set(0)
        for reader in ("live", "recovery"):
            for outcome in ("read", *ReplicaStatus, "cancelled", "doubted", "silent", "failed"):
                metrics.replica_reads.labels(reader, outcome)
        self._task: asyncio.Task[None] | None = None
        self.status: ReplicaStatus | None = None
        """None until the first check."""
        self._replayed = Seen(0)
        """Transactions known to have ended on the standby too. Only those that ended on the primary since then are checked."""

    @property
    def used(self) -> bool:
        return self.status is ReplicaStatus.USED

    async def start(self, supervisor: Supervisor) -> None:
        """Start checking the standby, without waiting for it."""
        await self._pool.open(wait=False)
        self._task = supervisor.start("replica", self._watch)

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)
        await self._pool.close()

    async def horizon(self) -> Horizon:
        """The primary's snapshot and WAL locations now. Raises psycopg.Error, PoolTimeout."""
        async with self._primary.connection() as conn:
            return await replica.horizon(conn)

    @asynccontextmanager
    async def read_after(self, lsn: str) -> AsyncIterator[Connection]:
        """A transaction that shows everything the primary showed at `lsn`. Raises ReplicaReadError, also from within the block."""
        with self._counting_outcome("recovery"):
            # Reading many rows may take longer than a read pass. The next pass finds out whether the standby is gone.
            async with self._connection(timeout_outcome="silent") as conn:
                await self._wait_for_replay(conn, lsn, self._max_lag)
                async with self._transaction(conn):
                    yield conn

    @asynccontextmanager
    async def view(self, horizon: Horizon, since: Seen) -> AsyncIterator[View]:
        """What the primary shows, as far as the standby has replayed it, for a head at `since`. Raises as read_after() does."""
        with self._counting_outcome("live"):
            async with self._connection() as conn:
                await self._wait_for_replay(conn, horizon.flushed, self._max_lag)
                primary = parse_snapshot(horizon.snapshot)
                missing = await replica.unreplayed(conn, self._replayed, primary)
                if any(xid in since for xid in missing):
                    raise ReplicaReadError("doubted", "it has not replayed a transaction that was already delivered")
                self._replayed = Seen(primary.xmax, tuple(sorted({*primary.xip, *missing})))
                async with self._transaction(conn) as lsn:
                    yield View(conn, self._replayed, lsn)

    @contextmanager
    def _counting_outcome(self, reader: str) -> Iterator[None]:
        try:
            yield
        except ReplicaReadError as error:
            self._metrics.replica_reads.labels(reader, error.outcome).inc()
            if error.outcome in set(ReplicaStatus):
                self._set_status(ReplicaStatus(error.outcome), str(error))
            raise
        self._metrics.replica_reads.labels(reader, "read").inc()

    @asynccontextmanager
    async def _connection(self, timeout_outcome: str = ReplicaStatus.UNREACHABLE) -> AsyncIterator[Connection]:
        try:
            async with self._pool.connection(timeout=self._max_lag) as conn:
                yield conn
        except ReadTimeoutError as error:
            raise ReplicaReadError(timeout_outcome, str(error)) from error
        except psycopg.Error as error:
            outcome = "cancelled" if error.sqlstate in _RECOVERY_CONFLICTS else ReplicaStatus.UNREACHABLE
            if outcome == ReplicaStatus.UNREACHABLE and not isinstance(
                error, psycopg.OperationalError | psycopg.InterfaceError
            ):
                # A bug in one statement says nothing about the standby, so other reads continue there.
                log.exception("read on the replica failed; reading on the primary")
                outcome = "failed"
            raise ReplicaReadError(outcome, str(error).strip()) from error
        except (PoolTimeout, OSError, TimeoutError) as error:
            raise ReplicaReadError(ReplicaStatus.UNREACHABLE, str(error) or "it does not answer") from error

    @asynccontextmanager
    async def _transaction(self, conn: Connection) -> AsyncIterator[str]:
        """Yields a WAL location that the standby had replayed when the snapshot was taken; it may have replayed more."""
        async with conn.transaction():
            try:
                await begin_log_read(conn)
                standing = await replica.standby_status(conn)
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, LookupError) as error:
                raise ReplicaReadError(ReplicaStatus.FOREIGN, "boardcast is not installed in its database") from error
            yield self._verify(standing)

    async def _wait_for_replay(self, conn: Connection, lsn: str, max_lag: float) -> None:
        clock = asyncio.get_running_loop().time
        deadline, (pause, longest) = clock() + max_lag, _POLL_INTERVALS
        while True:
            standby, reached = await replica.replayed(conn, lsn)
            if not standby:
                raise ReplicaReadError(ReplicaStatus.PROMOTED, "the server is not a standby")
            if reached:
                return
            if clock() + pause > deadline:
                raise ReplicaReadError(ReplicaStatus.LAGGING, f"it has not replayed {lsn} after {max_lag:g} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    def _verify(self, standing: StandbyStatus) -> str:
        if not standing.standby or standing.lsn is None:
            raise ReplicaReadError(ReplicaStatus.PROMOTED, "the server was promoted")
        if not standing.same or standing.feed_id != self._feed():
            raise ReplicaReadError(
                ReplicaStatus.FOREIGN, "it is a standby of another feed, or follows an older timeline"
            )
        return standing.lsn

    async def _watch(self) -> None:
        while True:
            if not self.used:
                await self._check_status()
            await asyncio.sleep(_CHECK_INTERVAL)

    async def _check_status(self) -> None:
        try:
            horizon = await self.horizon()
            # Half the lag that is allowed later, so that a standby at the limit does not alternate.
            async with self._connection() as conn:
                await self._wait_for_replay(conn, horizon.written, self._max_lag / 2)
                async with self._transaction(conn):
                    self._replayed = parse_snapshot(horizon.snapshot)
        except ReplicaReadError as error:
            if error.outcome in set(ReplicaStatus):
                self._set_status(ReplicaStatus(error.outcome), str(error))
        except (psycopg.Error, PoolTimeout):
            pass  # the primary is unreachable; its own users report that
        else:
            self._set_status(ReplicaStatus.USED, "")

    def _set_status(self, status: ReplicaStatus, reason: str) -> None:
        if status is self.status:
            return
        self.status = status
        self._metrics.replica_used.set(self.used)
        if self.used:
            log.info("reading the log on the replica")
        else:
            log.warning("replica not used; reading the log on the primary", replica=str(status), reason=reason)
