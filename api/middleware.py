"""Around every request: its id, its place in the log and the metrics, and a plain answer to what nobody expected."""

import asyncio
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors, tracing
from api.connection import cutting
from api.metrics import Metrics
from api.problems import Problem
from feed.telemetry.tracing import current
from feed.wire import request_id as request_ids

_log = structlog.get_logger("api")
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


class RequestContext:
    """Outermost but for CORS, whose headers its answers get too, and the request's span, which it tells of."""

    def __init__(self, app: ASGIApp, metrics: Metrics, instance: str | None) -> None:
        self._app = app
        self._metrics = metrics
        self._current = current()
        self._instance = {} if instance is None else {"instance": instance}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = request_ids.named(headers.get(request_ids.HEADER))
        traceparent = self._current() or tracing.given(headers)
        scope.setdefault("state", {}).update(request_id=request_id, traceparent=traceparent)
        said = (
            self._instance
            | {"request_id": request_id}
            | ({"trace_id": tracing.trace_id(traceparent)} if traceparent else {})
        )
        begun = time.perf_counter()
        status, stream = 0, False

        async def named(message: Message) -> None:
            nonlocal status, stream
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer[request_ids.HEADER] = request_id
                status = message["status"]
                stream = answer.get("content-type", "").startswith("text/event-stream")
            await send(message)

        with structlog.contextvars.bound_contextvars(**said):
            try:
                await self._app(scope, receive, named)
            except ClientDisconnect:
                status = 499
            except asyncio.CancelledError:
                # The server stops, and this took longer than the drain: whoever waits is told to ask again elsewhere.
                if status:
                    cutting(scope)()  # no error: the rest of an answer that has begun is not sent
                    return
                await Problem("draining").response(Request(scope))(scope, receive, named)
            except Exception as error:
                if status:
                    raise  # the answer has begun: all that is left is to cut it off
                response = await errors.handle(Request(scope), error)
                await response(scope, receive, named)
            finally:
                self._told(scope, status, time.perf_counter() - begun, stream=stream)

    def _told(self, scope: Scope, status: int, seconds: float, *, stream: bool) -> None:
        route = getattr(scope.get("route"), "path", "")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.answered(method, route, status, seconds, held=stream or scope["state"].get("held", False))
        _log.debug("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1))
