"""A histogram that takes many durations at once.

Invariant: even on a busy log, a duration costs one binary search. The client library's own histogram takes a lock for each bucket
and each sum, which takes some microseconds per event.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector


class Histogram(Collector):
    def __init__(self, name: str, text: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._text = text
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        """The number of values in each single bucket, not cumulative; the last bucket has no upper bound."""
        self._sum = 0.0

    def observe(self, seconds: Iterable[float]) -> None:
        bounds, counts = self._bounds, self._counts
        for taken in seconds:
            counts[bisect_left(bounds, taken)] += 1
            self._sum += taken

    def collect(self) -> Iterator[HistogramMetricFamily]:
        total = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*map(float, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((str(bound), total))
        found = HistogramMetricFamily(self._name, self._text)
        found.add_metric([], buckets=buckets, sum_value=self._sum)
        yield found
