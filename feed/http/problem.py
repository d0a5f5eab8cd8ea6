"""Error responses of the feed (RFC 9457), in the same format as those of the API."""

import orjson
from aiohttp import web

from feed.stream_request import StreamError
from feed.wire.problems import STREAM_PROBLEMS

REQUEST_ID = web.RequestKey("request_id", str)
"""The ID of the request (see feed.wire.request_id)."""


def stream_problem(request: web.Request, error: StreamError) -> web.Response:
    """Return the response to a request whose stream was refused."""
    problem_type = STREAM_PROBLEMS[error.slug]
    return problem(request, problem_type.status, error.slug, problem_type.title, str(error))


def problem(request: web.Request, status: int, slug: str, title: str, detail: str) -> web.Response:
    """Return an application/problem+json response; `slug` is the last part of its type."""
    body = {
        "type": f"/problems/{slug}",
        "title": title,
        "status": status,
        "instance": request.rel_url.raw_path,
        "request_id": request[REQUEST_ID],
        "detail": detail,
    }
    answer = web.Response(status=status, body=orjson.dumps(body), content_type="application/problem+json")
    if status in {429, 503}:
        answer.headers["Retry-After"] = "5"
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
