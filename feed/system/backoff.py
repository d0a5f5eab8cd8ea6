"""How long to wait before the next attempt."""

import random
from collections.abc import Iterator


def backoff(initial: float = 0.1, maximum: float = 5.0) -> Iterator[float]:
    """Seconds to wait before each attempt, with full jitter: up to 0.1, 0.2, 0.4 … 5. Start a new one after a success."""
    limit = initial
    while True:
        yield random.uniform(0.0, limit)  # noqa: S311 - spreads load, guards nothing
        limit = min(limit * 2, maximum)
