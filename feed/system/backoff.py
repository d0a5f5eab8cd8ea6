"""How long to wait before trying again."""

import random
from collections.abc import Iterator


def backoff(first: float = 0.1, most: float = 5.0) -> Iterator[float]:
    """Seconds to wait before each attempt, with full jitter: up to 0.1, 0.2, 0.4 … 5. Begin a new one after a success."""
    limit = first
    while True:
        yield random.uniform(0.0, limit)  # noqa: S311 - spreads load, guards nothing
        limit = min(limit * 2, most)
