"""A histogram of durations that is told many at once.

Invariant: at the rates of a busy log a duration costs a search among the bounds. The client library's own histogram takes a lock
for each bucket and each sum, some microseconds of every event.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector


class Histogram(Collector):
    def __init__(self, name: str, text: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._text = text
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    @property
    def counts(self) -> tuple[int, ...]:
        """How many fell into each bucket alone; the last one has no bound."""
        return tuple(self._counts)

    def observe(self, seconds: Iterable[float]) -> None:
        bounds, counts = self.bounds, self._counts
        for taken in seconds:
            counts[bisect_left(bounds, taken)] += 1
            self.sum += taken

    def collect(self) -> Iterator[HistogramMetricFamily]:
        total = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*map(float, self.bounds), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((str(bound), total))
        found = HistogramMetricFamily(self._name, self._text)
        found.add_metric([], buckets=buckets, sum_value=self.sum)
        yield found
