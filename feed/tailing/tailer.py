"""The tailer: runs the read passes that read the log for all clients of this process.

Invariant: what has been published is exactly what `head` covers, in order, plus possibly a part of the batch that is being
published. A pass reads what a new snapshot shows and the head's snapshot did not, and publishes it. After a failure, the pass
continues where it stopped. A notification only makes the next pass start at once: without any, there is one every second.
"""

import asyncio
import time
from collections.abc import Callable, Iterator

import psycopg
import structlog

from db import flags
from db.changelog.changes import tune_log_reads
from db.changelog.memberships import read_memberships
from db.changelog.positions import Seen, identify_feed, read_position, read_proof
from db.changelog.transactions import begin_read
from db.connection import Connection
from db.readiness import NotReadyError
from db.settings import Settings
from feed.delivery.flags import Flags
from feed.delivery.memberships import Memberships
from feed.delivery.publisher import Publisher
from feed.system.backoff import backoff
from feed.system.database import connect
from feed.system.supervisor import Supervisor
from feed.system.tasks import end
from feed.tailing.log_reader import PROGRESS_TIMEOUT, LogReader, LogReplacedError
from feed.tailing.passes import Passes
from feed.tailing.prefetch import MAX_ROWS, Prefetch
from feed.tailing.replica import Replica
from feed.telemetry.metrics import Metrics
from feed.wire.cursor import Cursor, Fault

CHANNEL = "boardcast"
"""The channel that writers NOTIFY; see db/sql/functions/notify.sql."""
_MISSED_READS = 3
"""Intervals between safety reads that may pass without a read before this process counts as behind."""
_REPLICA_PAUSE = 0.02
"""Seconds between passes while waiting for a standby to replay."""
_VERIFY_INTERVAL = 5.0
"""Seconds after which the log's identity is verified again on the same connection: an administrator can reset the feed."""

log = structlog.get_logger()


