"""What became of the transactions whose writers could not know, and whether those that were confirmed are there."""

import psycopg

from tests.chaos.model import Fault, Transaction, Verdict
from tests.chaos.world.world import World


def resolve(world: World) -> None:
    """Ask the database, now that nothing is under way."""
    with psycopg.connect(world.primary_dsn(), autocommit=True) as conn:
        marks = {row[0] for row in conn.execute("SELECT tag FROM chaos.marks")}
        logged = {row[0] for row in conn.execute("SELECT DISTINCT origin FROM feed.log WHERE origin LIKE 'rest-%'")}
    for each in world.journal.transactions:
        if each.via == "sql":
            each.resolved = each.tag in marks
        elif each.tag in logged:
            each.resolved = True  # if it is not in the log, that may have been pruned, or capture was off


def check(world: World) -> list[Verdict]:
    """A confirmed transaction is there, and one that failed is not, but for the lost tail of a promotion."""
    found = []
    losses = [fault for fault in world.journal.faults if {"lost-tail"} & fault.explains]
    for each in world.journal.transactions:
        if each.outcome == "ok" and each.resolved is False and not _lost(each, losses, world.journal.faults):
            found.append(Verdict("lost-commit", each.tag, f"{each.kind}, xid {each.xid}: its COMMIT was confirmed"))
        if each.outcome == "fail" and each.resolved is True:
            found.append(Verdict("failed-yet-done", each.tag, f"{each.kind}, xid {each.xid}: {each.error}"))
    return found


def _lost(transaction: Transaction, losses: list[Fault], faults: list[Fault]) -> bool:
    """Whether it may have gone: in a lost tail, or in a crash while nothing was captured and nobody waited for the disk."""
    ended = transaction.ended or transaction.began
    if any(fault.began <= ended <= (fault.ended or ended) for fault in losses):
        return True
    return transaction.kind == "async-commit" and any(
        "uncaptured" in fault.explains and fault.began <= ended <= (fault.ended or ended) + 1 for fault in faults
    )
