"""Which requests are a WebSocket handshake of RFC 6455. aiohttp also takes those of drafts and of HTTP/1.0, and other keys.

Invariant: no header raises an exception.
"""

import re

from aiohttp import HttpVersion11, web

_KEY = re.compile(r"[A-Za-z0-9+/]{22}==", re.ASCII)


def is_handshake(request: web.Request, answer: web.WebSocketResponse) -> bool:
    """Return whether `answer` can be the response to this request."""
    try:
        return (
            request.version >= HttpVersion11
            and request.headers.get("Sec-WebSocket-Version") == "13"
            and _KEY.fullmatch(request.headers.get("Sec-WebSocket-Key", "")) is not None
            and answer.can_prepare(request).ok
        )
    except UnicodeEncodeError:
        return False  # aiohttp quotes a header that is not UTF-8
