"""The feed service: one runtime behind aiohttp.

Invariant: start() returns when the port is open and the runtime is ready, or raises and leaves nothing running. stop()
says goodbye to every client before it closes their connections.
"""

import asyncio
from functools import partial
from typing import cast

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from db.settings import Settings
from feed.access.unauthenticated import Unauthenticated
from feed.http import cors
from feed.http.connection import HttpConnection
from feed.http.problem import REQUEST_ID, problem
from feed.http.sse import SseHandler
from feed.http.ws import WebSocketHandler
from feed.router import Router
from feed.runtime import Runtime
from feed.system.sockets import listen
from feed.telemetry.exposition import Exposition
from feed.wire import request_id
from feed.wire.problems import INTERNAL_ERROR

_RESPONSE_STARTED = web.RequestKey("response_started", bool)
"""Set on a request whose response has started."""
_STREAMS = ("/ws", "/sse")
_CLOSE_TIMEOUT = 3.0
"""Seconds for clients to answer a close."""

log = structlog.get_logger()


class FeedServer:
    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings = settings
        self._runtime = runtime
        self._unauthenticated = Unauthenticated(settings, runtime.metrics)
        self._sockets = WebSocketHandler(runtime, Router(runtime), self._unauthenticated)
        self._runner = web.AppRunner(
            make_app(runtime, self._sockets), handler_cancellation=True, shutdown_timeout=_CLOSE_TIMEOUT
        )
        self._listener: asyncio.Server | None = None
        self._port = 0

    async def start(self) -> None:
        """Raises OSError if the port is taken, and what Runtime.start() raises."""
        await self._runtime.start()
        try:
            await self._runner.setup()
            sock = await listen(self._settings.host, self._settings.feed_port, "BOARDCAST_FEED_PORT")
            self._port = int(sock.getsockname()[1])
            try:
                self._listener = await asyncio.get_running_loop().create_server(
                    partial(
                        HttpConnection,
                        cast(web.Server, self._runner.server),
                        self._settings,
                        self._runtime.metrics,
                        self._unauthenticated,
                    ),
                    sock=sock,
                    backlog=4096,
                )
            except BaseException:
                sock.close()
                raise
        except BaseException:
            await self.stop()
            raise

    @property
    def port(self) -> int:
        """The open port, for settings that say 0."""
        return self._port

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        if self._listener is not None:
            self._listener.close()
        self._runtime.drain()
        await asyncio.gather(self._runner.cleanup(), self._sockets.stop(_CLOSE_TIMEOUT))
        await self._runtime.stop()


def make_app(runtime: Runtime, sockets: WebSocketHandler) -> web.Application:
    """Return the application with the routes of the feed service."""
    exposition = Exposition(runtime.metrics.registry)

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        return web.json_response(health(runtime), status=200 if runtime.ready else 503)

    async def metrics(request: web.Request) -> web.Response:
        body, content_type = await exposition.read(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    origins = runtime.settings.allowed_origins

    async def prepare(request: web.Request, answer: web.StreamResponse) -> None:
        _add_general_headers(request, answer)
        cors.add_headers(request, answer, origins)

    app = web.Application(middlewares=[_request_middleware(runtime.instance, origins)])
    app.on_response_prepare.append(prepare)
    paths = {
        "/ws": sockets.handle,
        "/sse": SseHandler(runtime).handle,
        "/healthz": healthz,
        "/readyz": readyz,
        "/metrics": metrics,
    }
    for path, handler in paths.items():
        app.router.add_get(path, handler, allow_head=path not in _STREAMS, expect_handler=_refuse_expectation)
    app.router.add_route("*", "/{path:.*}", _refuse, expect_handler=_refuse_expectation)
    return app


async def _refuse(request: web.Request) -> web.StreamResponse:
    """Refuse what no other route serves."""
    path = request.path
    if path not in (resource.canonical for resource in request.app.router.resources()):
        raise web.HTTPNotFound
    raise web.HTTPMethodNotAllowed(request.method, ["GET"] if path in _STREAMS else ["GET", "HEAD"])


async def _refuse_expectation(request: web.Request) -> None:  # noqa: ARG001 - the signature of aiohttp
    """Refuse an Expect header: no request has a body. aiohttp would quote the header, and fail if it is not UTF-8."""
    raise web.HTTPExpectationFailed


def health(runtime: Runtime) -> dict[str, object]:
    """The body of /readyz."""
    return {
        "status": "ready" if runtime.ready else "draining" if runtime.admission.draining else "not ready",
        "instance": runtime.instance,
        "log": "followed" if runtime.reads_log else "not read" if runtime.tailer.up else "out of reach",
        "log_age": round(runtime.freshness.age, 1),
        "listener": "up" if runtime.listener.up else "down",
        "pacer": runtime.pacer.mode,
        **({"down": down} if (down := runtime.supervisor.down) else {}),
        **({"replica": runtime.replica.status or "not checked yet"} if runtime.replica is not None else {}),
        **({"database": runtime.tailer.refused} if runtime.tailer.refused is not None else {}),
        "connections": len(runtime.connections),
    }


def _request_middleware(instance: str, origins: frozenset[str]) -> Middleware:
    """Bind the ID of each request to its log lines, answer preflights, and turn exceptions into problem responses."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[REQUEST_ID] = request_id.resolve(request.headers.get(request_id.HEADER))
        connection = cast(HttpConnection, request.protocol)
        connection.request_begins()
        with structlog.contextvars.bound_contextvars(instance=instance, request_id=request[REQUEST_ID]):
            try:
                preflight = cors.is_preflight(request)
                answer = cors.preflight_response(request, origins) if preflight else await handler(request)
            except web.HTTPException as error:
                if error.status < 400:
                    raise
                answer = _problem(request, error)
            except Exception as error:
                if isinstance(error, ConnectionError) and (request.transport is None or request.transport.is_closing()):
                    log.debug("request abandoned", method=request.method, path=request.path)
                    raise asyncio.CancelledError from None  # as if aiohttp had noticed it first
                if _RESPONSE_STARTED in request:
                    raise  # too late for a response: all that is left is to cut the connection
                log.exception("request failed", method=request.method, path=request.path)
                detail = "the log of the service has the details, under this request_id"
                answer = problem(request, INTERNAL_ERROR.status, "internal-error", INTERNAL_ERROR.title, detail)
            finally:
                connection.request_ends()
            log.debug("request", method=request.method, path=request.path, status=answer.status)
            return answer

    return middleware


def _problem(request: web.Request, error: web.HTTPException) -> web.Response:
    slug = error.reason.lower().replace(" ", "-")
    answer = problem(request, error.status, slug, error.reason, error.text or error.reason)
    for name in ("Allow", "Upgrade", "Sec-WebSocket-Version"):
        if name in error.headers:
            answer.headers[name] = error.headers[name]
    return answer


def _add_general_headers(request: web.Request, answer: web.StreamResponse) -> None:
    request[_RESPONSE_STARTED] = True
    answer.headers.pop(hdrs.SERVER, None)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    # A request with an unknown Expect header is refused before it has an ID.
    if (name := request.get(REQUEST_ID)) is not None:
        answer.headers[request_id.HEADER] = name
