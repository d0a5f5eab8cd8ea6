"""The feed service: one runtime behind aiohttp.

Invariant: start() returns when the port is open and the runtime ready, or raises and leaves nothing behind. stop() says goodbye
to every client before it closes the port's connections.
"""

import asyncio

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from db.settings import Settings
from feed.http.faults import logger
from feed.http.problem import REQUEST_ID, problem
from feed.http.sse import SseHandler
from feed.http.ws import WebSocketHandler
from feed.router import Handlers
from feed.runtime import Runtime
from feed.system.sockets import listen
from feed.wire import request_id
from feed.wire.problems import INTERNAL

_BEGUN = web.RequestKey("begun", bool)
"""Of a request whose answer has begun."""
_TO_LEAVE = 3.0
"""Seconds that clients have to answer a goodbye."""

log = structlog.get_logger()


class FeedServer:
    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings = settings
        self._runtime = runtime
        self._sockets = WebSocketHandler(runtime, Handlers(runtime).router())
        self._runner = web.AppRunner(
            make_app(runtime, self._sockets),
            handler_cancellation=True,
            shutdown_timeout=_TO_LEAVE,
            access_log=None,
            logger=logger,
        )

    async def start(self) -> None:
        """Raises OSError where the port is taken, and what Runtime.start raises."""
        await self._runtime.start()
        try:
            await self._runner.setup()
            sock = await listen(self._settings.host, self._settings.feed_port, "BOARDCAST_FEED_PORT")
            try:
                await web.SockSite(self._runner, sock, backlog=4096).start()
            except BaseException:
                sock.close()
                raise
        except BaseException:
            await self.stop()
            raise

    @property
    def port(self) -> int:
        """The port that is open (of use where the settings say 0)."""
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Idempotent; complete when it returns."""
        self._runtime.drain()
        await asyncio.gather(self._runner.cleanup(), self._sockets.stop(_TO_LEAVE))
        await self._runtime.stop()


def make_app(runtime: Runtime, sockets: WebSocketHandler) -> web.Application:
    """The routes of the feed service."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        return web.json_response(runtime.health(), status=200 if runtime.ready else 503)

    async def metrics(request: web.Request) -> web.Response:
        body, content_type = runtime.metrics.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    app = web.Application(middlewares=[_requests(runtime.instance)])
    app.on_response_prepare.append(_name)
    app.router.add_get("/ws", sockets.handle)
    app.router.add_get("/sse", SseHandler(runtime).handle, allow_head=False)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


def _requests(instance: str) -> Middleware:
    """Around every request: its name, in what is logged of it and in its answer, and a problem where it cannot be answered."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[REQUEST_ID] = request_id.named(request.headers.get(request_id.HEADER))
        with structlog.contextvars.bound_contextvars(instance=instance, request_id=request[REQUEST_ID]):
            try:
                answer = await handler(request)
            except web.HTTPException as error:
                if error.status < 400:
                    raise
                answer = _problem(request, error)
            except Exception as error:
                if isinstance(error, ConnectionError) and (request.transport is None or request.transport.is_closing()):
                    log.debug("request abandoned", method=request.method, path=request.path)
                    raise asyncio.CancelledError from None  # as where aiohttp itself sees it first
                if _BEGUN in request:
                    raise  # all that is left is to cut it off
                log.exception("a request failed", method=request.method, path=request.path)
                detail = "the service's log says what, by request_id"
                answer = problem(request, INTERNAL.status, "internal-error", INTERNAL.title, detail)
            log.debug("request", method=request.method, path=request.path, status=answer.status)
            return answer

    return around


def _problem(request: web.Request, error: web.HTTPException) -> web.Response:
    slug = error.reason.lower().replace(" ", "-")
    answer = problem(request, error.status, slug, error.reason, error.text or error.reason)
    for name in ("Allow", "Upgrade"):
        if name in error.headers:
            answer.headers[name] = error.headers[name]
    return answer


async def _name(request: web.Request, answer: web.StreamResponse) -> None:
    request[_BEGUN] = True
    # One with an Expect that nobody knows is refused before it has a name.
    if (name := request.get(REQUEST_ID)) is not None:
        answer.headers[request_id.HEADER] = name
