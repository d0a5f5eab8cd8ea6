"""Verdict `phantom`: a message about a change that never happened."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.client_history import wall_time
from tests.chaos.checker.examine import Examined
from tests.chaos.model import Fault, Verdict

LATENESS = 1.0


def phantom(examined: Sequence[Examined], faults: Sequence[Fault]) -> Iterable[Verdict]:
    for each in examined:
        for match in each.matches:
            if match.change is not None:
                continue
            if any(
                "lost-tail" in fault.explains and each.window.at <= wall_time(fault.ended or match.record.at) + LATENESS
                for fault in faults
            ):
                continue  # of a lost tail that could not be read any more
            yield Verdict(
                "phantom",
                each.where,
                f"{match.record.kind} matches no change: {shortened(match.record.body)}",
            )


def shortened(body: dict[str, object]) -> str:
    """The text of a message without its row."""
    return str({key: value for key, value in body.items() if key not in {"opportunity", "row"}})[:300]
