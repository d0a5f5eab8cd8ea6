"""Quantiles of measurements."""

from collections.abc import Iterable, Sequence

_REPORTED = {"median": 0.5, "p95": 0.95, "p99": 0.99, "highest": 1.0}


def at(ordered: Sequence[float], quantile: float) -> float:
    return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]


def summary(values: Iterable[float]) -> dict[str, float]:
    """Return the number of samples and the reported quantiles."""
    ordered = sorted(values)
    if not ordered:
        raise RuntimeError("nothing was measured")
    return {"samples": len(ordered), **{name: round(at(ordered, q), 4) for name, q in _REPORTED.items()}}


def curve(values: Iterable[float], points: int = 100) -> list[float]:
    """Return the quantiles 0, 1/points, …, 1."""
    ordered = sorted(values)
    return [round(at(ordered, n / points), 4) for n in range(points + 1)]
