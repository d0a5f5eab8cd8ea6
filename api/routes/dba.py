"""GET /api/dba/…: the state of the feed and its recent history, for the DBA's page."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate_dba
from api.dba.charts import choose_step, delivery_columns, gauge_columns, write_columns
from api.http.json_response import json_response
from api.http.operation import Operation
from api.http.parsing import parse_query
from api.http.problems import Problem
from api.schemas.dba_responses import Overview, Series
from api.schemas.queries import SeriesQuery
from api.state import app_state
from db import dba
from db.changelog import activity


async def get_overview(request: Request) -> Response:
    await authenticate_dba(request)
    async with app_state(request).dba_reads.connection() as conn:
        overview = orjson.loads(await dba.overview(conn))
    return json_response(overview)


async def get_series(request: Request) -> Response:
    await authenticate_dba(request)
    state, query = app_state(request), parse_query(request, SeriesQuery)
    if query.since >= query.until:
        raise Problem("invalid-input", "`since` must be before `until`.")
    step = choose_step(query.since, query.until)
    begin, end = (int(moment.timestamp() // step) * step for moment in (query.since, query.until))
    async with state.dba_reads.connection() as conn:
        writes = await activity.read_writes(conn, begin, end, step)
        deliveries = await activity.read_deliveries(conn, begin, end, step)
    samples = [sample for sample in state.gauge_history.samples if begin <= sample.at <= end + step]
    return json_response(
        {
            "step": step,
            "written": write_columns(writes, step),
            "delivered": delivery_columns(deliveries, range(begin, end, step), step),
            "gauges": gauge_columns(samples, step),
        }
    )


ROUTES = [
    Operation(
        "GET",
        "/api/dba/overview",
        get_overview,
        summary="Get the state of the feed: health, instances and their lag, triggers, retention, flags, and gaps",
        tag="dba",
        responses={200: Overview},
        problems=("dba-only",),
    ),
    Operation(
        "GET",
        "/api/dba/series",
        get_series,
        summary="Get writes, deliveries, and gauges between two times",
        tag="dba",
        query=SeriesQuery,
        responses={200: Series},
        problems=("dba-only",),
    ),
]
