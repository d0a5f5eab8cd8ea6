"""High load is detected by the rate of writes, not their size, and outlasts a short pause."""

from collections.abc import Iterable

import pytest

from feed.notify.write_rate import WriteRate


def after(passes: Iterable[tuple[float, int]]) -> tuple[WriteRate, float]:
    writes, now = WriteRate(), 0.0
    for now, found in passes:
        writes.add(found, now)
    return writes, now


@pytest.mark.parametrize(("rate", "high"), [(20, False), (60, False), (300, True), (1000, True), (5000, True)])
def test_the_rate_of_single_writes(rate: int, high: bool) -> None:
    writes, now = after((n / rate, 1) for n in range(rate * 2))
    assert writes.is_high(now) is high


def test_32_writers_are_detected_within_35_milliseconds() -> None:
    writes, _ = after((n / 400, 3) for n in range(14))  # 1,200 a second by 400 passes, for 35 ms
    assert writes.is_high(0.035)


def test_a_burst_of_ten_changes_is_not_high() -> None:
    writes, now = after((n / 1000, 1) for n in range(10))
    assert not writes.is_high(now)


def test_a_million_rows_in_one_pass_are_not_high() -> None:
    writes, now = after([(0.0, 1_000_000), (0.001, 1_000_000)])
    assert not writes.is_high(now)


def test_it_is_low_after_a_second_of_few_writes() -> None:
    writes, now = after((n / 1000, 1) for n in range(1000))
    assert not writes.is_low(now + 0.9)
    for n in range(20):
        writes.add(1, now + n / 20)
    assert writes.is_low(now + 1.6)


def test_a_rate_between_the_marks_is_neither_high_nor_low() -> None:
    writes, now = after((n / 65, 1) for n in range(240))
    assert not writes.is_high(now)
    assert not writes.is_low(now)


def test_a_hundred_a_second_is_high_if_it_lasts() -> None:
    """If a commit takes 10 ms, writers that notify cannot exceed 100 a second."""
    writes, now = after((n / 100, 1) for n in range(50))
    assert not writes.is_high(now)
    writes, now = after((n / 100, 1) for n in range(300))
    assert writes.is_high(now)


def test_after_heavy_load_it_is_never_high_and_low_at_once() -> None:
    writes, now = after((n / 200, 50) for n in range(2000))
    for later in range(1, 40):
        assert not (writes.is_high(now + later / 10) and writes.is_low(now + later / 10))


def test_a_statement_of_many_rows_adds_little() -> None:
    writes, now = after((n / 15, 50) for n in range(60))
    assert not writes.is_high(now)
