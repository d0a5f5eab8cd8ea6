"""A figure: one row of the results, with its target."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """The target is at least `aim` if `more` is true, else at most `aim`."""

    name: str
    what: str
    value: float
    unit: str
    aim: float
    more: bool
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        return self.value >= self.aim if self.more else self.value <= self.aim
