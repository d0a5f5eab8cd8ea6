"""Resolves transactions with an unknown outcome, and checks that confirmed ones exist and failed ones do not."""

import psycopg

from tests.chaos.model import Fault, Transaction, Verdict
from tests.chaos.world.world import World


def resolve(world: World) -> None:
    """Resolve unknown outcomes from the database. Call it when no transaction is in progress."""
    with psycopg.connect(world.primary_dsn(), autocommit=True) as conn:
        marks = {row[0] for row in conn.execute("SELECT tag FROM chaos.marks")}
        logged = {row[0] for row in conn.execute("SELECT DISTINCT origin FROM feed.log WHERE origin LIKE 'rest-%'")}
    for transaction in world.journal.transactions:
        if transaction.via == "sql":
            transaction.resolved = transaction.tag in marks
        elif transaction.tag in logged:
            transaction.resolved = True  # absence proves nothing: the log may have been pruned, or capture was off


def check(world: World) -> list[Verdict]:
    """Confirmed transactions exist and failed ones do not, except in the lost tail of a promotion."""
    found = []
    losses = [fault for fault in world.journal.faults if {"lost-tail"} & fault.explains]
    for transaction in world.journal.transactions:
        if (
            transaction.outcome == "ok"
            and transaction.resolved is False
            and not _lost(transaction, losses, world.journal.faults)
        ):
            found.append(
                Verdict(
                    "lost-commit",
                    transaction.tag,
                    f"{transaction.kind}, xid {transaction.xid}: its COMMIT was confirmed",
                )
            )
        if transaction.outcome == "fail" and transaction.resolved is True:
            found.append(
                Verdict(
                    "failed-yet-done",
                    transaction.tag,
                    f"{transaction.kind}, xid {transaction.xid}: {transaction.error}",
                )
            )
    return found


def _lost(transaction: Transaction, losses: list[Fault], faults: list[Fault]) -> bool:
    """Whether the loss is legal: in a lost tail, or with asynchronous commit in a crash while capture was off."""
    ended = transaction.ended or transaction.began
    if any(fault.began <= ended <= (fault.ended or ended) for fault in losses):
        return True
    return transaction.kind == "async-commit" and any(
        "uncaptured" in fault.explains and fault.began <= ended <= (fault.ended or ended) + 1 for fault in faults
    )
