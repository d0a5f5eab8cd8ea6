"""A direct connection that is served by an event loop reader: it receives notifications, and runs one small query at a time.

Invariant: a notification triggers its query within one iteration of the event loop, and a result reaches its caller within one.
psycopg's generators take several iterations and two tasks; a read pass starts with this query, so each of them would add
latency. When the connection is lost, `lost` and a query in progress end with the error.
"""

import asyncio
from collections.abc import Callable, Sequence

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result

from db.connection import PsycopgConnection, Row


class Session:
    """Starts reading at once. The creator calls close(), and closes the connection."""

    def __init__(self, conn: PsycopgConnection, on_notify: Callable[[str], None]) -> None:
        self._conn = conn
        self._on_notify = on_notify
        self._loop = asyncio.get_running_loop()
        self._socket = conn.fileno()
        self._pending: asyncio.Future[list[Row]] | None = None
        self._result: pq.abc.PGresult | None = None
        self._transformer = Transformer(conn)
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._socket, self._on_readable)

    @property
    def is_idle(self) -> bool:
        """Whether a query can be sent: none is running, not even one whose result nobody waits for anymore."""
        return self._pending is None and not self.lost.done()

    def query(self, statement: bytes, values: Sequence[bytes]) -> asyncio.Future[list[Row]]:
        """Send a prepared query, with values in text format. The future gives its rows or a psycopg.Error. Requires `is_idle`."""
        future: asyncio.Future[list[Row]] = self._loop.create_future()
        self._pending = future
        try:
            self._conn.pgconn.send_query_prepared(statement, values, result_format=pq.Format.BINARY)
            self._flush()
        except psycopg.Error as error:
            self._fail(error)
        return future

    def close(self) -> None:
        """Stop reading. Idempotent."""
        if self.lost.done():
            self.lost.exception()
        else:
            self._fail(psycopg.OperationalError("the connection was closed"))

    def _flush(self) -> None:
        if self._conn.pgconn.flush():
            self._loop.add_writer(self._socket, self._on_writable)

    def _on_writable(self) -> None:
        self._loop.remove_writer(self._socket)
        try:
            self._flush()
        except psycopg.Error as error:
            self._fail(error)

    def _on_readable(self) -> None:
        try:
            self._conn.pgconn.consume_input()
            while (notification := self._conn.pgconn.notifies()) is not None:
                self._on_notify(notification.relname.decode())
            self._collect_result()
        except Exception as error:  # noqa: BLE001 - `lost` passes a bug of ours to the task that owns this session
            self._fail(error)

    def _collect_result(self) -> None:
        while self._pending is not None and not self._conn.pgconn.is_busy():
            result = self._conn.pgconn.get_result()
            if result is not None:
                self._result = result
                continue
            future, self._pending = self._pending, None
            result, self._result = self._result, None
            if not future.done() and result is not None:
                self._resolve(future, result)

    def _resolve(self, future: asyncio.Future[list[Row]], result: pq.abc.PGresult) -> None:
        if result.status == pq.ExecStatus.TUPLES_OK:
            self._transformer.set_pgresult(result)
            future.set_result(self._transformer.load_rows(0, result.ntuples, tuple))
        else:
            future.set_exception(error_from_result(result))

    def _fail(self, error: Exception) -> None:
        # Remove the callbacks at once: the descriptor of a lost connection may be reused soon.
        if self.lost.done():
            return
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self.lost.set_exception(error)
        self.lost.exception()
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(error)
            self._pending.exception()  # retrieved, because the caller may have stopped waiting
