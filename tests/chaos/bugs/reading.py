"""Bugs in reading the log, in buffers and caches, and in the validation of cursors."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from tests.chaos.bugs.bug import RESET, TRUNCATE, Bug, bug
from tests.chaos.bugs.patch import rewrite_sql, wrap

_parsed: dict[int, Any] = {}
"""Cursors parsed from clients, by identity: the service also creates equal ones itself."""


def _remember_parsed() -> None:
    """Record which cursors came from clients rather than from the service."""

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
    """No client's cursor is validated."""
    _remember_parsed()

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, proof: None if id(self) in _parsed else original(self, proof)

    wrap("feed.wire.cursor:Cursor.fault", make)


@bug("reset-always", "spurious-reset")
def reset_always() -> None:
    """Every client's cursor is rejected."""
    _remember_parsed()

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        from feed.wire.cursor import Fault  # noqa: PLC0415 - imported in the service's process only

        return lambda self, proof: Fault.DIVERGED if id(self) in _parsed else original(self, proof)

    wrap("feed.wire.cursor:Cursor.fault", make)


@bug("buffer-with-holes", "lost", "torn")
def buffer_with_holes() -> None:
    """The replay buffer skips a batch."""

    def make(original: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def since(self: Any, offset: int) -> Iterator[Any]:
            for number, batch in enumerate(original(self, offset)):
                if number != 1:
                    yield batch

        return since

    wrap("feed.delivery.replay_buffer:ReplayBuffer.since", make)


@bug("seam", "lost", "torn")
def seam() -> None:
    """A client whose cursor is in the replay buffer goes live at its end, without the batches between."""

    def make(original: Callable[..., int | None]) -> Callable[..., int | None]:
        def offset_of(self: Any, cursor: Any) -> int | None:
            known = original(self, cursor)
            return None if known is None else int(self.end)

        return offset_of

    wrap("feed.delivery.replay_buffer:ReplayBuffer.offset_of", make)


@bug("snapshot-cursor-ahead", "snapshot")
def snapshot_cursor_ahead() -> None:
    """A cached board is kept when it changes, and its cursor moves on."""

    def make(original: Callable[..., None]) -> Callable[..., None]:
        def invalidate(self: Any, *board_ids: str) -> None:
            """Keep the cached board."""

        return invalidate

    wrap("api.cache.snapshots:SnapshotCache.invalidate", make)


@bug("poll-without-deletes", "lost")
def poll_without_deletes() -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        async def page(*args: Any, **kwargs: Any) -> Any:
            return (await original(*args, **kwargs))._replace(deleted=[])

        return page

    wrap("db.changelog.polling:page", make)


@bug("poll-skips", "lost")
def poll_skips() -> None:
    """A page claims to be the last one when it is not."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        async def page(*args: Any, **kwargs: Any) -> Any:
            return (await original(*args, **kwargs))._replace(seen=None)

        return page

    wrap("db.changelog.polling:page", make)


def _events(change: Callable[[Any, Any], None]) -> None:
    """Change each event when it is created."""

    def make(original: Callable[..., None]) -> Callable[..., None]:
        def init(self: Any, kind: str, change_: Any, body: bytes) -> None:
            original(self, kind, change_, body)
            change(self, change_)

        return init

    wrap("feed.wire.event:Event.__init__", make)


@bug("truncate-not-sent", "lost", event=TRUNCATE)
def truncate_not_sent() -> None:
    def change(event: Any, logged: Any) -> None:
        if logged.op == "truncate":
            event.everyone = False

    _events(change)


@bug("deletes-to-everybody", "leak")
def deletes_to_everybody() -> None:
    def change(event: Any, logged: Any) -> None:
        if logged.op in {"delete", "leave"}:
            event.everyone = True

    _events(change)


@bug("ignored-leave", "lost", "torn", "stale")
def ignored_leave() -> None:
    """A card that left its board is not removed there."""

    def change(event: Any, logged: Any) -> None:
        if logged.op == "leave":
            event.board = None

    _events(change)


@bug("stale-read", "lost", "stale")
def stale_read() -> None:
    """One read pass in ten skips an event."""
    numbers = count(1)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def publish(self: Any, batch: Any, *args: Any, **kwargs: Any) -> Any:
            if next(numbers) % 10 == 0:
                batch.events = batch.events[1:]
            return original(self, batch, *args, **kwargs)

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
