"""Compares the outcomes that writers saw with the log, and finds writes that are not in the log."""

from collections.abc import Iterable, Sequence

from tests.chaos.checker.truth import Truth
from tests.chaos.model import Fault, Transaction, Verdict


def resolve(transactions: Sequence[Transaction], truth: Truth) -> None:
    """Resolve unknown outcomes from the log."""
    for transaction in transactions:
        if transaction.outcome == "unknown" and transaction.resolved is None:
            transaction.resolved = transaction.tag in truth.origins


def outcomes(transactions: Sequence[Transaction], truth: Truth) -> Iterable[Verdict]:
    """A transaction that failed for its writer must not be in the log."""
    for transaction in transactions:
        if transaction.outcome == "fail" and transaction.tag in truth.origins:
            yield Verdict(
                "phantom", transaction.tag, f"{transaction.kind} failed ({transaction.error}), and is in the log"
            )


def uncaptured_writes(truth: Truth, faults: Sequence[Fault]) -> Iterable[Verdict]:
    for text in truth.disagreed:
        yield Verdict("capture", "the log", text)
    if any("uncaptured" in fault.explains for fault in faults):
        return
    for entry in truth.uncaptured[:20]:
        yield Verdict(
            "capture",
            "the log",
            f"{entry.op} of {entry.relation} {entry.key()}, transaction {entry.xid}, is not in the log",
        )
