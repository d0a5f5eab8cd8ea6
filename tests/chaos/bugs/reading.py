"""Bugs in what is read, kept and believed."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from tests.chaos.bugs.bug import RESET, TRUNCATE, Bug, bug
from tests.chaos.bugs.patch import rewrite_sql, wrap

_parsed: dict[int, Any] = {}
"""Cursors that clients came with, by identity: the service has equal ones of its own."""


def _remember_parsed() -> None:
    """Know the cursors that clients came with from those that the service made for itself."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def parse(cls: Any, text: str) -> Any:
            cursor = original(cls, text)
            _parsed[id(cursor)] = cursor
            return cursor

        return parse

    wrap("feed.wire.cursor:Cursor.parse", make)


@bug("skip-in-progress", "lost", "stale", "torn")
def skip_in_progress() -> None:
    """Transactions that were in progress at the cursor count as seen."""
    rewrite_sql(r"feed\.changes_since\(\$1::xid8, \$2::xid8\[\]\)", "feed.changes_since($1::xid8, '{}'::xid8[])")
    rewrite_sql(
        r"%\(since_xip\)s::text\[\]::xid8\[\]",
        "(CASE WHEN %(since_xip)s::text[] IS NULL THEN NULL ELSE '{}' END)::xid8[]",
    )


@bug("believe-any-cursor", "false-continuity", event=RESET)
def believe_any_cursor() -> None:
    """No cursor of a client's is asked to prove itself."""
    _remember_parsed()

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, proof: None if id(self) in _parsed else original(self, proof)

    wrap("feed.wire.cursor:Cursor.fault", make)


@bug("reset-always", "spurious-reset")
def reset_always() -> None:
    """No cursor of a client's is believed."""
    _remember_parsed()

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        from feed.wire.cursor import Fault  # noqa: PLC0415 - of the service's process

        return lambda self, proof: Fault.DIVERGED if id(self) in _parsed else original(self, proof)

    wrap("feed.wire.cursor:Cursor.fault", make)


@bug("buffer-with-holes", "lost", "torn")
def buffer_with_holes() -> None:
    """The replay buffer has lost a batch."""

    def make(original: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def since(self: Any, offset: int) -> Iterator[Any]:
            for number, batch in enumerate(original(self, offset)):
                if number != 1:
                    yield batch

        return since

    wrap("feed.delivery.replay_buffer:ReplayBuffer.since", make)


@bug("seam", "lost", "torn")
def seam() -> None:
    """Who comes back with a cursor that the replay buffer knows goes live at its end."""

    def make(original: Callable[..., int | None]) -> Callable[..., int | None]:
        def offset_of(self: Any, cursor: Any) -> int | None:
            known = original(self, cursor)
            return None if known is None else int(self.end)

        return offset_of

    wrap("feed.delivery.replay_buffer:ReplayBuffer.offset_of", make)


@bug("snapshot-cursor-ahead", "snapshot")
def snapshot_cursor_ahead() -> None:
    """A board stays in the API's memory when it changes, and its cursor moves on."""

    def make(original: Callable[..., None]) -> Callable[..., None]:
        def invalidate(self: Any, *board_ids: str) -> None:
            """Keep it."""

        return invalidate

    wrap("api.cache.snapshots:SnapshotCache.invalidate", make)


@bug("poll-without-deletes", "lost")
def poll_without_deletes() -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        async def page(*asked: Any, **others: Any) -> Any:
            return (await original(*asked, **others))._replace(deleted=[])

        return page

    wrap("db.changelog.sync:page", make)


@bug("poll-skips", "lost")
def poll_skips() -> None:
    """A page says that it is the last one, and is not."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        async def page(*asked: Any, **others: Any) -> Any:
            return (await original(*asked, **others))._replace(seen=None)

        return page

    wrap("db.changelog.sync:page", make)


def _events(change: Callable[[Any, Any], None]) -> None:
    """Change each event when it is made."""

    def make(original: Callable[..., None]) -> Callable[..., None]:
        def init(self: Any, kind: str, change_: Any, body: bytes) -> None:
            original(self, kind, change_, body)
            change(self, change_)

        return init

    wrap("feed.wire.event:Event.__init__", make)


@bug("truncate-not-sent", "lost", event=TRUNCATE)
def truncate_not_sent() -> None:
    def change(event: Any, told: Any) -> None:
        if told.op == "truncate":
            event.everyone = False

    _events(change)


@bug("deletes-to-everybody", "leak")
def deletes_to_everybody() -> None:
    def change(event: Any, told: Any) -> None:
        if told.op in {"delete", "leave"}:
            event.everyone = True

    _events(change)


@bug("ignored-leave", "lost", "torn", "stale")
def ignored_leave() -> None:
    """A card that left its board stays on it."""

    def change(event: Any, told: Any) -> None:
        if told.op == "leave":
            event.board = None

    _events(change)


@bug("stale-read", "lost", "stale")
def stale_read() -> None:
    """One pass in ten forgets a part of what it has read, and moves on."""
    numbers = count(1)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def publish(self: Any, batch: Any, *others: Any, **named: Any) -> Any:
            if next(numbers) % 10 == 0:
                batch.events = batch.events[1:]
            return original(self, batch, *others, **named)

        return publish

    wrap("feed.delivery.connections:Connections.publish", make)


READING: tuple[Bug, ...] = (
    skip_in_progress,
    believe_any_cursor,
    reset_always,
    buffer_with_holes,
    seam,
    snapshot_cursor_ahead,
    poll_without_deletes,
    poll_skips,
    truncate_not_sent,
    deletes_to_everybody,
    ignored_leave,
    stale_read,
)
