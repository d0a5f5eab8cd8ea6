"""Metrics of the API's requests. Labels name routes, never users or cards."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy.pool import Pool, QueuePool
from starlette.requests import Request
from starlette.responses import Response

from feed.telemetry.exposition import Exposition


class ApiMetrics:
    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._exposition = Exposition(self.registry)
        self._requests = Counter(
            "boardcast_http_requests", "HTTP requests", ("method", "route", "status"), registry=self.registry
        )
        self._request_seconds = Histogram(
            "boardcast_http_request_seconds",
            "Time from a request to the end of its response, without streams and long polls",
            ("method", "route"),
            registry=self.registry,
        )
        self._pool_connections = Gauge(
            "boardcast_api_pool_connections",
            "Connections in the API's own pool, by state",
            ("state",),
            registry=self.registry,
        )
        self.board_snapshots = Counter(
            "boardcast_board_snapshots", "Board snapshots returned, by source", ("source",), registry=self.registry
        )
        for source in ("memory", "database"):
            self.board_snapshots.labels(source)

    def watch_pool(self, pool: Pool) -> None:
        """Report the size of this pool whenever the metrics are read."""
        if isinstance(pool, QueuePool):  # other pools do not count their connections
            self._pool_connections.labels("used").set_function(pool.checkedout)
            self._pool_connections.labels("idle").set_function(pool.checkedin)

    def observe_request(self, method: str, route: str, status: int, seconds: float, *, held: bool) -> None:
        """Count a request. `held`: it was kept open on purpose, so its duration is not measured."""
        self._requests.labels(method, route, str(status)).inc()
        if not held:
            self._request_seconds.labels(method, route).observe(seconds)

    async def render(self, request: Request) -> Response:
        body, content_type = await self._exposition.read(request.headers.get("Accept", ""))
        return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})
