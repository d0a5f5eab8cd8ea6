"""Server-sent events as a Starlette response.

Invariant: nothing is encoded here. The bytes that the generator yields are the ones that every other client of the
process gets, and what a client has not read is bounded. Its connection drops a client that does not read.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from sse_starlette import EventSourceResponse

from feed.stream_request import HEADERS
from feed.wire.close_codes import CloseReason


class BufferedSink:
    """A subscription's sink, read by a generator."""

    def __init__(self, high_water_mark: int, abort: Callable[[], None]) -> None:
        """`high_water_mark`: unread bytes above which drained() waits. `abort` closes the connection."""
        self._high_water_mark = high_water_mark
        self._abort = abort
        self._unread: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._data_written = asyncio.Event()
        self._data_read = asyncio.Event()

    def write(self, data: bytes) -> None:
        if not self._closed:
            self._unread.append(data)
            self._size += len(data)
            self._data_written.set()

    def pending(self) -> int:
        return self._size

    async def drained(self) -> None:
        while self._size > self._high_water_mark and not self._closed:
            self._data_read.clear()
            await self._data_read.wait()

    def close(self, reason: CloseReason, last: bytes) -> None:  # noqa: ARG002 - the last message contains it
        self.write(last)
        self._closed = True
        self._data_written.set()

    def abort(self) -> None:
        self._unread.clear()
        self._closed = True
        self._data_written.set()
        self._data_read.set()
        self._abort()

    async def read(self) -> AsyncIterator[bytes]:
        """Yield what was written, until the sink is closed. Data counts as unread until the next item is requested."""
        while self._unread or not self._closed:
            await self._data_written.wait()
            self._data_written.clear()
            data = b"".join(self._unread)
            self._unread.clear()
            if data:
                yield data
                self._size -= len(data)
                self._data_read.set()


class EventStreamResponse(EventSourceResponse):
    """Sends messages, heartbeats included."""

    def __init__(self, messages: AsyncIterator[bytes]) -> None:
        super().__init__(messages, headers=HEADERS, ping=0)
