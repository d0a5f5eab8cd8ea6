"""What is counted of the API's requests. Labels are of routes, never of users or cards."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from sqlalchemy.pool import Pool, QueuePool
from starlette.requests import Request
from starlette.responses import Response


class Metrics:
    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._requests = Counter(
            "boardcast_http_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "boardcast_http_request_seconds",
            "Time from a request to the end of its answer, without those that are held on purpose",
            ("method", "route"),
            registry=self.registry,
        )
        self._pool = Gauge(
            "boardcast_api_pool_connections",
            "Connections of the API's own pool to the database",
            ("state",),
            registry=self.registry,
        )
        self.snapshots = Counter(
            "boardcast_board_snapshots", "Boards given out, by where from", ("source",), registry=self.registry
        )
        for source in ("memory", "database"):
            self.snapshots.labels(source)

    def show(self, pool: Pool) -> None:
        """Tell of this pool, asked when somebody reads."""
        # Of a pool without a bound these are not known, and it has none to tell.
        if isinstance(pool, QueuePool):
            self._pool.labels("used").set_function(pool.checkedout)
            self._pool.labels("idle").set_function(pool.checkedin)

    def answered(self, method: str, route: str, status: int, seconds: float, *, held: bool) -> None:
        self._requests.labels(method, route, str(status)).inc()
        if not held:
            self._seconds.labels(method, route).observe(seconds)

    def render(self, request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(self.registry), headers={"Content-Type": content_type, "Cache-Control": "no-store"})
