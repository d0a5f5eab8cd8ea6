"""Who sends NOTIFY, as an instance sees it. `feed.pacer` and the metric `boardcast_pacer` have these names."""

from enum import StrEnum


class Mode(StrEnum):
    INACTIVE = "inactive"
    """This instance does not hold the lease."""
    DIRECT = "direct"
    """Every writer sends NOTIFY."""
    DRAINING = "draining"
    """Waiting for transactions that may have skipped NOTIFY."""
    COALESCED = "coalesced"
    """NOTIFY is suppressed; the pacer sends one for each pass that found changes."""
    MUTED = "muted"
    """NOTIFY is switched off with feed.set_notify(): it is not sent, and every instance reads the log once a second."""
