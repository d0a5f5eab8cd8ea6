"""A hot standby on which the log is read in the primary's place.

Invariant: whoever reads here reads what one of the primary's snapshots shows, as far as the standby has replayed it: what has not
ended here counts as in progress, and is told the next time. A cursor is never taken here. Each reading finds out, in its own
snapshot, that this is a standby of the feed that it reads. What cannot be read so, or not soon enough, is for the primary
(UnfitError); the standby is used again when it is found to be fit again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import NamedTuple

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from db import changelog, replica
from db.changelog import Seen
from db.connection import Connection, ReadTimeoutError
from db.replica import Horizon, Standing
from db.sqlfiles import sql
from feed.system.database import Pool, direct_pool
from feed.system.tasks import end
from feed.telemetry.metrics import Metrics
from feed.wire.cursor import shows

_SIZE = 5
_LOOK = 1.0
"""Seconds between looks at one that is not used."""
_POLL = 0.001, 0.02
"""Seconds between questions how far it is: at first, and at last."""
READ_TIMEOUT = 3.0
"""Seconds of silence, whatever it was asked, after which a reading goes to the primary."""
_BY_RECOVERY = frozenset({"40001", "40P01"})
"""SQLSTATEs of a query that stood in the way of replay."""
_LOCKED = sql("queries/log_lock")
_READING = f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; {_LOCKED}"

log = structlog.get_logger()


class Fitness(StrEnum):
    USED = "used"
    LAGGING = "lagging"
    """It does not replay within the bound what the primary shows."""
    AWAY = "away"
    PROMOTED = "promoted"
    """It is a primary now."""
    FOREIGN = "foreign"
    """It is of another cluster, or follows another timeline of ours."""


class UnfitError(Exception):
    """This reading is for the primary; `outcome` is a Fitness, or `cancelled`, `doubted`, `silent` or `failed`."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


class View(NamedTuple):
    """A transaction on the standby that shows what `seen` says, made when it had replayed up to `lsn`."""

    conn: Connection
    seen: Seen
    lsn: str


