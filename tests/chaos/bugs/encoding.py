"""Bugs in what is sent to clients: events at the wrong time, in the wrong order, repeated or missing."""

import json
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from tests.chaos.bugs.bug import Bug, bug
from tests.chaos.bugs.patch import wrap

Events = list[Any]
Pieces = list[tuple[Events, str | None]]
_ENCODINGS = ("WebSocketEncoding", "WebSocketBatchEncoding", "EventStreamEncoding")


def _rewrite(change: Callable[[Events, str | None], Pieces]) -> None:
    """Encode other pieces instead of the given events, each with the cursor that ends it."""

    def make(original: Callable[..., bytes]) -> Callable[..., bytes]:
        def events(self: Any, found: Any, cursor: str | None) -> bytes:
            return b"".join(original(self, each, end) for each, end in change(list(found), cursor))

        return events

    for name in _ENCODINGS:
        wrap(f"feed.wire.encoding:{name}.events", make)


class _Altered:
    """An event with a changed body."""

    def __init__(self, event: Any, body: bytes) -> None:
        self._event = event
        self.body = body

    def __getattr__(self, name: str) -> Any:
        return getattr(self._event, name)

    def json(self, cursor: str | None = None) -> bytes:
        return self.body + (b"}" if cursor is None else b',"cursor":"' + cursor.encode() + b'"}')


def _body(event: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event.json())
    return body


def _altered(event: Any, **fields: Any) -> _Altered:
    return _Altered(event, json.dumps(_body(event) | fields).encode()[:-1])


@bug("drop-event", "lost", "torn", "stale")
def drop_event() -> None:
    """One event in thirty is dropped."""
    numbers = count(1)
    _rewrite(lambda events, cursor: [([each for each in events if next(numbers) % 30], cursor)])


@bug("early-cursor", "torn")
def early_cursor() -> None:
    """The cursor is sent before the events that it covers."""

    def make(original: Callable[..., bytes]) -> Callable[..., bytes]:
        def events(self: Any, found: Any, cursor: str | None) -> bytes:
            if not found or cursor is None:
                return original(self, found, cursor)
            return bytes(self.heartbeat(cursor)) + original(self, found, None)

        return events

    for name in _ENCODINGS:
        wrap(f"feed.wire.encoding:{name}.events", make)


@bug("split-transaction", "torn")
def split_transaction() -> None:
    """A cursor is sent in the middle of a batch."""

    def halves(events: Events, cursor: str | None) -> Pieces:
        half = len(events) // 2
        return [(events[:half], cursor), (events[half:], cursor)]

    _rewrite(halves)


@bug("event-twice", "duplicate")
def event_twice() -> None:
    numbers = count(1)

    def twice(events: Events, cursor: str | None) -> Pieces:
        return [([again for each in events for again in ([each, each] if next(numbers) % 30 == 0 else [each])], cursor)]

    _rewrite(twice)


@bug("swapped-versions", "inversion")
def swapped_versions() -> None:
    """The events of a batch are sent in reverse order."""
    _rewrite(lambda events, cursor: [(events[::-1], cursor)])


@bug("old-heartbeat", "cursor")
def old_heartbeat() -> None:
    """A heartbeat has an older cursor."""
    known: list[tuple[float, str]] = []

    def make(original: Callable[..., bytes]) -> Callable[..., bytes]:
        def heartbeat(self: Any, cursor: str | None) -> bytes:
            if cursor is None:
                return original(self, None)
            known.append((time.monotonic(), cursor))
            while len(known) > 1 and known[1][0] < time.monotonic() - 1.5:
                known.pop(0)
            return original(self, known[0][1])

        return heartbeat

    wrap("feed.wire.encoding:WebSocketEncoding.heartbeat", make)
    wrap("feed.wire.encoding:EventStreamEncoding.heartbeat", make)


@bug("old-event-id", "cursor", "torn", "duplicate")
def old_event_id() -> None:
    """The `id:` of an event stream is that of the previous batch."""
    newest: list[str] = []

    def make(original: Callable[..., bytes]) -> Callable[..., bytes]:
        def events(self: Any, found: Any, cursor: str | None) -> bytes:
            if not found or cursor is None:
                return original(self, found, cursor)
            newest.append(cursor)
            return original(self, found, newest[max(0, len(newest) - 2)])

        return events

    wrap("feed.wire.encoding:EventStreamEncoding.events", make)


@bug("wrong-version", "phantom")
def wrong_version() -> None:
    """An event has the next version instead of its own."""
    numbers = count(1)

    def wrong(events: Events, cursor: str | None) -> Pieces:
        return [([_newer(each) if next(numbers) % 30 == 0 else each for each in events], cursor)]

    _rewrite(wrong)


def _newer(event: Any) -> Any:
    version = _body(event).get("version")
    return event if version is None else _altered(event, version=version + 1)


@bug("later-content", "content")
def later_content() -> None:
    """Of two updates of a row in one batch, the first has the changes of the second."""

    def later(events: Events, cursor: str | None) -> Pieces:
        newest: dict[str, Any] = {}
        result: Events = []
        for event in reversed(events):
            body = _body(event)
            key = body.get("opportunityId")
            if key is not None and "changes" in body:
                if key in newest:
                    event = _altered(event, changes=newest[key])  # noqa: PLW2901 - replaces the event
                else:
                    newest[key] = body["changes"]
            result.append(event)
        return [(result[::-1], cursor)]

    _rewrite(later)


@bug("other-content", "conflict", "content")
def other_content() -> None:
    """Event streams round a value that WebSockets send in full."""

    def make(original: Callable[..., bytes]) -> Callable[..., bytes]:
        return lambda self, found, cursor: original(self, [_rounded(each) for each in found], cursor)

    wrap("feed.wire.encoding:EventStreamEncoding.events", make)


def _rounded(event: Any) -> Any:
    body = _body(event)
    changes = body.get("changes")
    if not changes or "value" not in changes:
        return event
    return _altered(event, changes=changes | {"value": int(float(changes["value"] or 0))})


def _message(change: Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]) -> None:
    """Change messages other than events. Applied before other modules import the function."""

    def make(original: Callable[..., bytes]) -> Callable[..., bytes]:
        def message(type: str, **fields: Any) -> bytes:  # noqa: A002 - the product's signature
            kind, others = change(type, fields)
            return original(kind, **others)

        return message

    wrap("feed.wire.event:message", make)


@bug("wrong-checkpoint", "checkpoint")
def wrong_checkpoint() -> None:
    """A checkpoint has one row too many."""

    def change(kind: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return kind, fields | {"count": fields["count"] + 1} if kind == "checkpoint" else fields

    _message(change)


@bug("grant-not-sent", "membership")
def grant_not_sent() -> None:
    """`board_granted` is not sent."""

    def change(kind: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return ("pong", {}) if kind == "board_granted" else (kind, fields)

    _message(change)


ENCODING: tuple[Bug, ...] = (
    drop_event,
    early_cursor,
    split_transaction,
    event_twice,
    swapped_versions,
    old_heartbeat,
    old_event_id,
    wrong_version,
    later_content,
    other_content,
    wrong_checkpoint,
    grant_not_sent,
)
