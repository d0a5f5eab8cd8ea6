"""The listener: one connection for the whole process that LISTENs, and is asked what is new when it has heard that something is.

Invariant: a notification only rings the doorbell; nothing is read from it. LISTEN is in force before the sweep that follows it,
so what commits in between is found by that sweep. The listener counts as up only while it hears its own NOTIFY, sent
over another connection: a pooler, a dead proxy or a wrong database would let `SELECT 1` pass. It is asked little and never waits
for its reader, since a backend that cannot send pins the server's queue of notifications.
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

from db import changelog
from db.changelog import Connection
from db.settings import Settings
from feed.system.backoff import backoff
from feed.system.database import POOLER, NotReadyError, connect
from feed.system.tasks import end
from feed.tailing.prefetch import Prefetch
from feed.tailing.session import Session
from feed.telemetry.metrics import Metrics

_QUIET = 10.0
"""Seconds without any notification after which the listener is asked for a sign of life."""
_ANSWER = 3.0
"""Seconds in which it must then hear itself."""

log = structlog.get_logger()


class Listener:
    """`bells` maps each channel to what a notification on it rings, as does each (re)connect.

    `prefetch` is given the connection while it is up. `notify` sends a notification over another connection.
    """

    def __init__(
        self,
        settings: Settings,
        bells: Mapping[str, Callable[[], None]],
        prefetch: Prefetch,
        notify: Callable[[str], Coroutine[Any, Any, None]],
        metrics: Metrics,
    ) -> None:
        self._url = settings.listen_database
        self._bells = bells
        self._prefetch = prefetch
        self._notify = notify
        self._metrics = metrics
        self._own = f"boardcast_{uuid4().hex[:12]}"
        self._heard = False
        self._heard_at = -math.inf
        self._heard_itself = asyncio.Event()
        self.backend: int | None = None
        """The server's process that LISTENs for us; None while there is none."""
        self._task: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether this connection has heard itself and has not been lost since."""
        return self._heard_itself.is_set()

    @property
    def age(self) -> float:
        """Seconds since anything was heard."""
        return time.monotonic() - self._heard_at

    async def start(self) -> None:
        """Connect, and wait until it has heard itself. Raises NotReadyError if it does not."""
        conn = await self._connect()
        self._task = asyncio.create_task(self._run(conn), name="listener")
        try:
            async with asyncio.timeout(2 * _ANSWER):
                await self._heard_itself.wait()
        except BaseException as error:
            await self.stop()
            if isinstance(error, TimeoutError):
                raise NotReadyError(POOLER) from None
            raise

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._task is not None:
            await end(self._task)

    async def _connect(self) -> Connection:
        conn = await connect(self._url, "boardcast-listener")
        try:
            await changelog.identify(conn)
            await changelog.prepare(conn)
            for channel in (*self._bells, self._own):
                await conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except BaseException:
            await conn.close()
            raise
        return conn

    async def _run(self, conn: Connection) -> None:
        while True:
            try:
                async with conn:
                    self.backend = conn.info.backend_pid
                    for ring in self._bells.values():
                        ring()
                    await self._listen(conn)
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("the listener was lost; connecting again", error=str(error).strip())
            except Exception:
                log.exception("the listener failed; connecting again")
            self._heard_itself.clear()
            self.backend = None
            self._metrics.listener_up.set(0)
            self._metrics.reconnects.labels("listener").inc()
            conn = await self._reconnect()

    async def _listen(self, conn: Connection) -> None:
        """Ring for what is heard; end with an exception when the connection is lost, or hears nothing when spoken to."""
        self._heard = False
        session = Session(conn, lambda channel: self._hear(channel, session))
        try:
            spoken_to = True
            await self._speak()
            while True:
                await asyncio.wait({session.lost}, timeout=_ANSWER if spoken_to else _QUIET)
                if session.lost.done():
                    session.lost.result()
                if spoken_to and not self._heard:
                    raise TimeoutError("it does not hear itself")
                spoken_to, self._heard = not self._heard, False
                if spoken_to:
                    await self._speak()
        finally:
            self._prefetch.attach(None)
            session.close()

    def _hear(self, channel: str, session: Session) -> None:
        self._heard = True
        self._heard_at = time.monotonic()
        if (ring := self._bells.get(channel)) is not None:
            ring()
        elif not self.up:
            self._heard_itself.set()
            self._prefetch.attach(session)
            self._metrics.listener_up.set(1)

    async def _speak(self) -> None:
        """Notify ourselves. The connection used for it may hang as well, and then takes long to be given up: not by us."""
        speaking = asyncio.create_task(self._notify(self._own), name="listener speaks to itself")
        try:
            done, _ = await asyncio.wait({speaking}, timeout=_ANSWER)
            if not done:
                raise TimeoutError("it cannot be spoken to")
            speaking.result()
        finally:
            await end(speaking)

    async def _reconnect(self) -> Connection:
        for seconds in backoff():
            await asyncio.sleep(seconds)
            try:
                return await self._connect()
            except (psycopg.Error, OSError, TimeoutError, NotReadyError) as error:
                log.warning("the listener cannot connect yet", error=str(error).strip())
        raise AssertionError("backoff() does not end")
