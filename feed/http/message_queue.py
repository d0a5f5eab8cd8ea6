"""A client's messages that have not been handled yet, in order. A binary message is None."""

from collections import deque

_MAX_QUEUED = 100
"""Messages above which the client is not read from."""
_MAX_CHARS = 64 * 1024
"""Their characters above which it is not."""


class MessageQueue:
    __slots__ = ("_chars", "_messages")

    def __init__(self) -> None:
        self._messages: deque[str | None] = deque()
        self._chars = 0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def full(self) -> bool:
        return len(self._messages) > _MAX_QUEUED or self._chars > _MAX_CHARS

    def append(self, text: str | None) -> None:
        self._messages.append(text)
        self._chars += len(text or "")

    def popleft(self) -> str | None:
        text = self._messages.popleft()
        self._chars -= len(text or "")
        return text
