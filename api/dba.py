"""GET /api/dba/…: the feed's state and its last hours, for the DBA's page."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.auth import dba
from api.body import query
from api.dba_answers import Overview, Series
from api.json import answer
from api.operation import Operation
from api.problems import Problem
from api.schemas import SeriesQuery
from api.series import STEP, Point
from api.services import services
from db import dba as state

_POINTS = 120
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)


async def get_overview(request: Request) -> Response:
    await dba(request)
    async with services(request).watch.reading() as conn:
        found = orjson.loads(await state.overview(conn))
    return answer(found)


async def get_series(request: Request) -> Response:
    await dba(request)
    own, asked = services(request), query(request, SeriesQuery)
    step = _step(asked.since, asked.until)
    begin, finish = (int(moment.timestamp() // step) * step for moment in (asked.since, asked.until))
    async with own.watch.reading() as conn:
        written = await state.written(conn, begin, finish, step)
        told = await state.told(conn, begin, finish, step)
    points = [point for point in own.gauges.points if begin <= point.at <= finish + step]
    return answer(
        {
            "step": step,
            "written": {
                "at": [piece.at for piece in written],
                "changes": [piece.changes / step for piece in written],
                "transactions": [piece.transactions / step for piece in written],
                "rang": [piece.rang / step for piece in written],
                "quiet": [(piece.changes - piece.rang) / step for piece in written],
            },
            "told": _told(told, range(begin, finish, step), step),
            "gauges": _columns(points, step),
        }
    )


def _step(since: datetime, until: datetime) -> int:
    """Seconds of a piece, so that there are about as many pieces as a chart can show."""
    if since >= until:
        raise Problem("invalid-input", "since must be before until")
    wanted = round((until - since).total_seconds()) / _POINTS
    return next((step for step in _STEPS if step >= wanted), 86_400 * max(1, round(wanted / 86_400)))


def _told(told: list[state.Told], moments: range, step: int) -> dict[str, list[Any]]:
    """Where nothing was told there is no delay, and no deliveries."""
    by_time = {piece.at: piece for piece in told}
    pieces = [by_time.get(at, state.Told(at, 0, None, None, None)) for at in moments]
    return {
        "at": list(moments),
        "deliveries": [piece.deliveries / step for piece in pieces],
        "median": [piece.median for piece in pieces],
        "p95": [piece.p95 for piece in pieces],
        "slowest": [piece.slowest for piece in pieces],
    }


def _columns(points: list[Point], step: int) -> dict[str, list[Any]]:
    """In each piece the greatest is told: what was nearly too much is not averaged away. One that is unknown hides no other."""
    size = max(step, round(STEP))
    pieces: dict[int, list[Point]] = {}
    for point in points:
        pieces.setdefault(int(point.at // size) * size, []).append(point)
    return {
        "at": list(pieces),
        "queue": [_greatest(point.queue for point in piece) for piece in pieces.values()],
        "log_bytes": [_greatest(point.log_bytes for point in piece) for piece in pieces.values()],
        "connections": [_greatest(point.connections for point in piece) for piece in pieces.values()],
    }


def _greatest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


ROUTES = [
    Operation(
        "GET",
        "/api/dba/overview",
        get_overview,
        summary="The feed's state: health, instances and their lag, triggers, what is kept, gaps",
        tag="dba",
        answers={200: Overview},
        problems=("dba-only",),
    ),
    Operation(
        "GET",
        "/api/dba/series",
        get_series,
        summary="What was written, per second, and what the instances were like, between two times",
        tag="dba",
        query=SeriesQuery,
        answers={200: Series},
        problems=("dba-only",),
    ),
]
