"""Around every request: its id, log fields, metrics, host and origin, and the response to an unexpected exception."""

import asyncio
import time
from collections.abc import Mapping

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors, tracing
from api.http.connection import abort_connection
from api.http.problems import Problem
from api.metrics import ApiMetrics
from db.settings import Settings
from feed.access.origins import host_allowed, known_hosts
from feed.telemetry.tracing import current_traceparent
from feed.wire import request_id as request_ids

_log = structlog.get_logger("api")
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_FOR_OPERATORS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Called by the names of containers and machines, and without secrets."""


class RequestContext:
    """Runs inside the CORS middleware, so that its own responses get CORS headers, and inside the request's span."""

    def __init__(self, app: ASGIApp, metrics: ApiMetrics, instance: str | None) -> None:
        self._app = app
        self._metrics = metrics
        self._current_traceparent = current_traceparent()
        self._instance = {} if instance is None else {"instance": instance}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = request_ids.resolve(headers.get(request_ids.HEADER))
        traceparent = self._current_traceparent() or tracing.read_traceparent(headers)
        scope.setdefault("state", {}).update(request_id=request_id, traceparent=traceparent)
        started = time.perf_counter()
        response = _ResponseStart(send, request_id)
        with structlog.contextvars.bound_contextvars(**self._log_fields(request_id, traceparent)):
            try:
                await self._app(scope, receive, response.send)
            except ClientDisconnect:
                response.status = 499
            except asyncio.CancelledError:
                # The service is stopping, and this request outlasted the drain timeout.
                if response.status:
                    abort_connection(scope)  # the rest of a response that has begun is not sent
                    return
                await Problem("draining").response(Request(scope))(scope, receive, response.send)
            except Exception as error:
                if response.status:
                    raise  # the response has begun: uvicorn closes the connection
                problem = await errors.handle_exception(Request(scope), error)
                await problem(scope, receive, response.send)
            finally:
                self._record(scope, response, time.perf_counter() - started)

    def _log_fields(self, request_id: str, traceparent: str | None) -> Mapping[str, str]:
        trace = {"trace_id": tracing.trace_id(traceparent)} if traceparent else {}
        return self._instance | {"request_id": request_id} | trace

    def _record(self, scope: Scope, response: "_ResponseStart", seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        held = response.is_stream or scope["state"].get("held", False)
        self._metrics.observe_request(method, route, response.status, seconds, held=held)
        _log.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=response.status,
            ms=round(seconds * 1000, 1),
        )


class AllowedOrigins(CORSMiddleware):
    """Starlette's, which answers a page that is not allowed as if only the page's name were missing."""

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        if message["type"] == "http.response.start" and not self.is_allowed_origin(request_headers.get("Origin", "")):
            MutableHeaders(scope=message).add_vary_header("Origin")
            await send(message)
            return
        await super().send(message, send, request_headers)

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if not self.is_allowed_origin(request_headers["Origin"]):
            for name in [name for name in response.headers if name.startswith("access-control-")]:
                del response.headers[name]
        return response


class KnownHost:
    """Refuses requests to a name that is not known, unless they have a token in a header, which no page can send for another.

    A site whose name resolves to this address would otherwise be served as if it were ours.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._known = known_hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _FOR_OPERATORS:
            headers = Headers(scope=scope)
            if "Authorization" not in headers and not host_allowed(headers, self._known):
                problem = Problem("wrong-host", "Add its address to BOARDCAST_ORIGINS to allow it.")
                await problem.response(Request(scope))(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _ResponseStart:
    """Adds the request id to the response's headers, and notes its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0
        """0 until the response has begun."""
        self.is_stream = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers[request_ids.HEADER] = self._request_id
            headers["X-Content-Type-Options"] = "nosniff"
            self.status = message["status"]
            self.is_stream = headers.get("content-type", "").startswith("text/event-stream")
        await self._send(message)