class Replica:
    """`feed` names the feed that the primary has; `primary` is asked how far it is."""

    def __init__(self, url: str, lag: float, primary: Pool, feed: Callable[[], str], metrics: Metrics) -> None:
        self._pool = direct_pool(url, "boardcast-replica", _SIZE, changelog.plan, max_read_timeout=READ_TIMEOUT)
        self._lag = lag
        self._primary = primary
        self._feed = feed
        self._metrics = metrics
        metrics.replica_used.set(0)
        for reader in ("sweep", "catchup"):
            for outcome in ("read", *Fitness, "cancelled", "doubted", "silent", "failed"):
                metrics.replica_reads.labels(reader, outcome)
        self._task: asyncio.Task[None] | None = None
        self.fitness: Fitness | None = None
        """None before it was looked at."""
        self._ended = Seen(0)
        """What is known to have ended here as well: only what has ended on the primary since then is asked about."""

    @property
    def used(self) -> bool:
        return self.fitness is Fitness.USED

    async def start(self) -> None:
        """Begin to look at it; the service does not wait for it."""
        await self._pool.open(wait=False)
        self._task = asyncio.create_task(self._watch(), name="replica")

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)
        await self._pool.close()

    async def horizon(self) -> Horizon:
        """What the primary shows now. Raises psycopg.Error, PoolTimeout."""
        async with self._primary.connection() as conn:
            return await replica.horizon(conn)

    @asynccontextmanager
    async def reader(self, lsn: str) -> AsyncIterator[Connection]:
        """A transaction that shows all that the primary showed when it was at `lsn`. Raises UnfitError, also out of the block."""
        with self._counted("catchup"):
            # A read of many rows may be slow where a sweep is not. Whether the standby is gone is for the next sweep to find out.
            async with self._connected(silent="silent") as conn:
                await self._reach(conn, lsn, self._lag)
                async with self._transaction(conn):
                    yield conn

    @asynccontextmanager
    async def view(self, there: Horizon, since: Seen) -> AsyncIterator[View]:
        """What the primary shows now, as far as it has ended here, to one who has been told `since`. Raises what reader() does."""
        with self._counted("sweep"):
            async with self._connected() as conn:
                await self._reach(conn, there.flushed, self._lag)
                primary = shows(there.snapshot)
                missing = await replica.unreplayed(conn, self._ended, primary)
                if any(xid in since for xid in missing):
                    raise UnfitError("doubted", "the primary has told what is not replayed yet")
                self._ended = Seen(primary.xmax, tuple(sorted({*primary.xip, *missing})))
                async with self._transaction(conn) as lsn:
                    yield View(conn, self._ended, lsn)

    @contextmanager
    def _counted(self, reader: str) -> Iterator[None]:
        try:
            yield
        except UnfitError as error:
            self._metrics.replica_reads.labels(reader, error.outcome).inc()
            if error.outcome in set(Fitness):
                self._becomes(Fitness(error.outcome), str(error))
            raise
        self._metrics.replica_reads.labels(reader, "read").inc()

    @asynccontextmanager
    async def _connected(self, silent: str = Fitness.AWAY) -> AsyncIterator[Connection]:
        try:
            async with self._pool.connection(timeout=self._lag) as conn:
                yield conn
        except ReadTimeoutError as error:
            raise UnfitError(silent, str(error)) from error
        except psycopg.Error as error:
            outcome = "cancelled" if error.sqlstate in _BY_RECOVERY else Fitness.AWAY
            if outcome == Fitness.AWAY and not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
                # A fault of boardcast in one statement says nothing of the standby: other reads go on there.
                log.exception("read on the replica failed; reading on the primary")
                outcome = "failed"
            raise UnfitError(outcome, str(error).strip()) from error
        except (PoolTimeout, OSError, TimeoutError) as error:
            raise UnfitError(Fitness.AWAY, str(error) or "it does not answer") from error

    @asynccontextmanager
    async def _transaction(self, conn: Connection) -> AsyncIterator[str]:
        """With how far it was, at least, when its snapshot was made."""
        async with conn.transaction():
            try:
                await conn.execute(_READING, prepare=False)
                standing = await replica.standing(conn)
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, LookupError) as error:
                raise UnfitError(Fitness.FOREIGN, "there is no boardcast in that database") from error
            yield self._check(standing)

    async def _reach(self, conn: Connection, lsn: str, lag: float) -> None:
        clock = asyncio.get_running_loop().time
        deadline, (pause, most) = clock() + lag, _POLL
        while True:
            standby, reached = await replica.replayed(conn, lsn)
            if not standby:
                raise UnfitError(Fitness.PROMOTED, "it is no standby: reads of the log go to the primary")
            if reached:
                return
            if clock() + pause > deadline:
                raise UnfitError(Fitness.LAGGING, f"it has not replayed {lsn} after {lag:g} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, most)

    def _check(self, standing: Standing) -> str:
        if not standing.standby or standing.lsn is None:
            raise UnfitError(Fitness.PROMOTED, "it is no standby any more")
        if not standing.same or standing.feed_id != self._feed():
            raise UnfitError(Fitness.FOREIGN, "it is a standby of another feed, or follows an older timeline")
        return standing.lsn

    async def _watch(self) -> None:
        while True:
            if not self.used:
                await self._look()
            await asyncio.sleep(_LOOK)

    async def _look(self) -> None:
        try:
            there = await self.horizon()
            # Half of what is borne later: one that is just slow enough is not to go to and fro.
            async with self._connected() as conn:
                await self._reach(conn, there.written, self._lag / 2)
                async with self._transaction(conn):
                    self._ended = shows(there.snapshot)
        except UnfitError as error:
            if error.outcome in set(Fitness):
                self._becomes(Fitness(error.outcome), str(error))
        except (psycopg.Error, PoolTimeout):
            pass  # the primary is away: that is told by those who need it
        else:
            self._becomes(Fitness.USED, "")

    def _becomes(self, fitness: Fitness, why: str) -> None:
        if fitness is self.fitness:
            return
        self.fitness = fitness
        self._metrics.replica_used.set(self.used)
        if self.used:
            log.info("the log is read on the replica")
        else:
            log.warning("the replica is not read: the log is read on the primary", replica=str(fitness), reason=why)
