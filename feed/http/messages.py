"""From the frames of a WebSocket client to its messages, without I/O. The frames are parsed by the library websockets.

Invariant: no input raises an exception. What is kept of an incomplete message is at most its maximum size.
"""

import codecs

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State

MAX_MESSAGE = 64 * 1024
_utf8 = codecs.getincrementaldecoder("utf-8")
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class MessageProtocol(Protocol):
    """One connection after its handshake. After messages() and send_close(), data_to_send() returns what to write."""

    def __init__(self) -> None:
        super().__init__(Side.SERVER, max_size=MAX_MESSAGE)
        self._text: bytearray | None = None
        """The fragments of a text message so far."""
        self.frames = 0
        """Frames that the last call of messages() completed."""
        self._validator: codecs.IncrementalDecoder | None = None
        """Finds invalid UTF-8 in the fragment that contains it, not only at the end of the message."""

    def messages(self, data: bytes) -> list[str | None]:
        """Return the messages that these bytes complete, with None for a binary one. After a close or an error come no more."""
        was_open = self.state is State.OPEN
        self.receive_data(data)
        found: list[str | None] = []
        events = self.events_received()
        self.frames = len(events)
        try:
            for event in events:
                if isinstance(event, Frame) and event.opcode in _DATA:
                    self._add(event, found)
        except UnicodeDecodeError:
            self.fail(CloseCode.INVALID_DATA, "invalid UTF-8")
        return found if was_open else []

    def recv_frame(self, frame: Frame) -> None:
        """Process a frame. A close may come within a message, which the library does not accept."""
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)

    def release(self) -> None:
        """Break the reference cycles in this object, which is of no use afterwards. The garbage collector seldom runs."""
        vars(self).clear()

    def _add(self, frame: Frame, found: list[str | None]) -> None:
        if frame.opcode is not Opcode.CONT:
            self._text = bytearray() if frame.opcode is Opcode.TEXT else None
            self._validator = None
        if self._text is not None:
            self._text += frame.data
            if self._validator is not None or not frame.fin:
                self._validator = self._validator or _utf8()
                self._validator.decode(frame.data, final=frame.fin)
        if frame.fin:
            data, self._text = self._text, None
            found.append(None if data is None else data.decode())
