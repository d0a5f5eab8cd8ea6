"""For whoever watches over the process: alive, ready, measured."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from api.answers import Status
from api.json import answer
from api.operation import Operation
from api.services import Services, services
from db import migrate
from feed.runtime import Runtime

CHECK_TIMEOUT = 3.0
"""Seconds in which the database must answer: whoever asks for `/readyz` does not wait for long."""


async def healthz(request: Request) -> Response:  # noqa: ARG001 - the process answers: that is all
    return answer({"status": "ok"})


async def readyz(request: Request) -> Response:
    own = services(request)
    checks = {"database": await _database(own)}
    if own.draining:
        checks["draining"] = "stopping"
    if own.hub is not None:
        checks["feed"] = _feed(own.hub)
    ready = all(check == "ok" for check in checks.values())
    return answer({"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503)


async def metrics(request: Request) -> Response:
    return services(request).metrics.render(request)


def _feed(hub: Runtime) -> str:
    if hub.ready:
        return "ok"
    return "not live" if hub.freshness.fresh else f"the log was last read {hub.freshness.age:.0f} s ago"


async def _database(own: Services) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT), own.engine.connect() as conn:
            revision = await conn.run_sync(migrate.current)
    except (SQLAlchemyError, TimeoutError):
        return "unreachable"
    # Revisions are numbered. One that is newer than this code is a roll-out under way, and made to be lived with.
    return "ok" if revision is not None and revision >= own.revision else "not migrated"


ROUTES = [
    Operation("GET", "/healthz", healthz, summary="Alive", tag="operation", answers={200: Status}, public=True),
    Operation(
        "GET",
        "/readyz",
        readyz,
        summary="Ready: the database is reachable and migrated, the feed is live, and nobody stops this instance",
        tag="operation",
        answers={200: Status, 503: Status},
        public=True,
    ),
    Operation(
        "GET",
        "/metrics",
        metrics,
        summary="For Prometheus",
        tag="operation",
        answers={200: None},
        public=True,
        media_type="text/plain",
    ),
]
