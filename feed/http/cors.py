"""CORS: which pages of other origins may read the responses of the feed.

Invariant: every response says whether the page that requested it may read it, and varies by Origin. No other origin than
those of the settings is ever named.
"""

from aiohttp import hdrs, web

from feed.http.problem import problem
from feed.wire.cors import ALLOWED_HEADERS, EXPOSED_HEADERS, MAX_AGE, METHODS
from feed.wire.problems import STREAM_PROBLEMS


def is_preflight(request: web.Request) -> bool:
    """Return whether a browser asks if a page may send a request."""
    return (
        request.method == hdrs.METH_OPTIONS
        and hdrs.ORIGIN in request.headers
        and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    )


def preflight_response(request: web.Request, origins: frozenset[str]) -> web.Response:
    if request.headers[hdrs.ORIGIN] not in origins:
        type_ = STREAM_PROBLEMS["wrong-origin"]
        text = "this Origin is not one of BOARDCAST_ORIGINS"
        return problem(request, type_.status, "wrong-origin", type_.title, text)
    answer = web.Response(status=204)
    answer.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = ", ".join(METHODS)
    answer.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = ", ".join(ALLOWED_HEADERS)
    answer.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(MAX_AGE)
    if "Access-Control-Request-Private-Network" in request.headers:
        answer.headers["Access-Control-Allow-Private-Network"] = "true"
    return answer


def add_headers(request: web.Request, answer: web.StreamResponse, origins: frozenset[str]) -> None:
    """Let the page read the response if its origin is allowed."""
    answer.headers[hdrs.VARY] = hdrs.ORIGIN
    if (origin := request.headers.get(hdrs.ORIGIN)) in origins:
        answer.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        answer.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        answer.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = ", ".join(EXPOSED_HEADERS)
