"""A figure: one line of the table of what is to be reached, and what was."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """`more` says which way is better: at least `aim`, or at most."""

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
