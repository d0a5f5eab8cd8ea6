"""The last minute's figures: differences of what is counted anyway."""

import math

import pytest

from feed.telemetry.histogram import Histogram
from feed.telemetry.recent import WINDOW, Recent


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def latencies() -> Histogram:
    return Histogram("latency", "", (0.01, 0.1, 1))


@pytest.fixture
def recent(latencies: Histogram, clock: Clock) -> Recent:
    return Recent(latencies, clock)


def pass_(recent: Recent, clock: Clock, seconds: int) -> None:
    for _ in range(seconds):
        clock.now += 1
        recent.look()


def test_nothing_told_is_no_latency(recent: Recent, clock: Clock) -> None:
    assert recent.per_second() == 0
    pass_(recent, clock, 10)
    assert recent.per_second() == 0
    assert math.isnan(recent.average())
    assert math.isnan(recent.quantile(0.95))


def test_a_young_service_counts_from_its_start(recent: Recent, clock: Clock) -> None:
    recent.told += 30
    pass_(recent, clock, 10)
    assert recent.per_second() == 3


def test_what_is_longer_ago_than_a_minute_does_not_count(recent: Recent, latencies: Histogram, clock: Clock) -> None:
    recent.told += 1000
    latencies.observe([0.9] * 1000)
    pass_(recent, clock, 30)
    recent.told += 600
    latencies.observe([0.05] * 3)
    assert recent.average() == pytest.approx((900 + 0.15) / 1003)
    pass_(recent, clock, int(WINDOW) - 29)
    assert recent.per_second() == pytest.approx(10, rel=0.02)
    assert recent.average() == pytest.approx(0.05)
    assert recent.quantile(0.95) < 0.1
    pass_(recent, clock, int(WINDOW))
    assert recent.per_second() == 0
    assert math.isnan(recent.average())


@pytest.mark.parametrize(
    ("taken", "share", "told"),
    [
        ([0.005] * 100, 0.5, 0.005),
        ([0.005] * 50 + [0.05] * 50, 0.95, 0.01 + 0.09 * 0.9),
        ([0.005] * 90 + [0.5] * 10, 0.95, 0.1 + 0.9 * 0.5),
        ([0.005] * 95 + [0.5] * 5, 0.95, 0.01),
        ([7.0] * 100, 0.95, 1),
    ],
)
def test_a_quantile_is_in_its_bucket_in_proportion(
    recent: Recent, latencies: Histogram, taken: list[float], share: float, told: float
) -> None:
    latencies.observe(taken)
    assert recent.quantile(share) == pytest.approx(told)


def test_looking_often_keeps_little(recent: Recent, clock: Clock) -> None:
    for _ in range(10_000):
        clock.now += 0.05
        recent.look()
    assert len(recent._marks) <= WINDOW + 2
