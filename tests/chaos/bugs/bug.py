"""What a seeded bug is."""

from collections.abc import Callable
from dataclasses import dataclass

RESET = "reset-feed"
TRUNCATE = "truncate"


@dataclass(frozen=True)
class Bug:
    """`caught_by`: the kinds of verdicts of which at least one must come; `event`: what has to happen for it to show."""

    name: str
    caught_by: frozenset[str]
    apply: Callable[[], None]
    event: str | None = None


def bug(name: str, *caught_by: str, event: str | None = None) -> Callable[[Callable[[], None]], Bug]:
    """Make a bug of the function that patches the product."""
    return lambda apply: Bug(name, frozenset(caught_by), apply, event)
