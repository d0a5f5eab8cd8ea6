"""The listener: one connection per process that LISTENs, and that the prefetch uses for its query when a notification arrives.

Invariant: a notification only wakes the tailer; its payload is not used. LISTEN takes effect before the read pass that follows
it, so that pass finds whatever was committed in between. The listener is up only while it receives its own NOTIFY, sent over
another connection: `SELECT 1` would also succeed through a pooler, through a dead proxy, or on the wrong database. The
connection runs few and small queries and is read without delay, because a backend that cannot send holds back the server's
notification queue.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from uuid import uuid4

import psycopg
import structlog
from psycopg import sql

from db.changelog.positions import identify_feed
from db.changelog.prefetch import prepare_prefetch
from db.connection import PsycopgConnection
from db.readiness import NotReadyError
from db.settings import Settings
from feed.system.backoff import backoff
from feed.system.database import POOLER_MESSAGE, connect
from feed.system.supervisor import Supervisor
from feed.system.tasks import end
from feed.tailing.prefetch import Prefetch
from feed.tailing.session import Session
from feed.telemetry.metrics import Metrics

_PROBE_AFTER = 10.0
"""Seconds without a notification after which the listener probes itself."""
_PROBE_TIMEOUT = 3.0
"""Seconds in which the probe's notification must arrive."""

log = structlog.get_logger()


class Listener:
    """Calls the handler of a channel for each notification on it. Every connect and reconnect calls all handlers.

    `prefetch` gets the connection while it is up. `send_notify` sends a notification over another connection.
    """

    def __init__(
        self,
        settings: Settings,
        handlers: Mapping[str, Callable[[], None]],
        prefetch: Prefetch,
        send_notify: Callable[[str], Coroutine[Any, Any, None]],
        metrics: Metrics,
    ) -> None:
        self._url = settings.listen_database
        self._handlers = handlers
        self._prefetch = prefetch
        self._send_notify = send_notify
        self._metrics = metrics
        self._probe_channel = f"boardcast_{uuid4().hex[:12]}"
        self._received = False
        self._received_at = -math.inf
        self._verified = asyncio.Event()
        self.backend_pid: int | None = None
        """The server process that LISTENs for this instance; None while not connected."""
        self._task: asyncio.Task[None] | None = None
        self._first_connection: PsycopgConnection | None = None

    @property
    def up(self) -> bool:
        """Whether this connection has received its own NOTIFY and has not been lost since."""
        return self._verified.is_set()

    @property
    def age(self) -> float:
        """Seconds since the last notification."""
        return time.monotonic() - self._received_at

    async def start(self, supervisor: Supervisor) -> None:
        """Connect, and wait until the first probe arrives. Raises NotReadyError if it does not."""
        self._first_connection = await self._connect()
        self._task = supervisor.start("listener", self._run)
        try:
            async with asyncio.timeout(2 * _PROBE_TIMEOUT):
                await self._verified.wait()
        except BaseException as error:
            await self.stop()
            if isinstance(error, TimeoutError):
                raise NotReadyError(POOLER_MESSAGE) from None
            raise

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)

    async def _connect(self) -> PsycopgConnection:
        conn = await connect(self._url, "boardcast-listener")
        try:
            await identify_feed(conn)
            await prepare_prefetch(conn)
            for channel in (*self._handlers, self._probe_channel):
                await conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except BaseException:
            await conn.close()
            raise
        return conn

    async def _run(self) -> None:
        conn, self._first_connection = self._first_connection or await self._reconnect(), None
        while True:
            try:
                await self._listen(conn)
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("listener connection lost; reconnecting", error=str(error).strip())
            finally:
                self._verified.clear()
                self.backend_pid = None
                self._metrics.listener_up.set(0)
            conn = await self._reconnect()

    async def _listen(self, conn: PsycopgConnection) -> None:
        """Handle notifications until the connection is lost or does not receive its own probe; both raise. Closes it."""
        self.backend_pid = conn.info.backend_pid
        for handler in self._handlers.values():
            handler()
        self._received = False
        session = Session(conn, lambda channel: self._on_notification(channel, session))
        try:
            probing = True
            await self._probe()
            while True:
                await asyncio.wait({session.lost}, timeout=_PROBE_TIMEOUT if probing else _PROBE_AFTER)
                if session.lost.done():
                    session.lost.result()
                if probing and not self._received:
                    raise TimeoutError("its own NOTIFY does not arrive")
                probing, self._received = not self._received, False
                if probing:
                    await self._probe()
        finally:
            self._prefetch.attach(None)
            session.close()
            # Not `async with conn`, which would roll back: no transaction is open, but a query may be running.
            await conn.close()

    def _on_notification(self, channel: str, session: Session) -> None:
        self._received = True
        self._received_at = time.monotonic()
        if (handler := self._handlers.get(channel)) is not None:
            handler()
        elif not self.up:
            self._verified.set()
            self._prefetch.attach(session)
            self._metrics.listener_up.set(1)

    async def _probe(self) -> None:
        """Send NOTIFY to this listener. The connection that sends it may hang too, so stop waiting after `_PROBE_TIMEOUT`."""
        probe = asyncio.create_task(self._send_notify(self._probe_channel), name="listener probe")
        try:
            done, _ = await asyncio.wait({probe}, timeout=_PROBE_TIMEOUT)
            if not done:
                raise TimeoutError("its own NOTIFY cannot be sent")
            probe.result()
        finally:
            await end(probe)

    async def _reconnect(self) -> PsycopgConnection:
        self._metrics.reconnects.labels("listener").inc()
        for seconds in backoff():
            await asyncio.sleep(seconds)
            try:
                return await self._connect()
            except (psycopg.Error, OSError, TimeoutError, NotReadyError) as error:
                log.warning("listener cannot connect yet; retrying", error=str(error).strip())
        raise AssertionError("backoff() does not end")