class Tailer:
    """Calls `on_replaced` if the log was replaced, so that all clients must start over."""

    def __init__(
        self,
        settings: Settings,
        publisher: Publisher,
        metrics: Metrics,
        on_replaced: Callable[[Fault], None],
        replica: Replica | None = None,
    ) -> None:
        self._settings = settings
        self.prefetch = Prefetch(self.wake)
        self.publisher = publisher
        self._metrics = metrics
        self._on_replaced = on_replaced
        self._log_reader = LogReader(settings, publisher, self.prefetch, replica)
        self._wake_event = asyncio.Event()
        self.passes = Passes()
        self._verified_at = 0.0
        """When the log's identity was last verified."""
        self._task: asyncio.Task[None] | None = None
        self._first_connection: Connection | None = None
        self.up = False
        self.refused: str | None = None
        """Why the database cannot be used although it answers, such as another schema revision; otherwise None."""
        self.backend_pid: int | None = None
        """The server process that reads the log; None while not connected."""
        self.head_lsn: str | None = None
        """A WAL location of the primary by which everything that the head covers is written; None if the replica was not read."""
        self.previous_head: Cursor
        """The head when the current or last pass began; set by the first pass."""

    async def start(self, supervisor: Supervisor) -> None:
        """Connect, and follow the log from its current end. Raises if the database cannot be used."""
        conn = await self._connect()
        try:
            await self._start_at_end(conn)
        except BaseException:
            await conn.close()
            raise
        self._first_connection = conn
        self._task = supervisor.start("tailer", self._run)

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)

    @property
    def head(self) -> Cursor:
        """What has been published to all live clients. Available after start()."""
        return self.publisher.head

    @property
    def is_current(self) -> bool:
        """Whether the log is being read: changes older than a few seconds have been delivered."""
        return self.up and self.passes.since_read < _MISSED_READS * self._settings.read_interval

    def wake(self) -> None:
        """Start a read pass at once."""
        self._wake_event.set()

    async def wait_for_snapshot(self, snapshot: Seen) -> None:
        """Wait until everything that an earlier snapshot shows is published. On a standby, that may take several passes."""
        while True:
            await self.wait_for_pass()
            covered = self._log_reader.covered
            if covered is None or (covered.xmax >= snapshot.xmax and not any(xid in snapshot for xid in covered.xip)):
                return
            await asyncio.sleep(_REPLICA_PAUSE)

    def request_verification(self) -> None:
        """Verify the log's identity at once, because a client has a cursor of another feed."""
        self.publisher.recheck_needed = True
        self._wake_event.set()

    def on_notify(self) -> None:
        """Send the prefetch's query and start a read pass, because a notification arrived."""
        self.prefetch.on_notify()
        self.wake()

    async def wait_for_pass(self) -> None:
        """Wait until a pass that begins after this call has ended."""
        self.prefetch.invalidate()
        self._wake_event.set()
        await self.passes.wait_for_next()

    async def _run(self) -> None:
        delays = backoff()
        conn, self._first_connection = self._first_connection or await self._reconnect(delays), None
        while True:
            try:
                async with conn:
                    self._set_backend(conn.info.backend_pid)
                    self._verified_at = time.monotonic()
                    while True:
                        self._wake_event.clear()
                        try:
                            await self._read_pass(conn)
                        except LogReplacedError:
                            self.publisher.recheck_needed = True
                        delays, self._log_reader.timeout = backoff(), PROGRESS_TIMEOUT
                        if (
                            time.monotonic() - self._verified_at <= _VERIFY_INTERVAL
                            and not self.publisher.recheck_needed
                        ):
                            await self._wait_for_wake()
                            continue
                        async with asyncio.timeout(PROGRESS_TIMEOUT):
                            await self._verify(conn)
                        self._verified_at, self.publisher.recheck_needed = time.monotonic(), False
            except TimeoutError:
                log.warning("log read timed out; reconnecting", after=self._log_reader.timeout)
                self._log_reader.timeout *= 2
            except (psycopg.Error, OSError) as error:
                log.warning("log read failed; reconnecting", error=str(error).strip())
            finally:
                # After a bug of ours too: the head has not moved, so repeating this pass loses nothing.
                self._set_backend(None)
                self.publisher.notify_lost()
            conn = await self._reconnect(delays)

    async def _reconnect(self, delays: Iterator[float]) -> Connection:
        self._metrics.reconnects.labels("tailer").inc()
        for seconds in delays:
            await asyncio.sleep(seconds)
            try:
                conn = await self._connect()
                async with asyncio.timeout(PROGRESS_TIMEOUT):
                    await self._resume(conn)
            except NotReadyError as error:
                self.refused = str(error)
                log.warning("database not ready; retrying", error=self.refused)
            except (psycopg.Error, OSError, TimeoutError) as error:
                self.refused = None
                log.warning("database not available yet; retrying", error=str(error).strip())
            else:
                self.refused = None
                log.info("following the log again", cursor=str(self.head))
                return conn
        raise AssertionError("backoff() does not end")

    async def _connect(self) -> Connection:
        conn = await connect(self._settings.listen_database, "boardcast-tailer")
        try:
            await tune_log_reads(conn)
        except BaseException:
            await conn.close()
            raise
        return conn

    async def _start_at_end(self, conn: Connection) -> None:
        """Set the head to the current end of the log, with the memberships and flags of the same snapshot."""
        feed = await identify_feed(conn)
        async with conn.transaction():
            await begin_read(conn)
            position = await read_position(conn)
            memberships = Memberships(await read_memberships(conn))
            current_flags = Flags(await flags.rules(conn))
        self.head_lsn = None
        self.publisher.start(Cursor.at(feed, position), memberships, current_flags)
        self._log_reader.discard_unfinished()
        self._log_reader.prepare_prefetch()

    async def _resume(self, conn: Connection) -> None:
        try:
            await identify_feed(conn)
            await self._verify(conn)
        except BaseException:
            await conn.close()
            raise

    async def _verify(self, conn: Connection) -> None:
        """Continue from the head if it is a position in this log; otherwise start over, and reset all clients."""
        fault = self.head.fault(await read_proof(conn, self.head.anchor))
        if fault is not None:
            log.warning("log history changed; resetting all clients", reason=fault)
            self.publisher.replay_buffer.clear()
            await self._start_at_end(conn)
            self.publisher.notify_lost()
            self._on_replaced(fault)

    async def _read_pass(self, conn: Connection) -> None:
        started = time.perf_counter()
        self.passes.begin()
        self.previous_head = self.head
        self.head_lsn = await self._log_reader.read_pass(conn)
        if self.publisher.found <= MAX_ROWS:
            self._log_reader.prepare_prefetch()
        self._metrics.read_passes.inc()
        self._metrics.read_pass_seconds.observe((time.perf_counter() - started,))
        self.publisher.end_pass()
        await self.passes.end()

    async def _wait_for_wake(self) -> None:
        # The safety read: a lost notification costs a second, never an event.
        timer = asyncio.get_running_loop().call_later(self._settings.read_interval, self._wake_event.set)
        try:
            await self._wake_event.wait()
        finally:
            timer.cancel()

    def _set_backend(self, backend_pid: int | None) -> None:
        self.backend_pid = backend_pid
        self.up = backend_pid is not None
        self._metrics.database_up.set(self.up)
