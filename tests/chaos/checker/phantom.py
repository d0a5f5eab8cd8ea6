"""A message about something that never happened."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import Examined
from tests.chaos.checker.stretches import wall
from tests.chaos.model import Fault, Verdict

LATENESS = 1.0


def phantom(examined: Sequence[Examined], faults: Sequence[Fault]) -> Iterable[Verdict]:
    for each in examined:
        for match in each.matches:
            if match.change is not None:
                continue
            if any(
                "lost-tail" in fault.explains and each.window.at <= wall(fault.ended or match.record.at) + LATENESS
                for fault in faults
            ):
                continue  # of a tail that nobody could read any more
            yield Verdict(
                "phantom",
                each.where,
                f"{match.record.kind} tells no change that there was: {shortened(match.record.body)}",
            )


def shortened(body: dict[str, object]) -> str:
    """A message without its row."""
    return str({key: value for key, value in body.items() if key not in {"opportunity", "row"}})[:300]
