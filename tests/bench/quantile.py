"""Quantiles of what was measured."""

from collections.abc import Iterable, Sequence

_TOLD = {"median": 0.5, "p95": 0.95, "p99": 0.99, "highest": 1.0}


def at(ordered: Sequence[float], quantile: float) -> float:
    return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]


def summary(values: Iterable[float]) -> dict[str, float]:
    """How many there were, the quantiles that are told, and those that a curve is drawn of."""
    ordered = sorted(values)
    if not ordered:
        raise RuntimeError("nothing was measured")
    return {"samples": len(ordered), **{name: round(at(ordered, q), 4) for name, q in _TOLD.items()}}


def curve(values: Iterable[float], points: int = 100) -> list[float]:
    """The quantiles 0, 1/points, …, 1."""
    ordered = sorted(values)
    return [round(at(ordered, n / points), 4) for n in range(points + 1)]
