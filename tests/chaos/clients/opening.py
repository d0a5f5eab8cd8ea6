"""Opens a stream on a transport, and lists the endpoints of each transport."""

import random

from tests.chaos.clients.eventstream import EventStream
from tests.chaos.clients.profile import POLL, SSE_API, SSE_FEED, WEBSOCKET, WEBSOCKET_BATCH
from tests.chaos.clients.stream import Stream
from tests.chaos.clients.websocket import WebSocketStream
from tests.chaos.model import Endpoint

WEBSOCKETS = frozenset({WEBSOCKET, WEBSOCKET_BATCH})


def serves(endpoint: Endpoint, transport: str) -> bool:
    if transport in {SSE_API, POLL}:
        return endpoint.api is not None
    return (endpoint.feed_sse if transport == SSE_FEED else endpoint.feed_ws) is not None


async def open_stream(
    endpoint: Endpoint,
    transport: str,
    *,
    user: str,
    token: str,
    cursor: str | None,
    boards: list[str] | None,
    buffer: int | None,
    rng: random.Random,
) -> Stream:
    """Open a stream from a cursor, for some boards or for all. Raises EndedError."""
    if transport in WEBSOCKETS:
        batch = transport == WEBSOCKET_BATCH
        return await WebSocketStream.open(
            endpoint.feed_ws or "", token, user, cursor, boards, batch=batch, buffer=buffer
        )
    url = (endpoint.feed_sse or "") if transport == SSE_FEED else f"{endpoint.api}/api/events"
    return await EventStream.open(url, token, cursor, boards, transport=transport, buffer=buffer, rng=rng)
