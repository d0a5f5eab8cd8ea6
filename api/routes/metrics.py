"""GET /metrics: the metrics of the API and of the feed in its process, for Prometheus."""

from starlette.requests import Request
from starlette.responses import Response

from api.http.operation import Operation
from api.state import app_state


async def metrics(request: Request) -> Response:
    return await app_state(request).metrics.render(request)


ROUTES = [
    Operation(
        "GET",
        "/metrics",
        metrics,
        summary="Get the metrics for Prometheus",
        tag="operation",
        responses={200: None},
        public=True,
        media_type="text/plain",
    ),
]
