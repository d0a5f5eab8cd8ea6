"""The interface of whatever in this process follows the log, such as a cache. Publisher.subscribe() adds one."""

from collections.abc import Sequence

from db.changelog.changes import Change
from feed.wire.event import Event


class Observer:
    """Overrides what it needs. Called in the order of subscription; the publisher awaits nothing."""

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Handle the changes of a part of a pass, before any client receives them."""

    def on_events(self, events: Sequence[Event]) -> None:
        """Handle the same part as events, after live clients received it and before the head covers it."""

    def on_pass(self, found: int, notified: int) -> None:
        """Handle the end of a pass: how many changes it found, and how many of these sent NOTIFY themselves."""

    def on_lost(self) -> None:
        """Discard what was derived from the log: it is unreachable, was replaced, or a failed pass will be read again."""
