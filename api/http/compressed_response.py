"""A large response, compressed for clients that accept it."""

import asyncio
import gzip

from starlette.requests import Request
from starlette.responses import Response

from api.http.accepted_encodings import accepted_encodings

_SMALL = 2048
"""Bytes; below this, compression saves no packet worth the time."""
_LEVEL = 1
"""Nearly as small as the other levels for JSON of rows, in a third of the time."""


async def compressed(request: Request, response: Response) -> Response:
    """Return the response compressed, if that helps; in a thread, because a large board takes some milliseconds."""
    response.headers.add_vary_header("Accept-Encoding")
    if len(response.body) < _SMALL or "gzip" not in accepted_encodings(request.headers):
        return response
    body = await asyncio.to_thread(gzip.compress, bytes(response.body), _LEVEL)
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(body, response.status_code, {**headers, "Content-Encoding": "gzip"})
