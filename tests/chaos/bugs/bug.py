"""The type of a seeded bug."""

from collections.abc import Callable
from dataclasses import dataclass

RESET = "reset-feed"
TRUNCATE = "truncate"


@dataclass(frozen=True)
class Bug:
    """`caught_by`: at least one verdict of these kinds must result; `event`: the event that triggers the bug."""

    name: str
    caught_by: frozenset[str]
    apply: Callable[[], None]
    event: str | None = None


def bug(name: str, *caught_by: str, event: str | None = None) -> Callable[[Callable[[], None]], Bug]:
    """Turn a function that patches the product into a bug."""
    return lambda apply: Bug(name, frozenset(caught_by), apply, event)
