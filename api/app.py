"""The API, put together. Everything it works with is made outside and handed in."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from api import (
    auth,
    boards,
    config,
    dba,
    errors,
    events,
    flags,
    gaps,
    health,
    openapi,
    opportunities,
    pages,
    presence,
    resolve,
    restore,
    start,
    sync,
    tickets,
    tracing,
    triggerlog,
    triggerstream,
    versions,
)
from api.build import fingerprint, of_files
from api.cache import Snapshots
from api.gather import Gatherer
from api.json import answer
from api.metrics import Metrics
from api.middleware import RequestContext
from api.operation import Operation
from api.series import Gauges
from api.services import Services
from api.waiting import Waiting
from api.watch import Watch
from db import migrate
from db.boards import Board, of_users
from db.settings import Settings
from feed.access.tokens import Tokens
from feed.runtime import Runtime

_EXPOSED = ("ETag", "Location", "Link", "Retry-After", "X-Request-ID", "X-Event-Xid", "X-Feed-Cursor")
_USERS_AT_ONCE = 500
_ALLOWED = (
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-Feed-Cursor",
    "X-Mutation-Id",
    "X-Request-ID",
    "traceparent",
    "tracestate",
)


def operations() -> list[Operation]:
    """List every route of the API; with the pages' it is all there is."""
    return [
        *start.ROUTES,
        *auth.ROUTES,
        *boards.ROUTES,
        *opportunities.ROUTES,
        *resolve.ROUTES,
        *versions.ROUTES,
        *restore.ROUTES,
        *presence.ROUTES,
        *gaps.ROUTES,
        *sync.ROUTES,
        *tickets.ROUTES,
        *events.ROUTES,
        *triggerstream.ROUTES,
        *triggerlog.ROUTES,
        *dba.ROUTES,
        *config.ROUTES,
        *flags.ROUTES,
        *health.ROUTES,
    ]


def create_app(settings: Settings, *, engine: AsyncEngine, tokens: Tokens, hub: Runtime | None) -> Starlette:
    metrics = Metrics(hub.metrics.registry if hub else None)
    metrics.show(engine.pool)
    _document()
    app = Starlette(
        routes=[*operations(), _description(), *pages.ROUTES],
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=sorted(settings.allowed_origins),
                allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
                allow_headers=list(_ALLOWED),
                allow_credentials=True,
                expose_headers=list(_EXPOSED),
            ),
            *tracing.middleware(),
            Middleware(RequestContext, metrics=metrics, instance=hub.instance if hub else None),
        ],
        exception_handlers=dict(errors.HANDLERS),
    )
    watch = Watch(engine, hub.publisher if hub else None)
    app.state.services = Services(
        settings,
        engine,
        tokens,
        hub,
        metrics,
        migrate.head() or "",
        Snapshots(engine, hub.tailer if hub else None, metrics, clock=time.monotonic),
        Gatherer(partial(_boards_of, engine), _USERS_AT_ONCE),
        fingerprint(pages.ENTRY),
        of_files(pages.CONSOLE),
        watch,
        Waiting(hub.rollout, hub.publisher, settings.user_connections) if hub else None,
        Gauges(watch),
    )
    return app


async def _boards_of(engine: AsyncEngine, users: Sequence[str]) -> Mapping[str, list[Board]]:
    async with engine.connect() as conn:
        return await of_users(conn, users)


def _description() -> Operation:
    async def openapi_json(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
        return answer(_document())

    handler: Callable[[Request], Awaitable[Response]] = openapi_json
    return Operation(
        "GET", "/openapi.json", handler, summary="This description", tag="operation", answers={200: None}, public=True
    )


@cache
def _document() -> Any:
    """Made at the first start: that takes a fifth of a second."""
    return openapi.document([*operations(), _description()])
