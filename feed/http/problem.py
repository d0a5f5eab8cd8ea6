"""Errors of the feed's HTTP side, as RFC 9457 has them: the same shape as the API's."""

import orjson
from aiohttp import web

from feed.stream import StreamError
from feed.wire.problems import STREAMS

REQUEST_ID = web.RequestKey("request_id", str)
"""What each request is named by (see feed.wire.request_id)."""


def stream_problem(request: web.Request, error: StreamError, headers: dict[str, str]) -> web.Response:
    """The answer to a request whose stream does not begin."""
    kind = STREAMS[error.slug]
    return problem(request, kind.status, error.slug, kind.title, str(error), headers)


def problem(
    request: web.Request, status: int, slug: str, title: str, detail: str, headers: dict[str, str] | None = None
) -> web.Response:
    """An application/problem+json answer; `slug` is the last part of its type."""
    body = {
        "type": f"/problems/{slug}",
        "title": title,
        "status": status,
        "instance": request.path,
        "request_id": request[REQUEST_ID],
        "detail": detail,
    }
    answer = web.Response(
        status=status, body=orjson.dumps(body), content_type="application/problem+json", headers=headers
    )
    if status in {429, 503}:
        answer.headers["Retry-After"] = "5"
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
