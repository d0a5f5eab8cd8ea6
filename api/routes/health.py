"""GET /healthz and /readyz, for load balancers and process managers."""

from starlette.requests import Request
from starlette.responses import Response

from api.http.json_response import json_response
from api.http.operation import Operation
from api.schemas.responses import Status
from api.state import app_state
from feed.runtime import Runtime


async def healthz(request: Request) -> Response:  # noqa: ARG001 - that the process responds is all there is to check
    return json_response({"status": "ok"})


async def readyz(request: Request) -> Response:
    state = app_state(request)
    checks = {"database": await state.database_check.get()}
    if state.draining:
        checks["draining"] = "stopping"
    if state.runtime is not None:
        checks["feed"] = _check_feed(state.runtime)
    ready = all(check == "ok" for check in checks.values())
    return json_response({"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503)


def _check_feed(runtime: Runtime) -> str:
    if runtime.ready:
        return "ok"
    if runtime.tailer.refused is not None:
        return runtime.tailer.refused
    if down := runtime.supervisor.down:
        return f"restarting after an error: {', '.join(down)}"
    return "not live" if runtime.freshness.is_fresh else f"the log was last read {runtime.freshness.age:.0f} s ago"


ROUTES = [
    Operation(
        "GET",
        "/healthz",
        healthz,
        summary="Check that the process responds",
        tag="operation",
        responses={200: Status},
        public=True,
    ),
    Operation(
        "GET",
        "/readyz",
        readyz,
        summary="Check that the database is migrated and reachable, the feed live, and this instance not stopping",
        tag="operation",
        responses={200: Status, 503: Status},
        public=True,
    ),
]
