"""Presence entries: what clients are sent about the leases of users.

Invariant: the tabs of a user count as one user, who is editing while any of the tabs is.
"""

from collections import defaultdict
from collections.abc import Iterable

from db.presence import Place, Presence
from feed.wire.event import timestamp

MAX_BOARD_VIEWERS = 50
"""Maximum viewers to list for a board. Each receives the whole list: 1,000 that return at once would be 10^6 entries."""

Leases = dict[Place, dict[str, Presence]]
"""By place, then by user."""


def merge_tabs(leases: Iterable[Presence]) -> Leases:
    """Merge the leases of several tabs: one per user and place, editing before viewing. The leases are oldest first."""
    seen: Leases = defaultdict(dict)
    for lease in leases:
        users = seen[lease.place]
        before = users.get(lease.user_id)
        if before is None and lease.place.board_id is not None and len(users) >= MAX_BOARD_VIEWERS:
            continue
        if before is None or (before.action, lease.action) == ("viewing", "editing"):
            users[lease.user_id] = lease
    return dict(seen)


def presence_json(leases: Iterable[Presence]) -> list[dict[str, object]]:
    """Return leases in the format of a `presence_state` message."""
    return [presence_fields(lease) for lease in leases]


def presence_fields(lease: Presence) -> dict[str, object]:
    """Return a lease as an entry of a message."""
    fields: dict[str, object] = {
        "opportunityId": lease.opportunity_id,
        "boardId": lease.board_id,
        "userId": lease.user_id,
        "userName": lease.user_name,
        "action": lease.action,
        "since": timestamp(lease.started_at),
    }
    if lease.base_version is not None:
        fields["baseVersion"] = lease.base_version
    return fields
