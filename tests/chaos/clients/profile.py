"""The behavior of a client: its transports, how long it stays connected, what it follows."""

from dataclasses import dataclass

WEBSOCKET = "websocket"
WEBSOCKET_BATCH = "websocket-batch"
SSE_FEED = "sse-feed"
SSE_API = "sse-api"
POLL = "poll"
TRANSPORTS = (WEBSOCKET, WEBSOCKET_BATCH, SSE_FEED, SSE_API, POLL)
ALLOWED = {
    "websocket": frozenset(TRANSPORTS),
    "sse": frozenset({SSE_FEED, SSE_API, POLL}),
    "poll": frozenset({POLL}),
    "off": frozenset({POLL}),
}
"""The transports that each value of the `realtime` flag allows; polling always works."""


@dataclass(frozen=True)
class Profile:
    """`stay` is the mean duration of a connection in seconds; None: until the service ends it."""

    name: str
    user: str
    transports: tuple[str, ...]
    wanted: frozenset[str] | None = None
    stay: float | None = None
    offline: float = 0.0
    """The mean time offline between two connections in seconds; 0: it reconnects at once."""
    slow: bool = False
    """Whether it reads slowly, through a small receive buffer."""
    resubscribes: bool = False
    """Whether it subscribes and unsubscribes."""
    snapshots: float = 0.0
    """Additional snapshots a second, only for the checker."""
