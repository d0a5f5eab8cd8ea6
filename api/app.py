"""The Starlette application. Everything that it works with is created outside and passed in."""

import time
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from api import errors, pages, tracing
from api.cache.batch_loader import BatchLoader
from api.cache.snapshots import SnapshotCache
from api.database_check import check_database
from api.dba.change_watcher import ChangeWatcher
from api.dba.gauge_history import GaugeHistory
from api.dba.reads import DbaReads
from api.fingerprints import directory_fingerprint, file_fingerprint
from api.http.json_response import json_response
from api.http.operation import Operation
from api.long_poll import LongPolls
from api.metrics import ApiMetrics
from api.middleware import AllowedOrigins, KnownHost, RequestContext
from api.routes import (
    auth,
    board_changes,
    boards,
    config,
    dba,
    event_stream,
    flags,
    flow,
    gaps,
    health,
    members,
    metrics,
    opportunities,
    presence,
    resolve_conflict,
    restore,
    start,
    sync,
    tickets,
    trigger_log,
    trigger_log_stream,
    versions,
)
from api.schemas.openapi import openapi_document
from api.state import AppState
from db import migrate
from db.boards import Board, for_users
from db.settings import Settings
from feed.access.tokens import Tokens
from feed.runtime import Runtime
from feed.system.shared_result import SharedResult
from feed.wire import cors

_MAX_USERS_PER_READ = 500


def operations() -> list[Operation]:
    """Return every route of the API except /openapi.json and the pages."""
    return [
        *start.ROUTES,
        *auth.ROUTES,
        *boards.ROUTES,
        *flow.ROUTES,
        *board_changes.ROUTES,
        *members.ROUTES,
        *opportunities.ROUTES,
        *resolve_conflict.ROUTES,
        *versions.ROUTES,
        *restore.ROUTES,
        *presence.ROUTES,
        *gaps.ROUTES,
        *sync.ROUTES,
        *tickets.ROUTES,
        *event_stream.ROUTES,
        *trigger_log_stream.ROUTES,
        *trigger_log.ROUTES,
        *dba.ROUTES,
        *config.ROUTES,
        *flags.ROUTES,
        *health.ROUTES,
        *metrics.ROUTES,
    ]


def create_app(settings: Settings, *, engine: AsyncEngine, tokens: Tokens, runtime: Runtime | None) -> Starlette:
    """Create the application. Without a runtime it serves no event streams, and caches no boards."""
    state = _create_state(settings, engine, tokens, runtime)
    _document()
    app = Starlette(
        routes=[*operations(), _openapi_operation(), *pages.ROUTES],
        middleware=[
            Middleware(
                AllowedOrigins,
                allow_origins=sorted(settings.allowed_origins),
                allow_methods=cors.METHODS,
                allow_headers=cors.ALLOWED_HEADERS,
                allow_credentials=True,
                allow_private_network=True,
                expose_headers=cors.EXPOSED_HEADERS,
                max_age=cors.MAX_AGE,
            ),
            *tracing.middleware(),
            Middleware(RequestContext, metrics=state.metrics, instance=runtime.instance if runtime else None),
            Middleware(KnownHost, settings=settings),
        ],
        exception_handlers=dict(errors.EXCEPTION_HANDLERS),
    )
    # A redirect would repeat the Host of the request.
    app.router.redirect_slashes = False
    app.state.api = state
    return app


def _create_state(settings: Settings, engine: AsyncEngine, tokens: Tokens, runtime: Runtime | None) -> AppState:
    api_metrics = ApiMetrics(runtime.metrics.registry if runtime else None)
    api_metrics.watch_pool(engine.pool)
    dba_reads = DbaReads(engine)
    return AppState(
        settings=settings,
        engine=engine,
        tokens=tokens,
        runtime=runtime,
        metrics=api_metrics,
        database_check=SharedResult(partial(check_database, engine, migrate.head() or "")),
        snapshots=SnapshotCache(engine, runtime.tailer if runtime else None, api_metrics, clock=time.monotonic),
        memberships=BatchLoader(partial(_read_boards_of_users, engine), _MAX_USERS_PER_READ),
        build=file_fingerprint(pages.ENTRY),
        console=directory_fingerprint(pages.CONSOLE),
        dba_reads=dba_reads,
        change_watcher=ChangeWatcher(runtime.publisher if runtime else None),
        long_polls=LongPolls(runtime.rollout, runtime.publisher, settings.max_user_connections) if runtime else None,
        gauge_history=GaugeHistory(dba_reads),
    )


async def _read_boards_of_users(engine: AsyncEngine, user_ids: Sequence[str]) -> Mapping[str, list[Board]]:
    async with engine.connect() as conn:
        return await for_users(conn, user_ids)


def _openapi_operation() -> Operation:
    async def openapi_json(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
        return json_response(_document())

    return Operation(
        "GET",
        "/openapi.json",
        openapi_json,
        summary="Get this description",
        tag="operation",
        responses={200: None},
        public=True,
    )


@cache
def _document() -> Any:
    """Generate the document, which takes a fifth of a second, at the first start."""
    return openapi_document([*operations(), _openapi_operation()])
