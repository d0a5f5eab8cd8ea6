"""How a client behaves: which transports it takes, how long it stays, what it follows."""

from dataclasses import dataclass

WEBSOCKET = "websocket"
WEBSOCKET_BATCH = "websocket-batch"
SSE_FEED = "sse-feed"
SSE_API = "sse-api"
POLL = "poll"
TRANSPORTS = (WEBSOCKET, WEBSOCKET_BATCH, SSE_FEED, SSE_API, POLL)
OFFERED = {
    "websocket": frozenset(TRANSPORTS),
    "sse": frozenset({SSE_FEED, SSE_API, POLL}),
    "poll": frozenset({POLL}),
    "off": frozenset({POLL}),
}
"""What a user may take who is offered so much; requests are answered even where nothing is live."""


@dataclass(frozen=True)
class Profile:
    """`stay` is how many seconds a connection lasts on average; None: until the service ends it."""

    name: str
    user: str
    transports: tuple[str, ...]
    wanted: frozenset[str] | None = None
    stay: float | None = None
    asleep: float = 0.0
    """How many seconds it sleeps between two connections, on average; 0: it comes back at once."""
    slow: bool = False
    """Whether it reads slowly, through a small receive buffer."""
    fickle: bool = False
    """Whether it subscribes and unsubscribes."""
    snapshots: float = 0.0
    """How many snapshots it takes in a second for no reason, to have them checked."""
