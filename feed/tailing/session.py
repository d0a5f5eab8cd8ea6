"""A direct connection that the loop's reader serves by itself: notifications as they come, and one small question at a time.

Invariant: between a notification and the question that it leads to there is one turn of the loop, and between the answer and who
asked one more. psycopg's generators take several, and two tasks; a sweep asks as soon as it is woken, so each of them is latency.
`lost` ends with what befell the connection, and so does a question in progress.
"""

import asyncio
from collections.abc import Callable, Sequence

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result

from db.changelog import Connection, Row


class Session:
    """Begins to read at once; whoever makes one calls close(), and closes the connection."""

    def __init__(self, conn: Connection, heard: Callable[[str], None]) -> None:
        self._conn = conn
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._socket = conn.fileno()
        self._asked: asyncio.Future[list[Row]] | None = None
        self._result: pq.abc.PGresult | None = None
        self._transformer = Transformer(conn)
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._socket, self._read)

    @property
    def free(self) -> bool:
        """Whether a question may be asked: none is under way, not even one that nobody waits for any more."""
        return self._asked is None and not self.lost.done()

    def ask(self, statement: bytes, values: Sequence[bytes]) -> asyncio.Future[list[Row]]:
        """Send a question at once; its answer is the rows, or a psycopg.Error. The values are in text form. Only while `free`."""
        answer: asyncio.Future[list[Row]] = self._loop.create_future()
        self._asked = answer
        try:
            self._conn.pgconn.send_query_prepared(statement, values, result_format=pq.Format.BINARY)
            self._send()
        except psycopg.Error as error:
            self._lose(error)
        return answer

    def close(self) -> None:
        """Read no more. Idempotent."""
        if self.lost.done():
            self.lost.exception()
        else:
            self._lose(psycopg.OperationalError("the connection was closed"))

    def _send(self) -> None:
        if self._conn.pgconn.flush():
            self._loop.add_writer(self._socket, self._send_rest)

    def _send_rest(self) -> None:
        self._loop.remove_writer(self._socket)
        try:
            self._send()
        except psycopg.Error as error:
            self._lose(error)

    def _read(self) -> None:
        try:
            self._conn.pgconn.consume_input()
            while (notification := self._conn.pgconn.notifies()) is not None:
                self._heard(notification.relname.decode())
            self._collect()
        except psycopg.Error as error:
            self._lose(error)

    def _collect(self) -> None:
        while self._asked is not None and not self._conn.pgconn.is_busy():
            result = self._conn.pgconn.get_result()
            if result is not None:
                self._result = result
                continue
            answer, self._asked = self._asked, None
            result, self._result = self._result, None
            if not answer.done() and result is not None:
                self._tell(answer, result)

    def _tell(self, answer: asyncio.Future[list[Row]], result: pq.abc.PGresult) -> None:
        if result.status == pq.ExecStatus.TUPLES_OK:
            self._transformer.set_pgresult(result)
            answer.set_result(self._transformer.load_rows(0, result.ntuples, tuple))
        else:
            answer.set_exception(error_from_result(result))

    def _lose(self, error: psycopg.Error) -> None:
        # Let go of at once: the descriptor of a lost connection may soon be somebody else's.
        if self.lost.done():
            return
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self.lost.set_exception(error)
        self.lost.exception()
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(error)
            self._asked.exception()  # who asked may wait no longer
