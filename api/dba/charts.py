"""Columns for the charts of the DBA's page: one value for each interval of `step` seconds."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from api.dba.gauge_history import INTERVAL, Sample
from db.changelog.activity import Deliveries, Writes

_TARGET_LENGTH = 120
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
_DAY = 86_400

Columns = dict[str, list[Any]]


def choose_step(since: datetime, until: datetime) -> int:
    """Return the length of an interval, so that there are about as many intervals as a chart can show."""
    wanted = round((until - since).total_seconds()) / _TARGET_LENGTH
    return next((step for step in _STEPS if step >= wanted), _DAY * max(1, round(wanted / _DAY)))


def write_columns(intervals: Sequence[Writes], step: int) -> Columns:
    """Return the rates of changes and transactions, per second."""
    return {
        "at": [each.at for each in intervals],
        "changes": [each.changes / step for each in intervals],
        "transactions": [each.transactions / step for each in intervals],
        "notified": [each.notified / step for each in intervals],
        "quiet": [(each.changes - each.notified) / step for each in intervals],
    }


def delivery_columns(found: Sequence[Deliveries], times: Sequence[int], step: int) -> Columns:
    """Return the rate of deliveries and their delays. An interval without deliveries has no delay."""
    by_time = {each.at: each for each in found}
    intervals = [by_time.get(at, Deliveries(at, 0, None, None, None)) for at in times]
    return {
        "at": list(times),
        "deliveries": [each.deliveries / step for each in intervals],
        "median": [each.median for each in intervals],
        "p95": [each.p95 for each in intervals],
        "slowest": [each.slowest for each in intervals],
    }


def gauge_columns(samples: Iterable[Sample], step: int) -> Columns:
    """Return the maximum of each gauge: an average would hide a short peak. Unknown values are skipped."""
    size = max(step, round(INTERVAL))
    intervals: dict[int, list[Sample]] = {}
    for sample in samples:
        intervals.setdefault(int(sample.at // size) * size, []).append(sample)
    return {
        "at": list(intervals),
        "queue": [_maximum(sample.queue for sample in interval) for interval in intervals.values()],
        "log_bytes": [_maximum(sample.log_bytes for sample in interval) for interval in intervals.values()],
        "connections": [_maximum(sample.connections for sample in interval) for interval in intervals.values()],
    }


def _maximum(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
