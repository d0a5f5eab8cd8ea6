"""The part of `boardcast verify` that checks the seals of the log.

Invariant: a seal that was noted elsewhere is compared only with the seals of the database, never stored in it.
"""

from collections import Counter
from typing import Any

from cli.output import print_json, print_line
from db.changelog.seals import BrokenSeal, seal_number, verify_seals
from db.connection import PsycopgConnection

_SEALS = 10
"""Seals per statement."""
_CAUSES = {
    "rows": "a row that it covers was altered, deleted, or inserted after it was sealed",
    "hash": "this seal, or the one before it, was altered or removed",
    "number": "seals before it were removed",
}
"""What each of BrokenSeal.columns means."""


async def check_seals(conn: PsycopgConnection, noted: str | None, *, json: bool) -> bool:
    """Print each broken seal, whether the noted one is missing, and the newest. Returns whether all is well."""
    totals = Counter({"seals": 0, "pruned": 0, "rows": 0, "broken": 0})
    newest: dict[str, Any] = {}
    async for part in verify_seals(conn, part=_SEALS):
        for each in part.broken:
            _print_broken(each, json=json)
        totals.update(seals=part.seals, pruned=part.pruned, rows=part.rows, broken=len(part.broken))
        if part.number is not None:
            newest = {"number": part.number, "hash": part.hash}
    missing = noted is not None and await seal_number(conn, noted) is None
    if missing:
        _print_missing(str(noted), json=json)
    if newest:
        _print_totals({**totals, **newest}, json=json)
    return not missing and not totals["broken"]


def _print_broken(seal: BrokenSeal, *, json: bool) -> None:
    causes = "; ".join(_CAUSES[column] for column in seal.columns)
    if json:
        fields = {"table": "feed.log", "what": "broken", "key": str(seal.number), "seq": seal.first_seq}
        print_json({**fields, **seal._asdict(), "cause": causes})
        return
    where = f"{seal.sealed} changes" + (f", seq {seal.first_seq} to {seal.last_seq}" if seal.sealed else "")
    if "rows" in seal.columns and seal.found != seal.sealed:
        where += f"; {seal.found} found"
    print_line(f"broken  feed.log seal {seal.number}  ({where}): {causes}")


def _print_missing(noted: str, *, json: bool) -> None:
    cause = "seals were removed or altered since it was noted, or it was noted in another database"
    if json:
        print_json({"table": "feed.log", "what": "missing", "key": noted, "cause": cause})
    else:
        print_line(f"missing  feed.log seal {noted}: {cause}")


def _print_totals(totals: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json({"table": "feed.seals", **totals})
        return
    pruned = f", {totals['pruned']} of pruned changes" if totals["pruned"] else ""
    print_line(f"{totals['seals']} seals of {totals['rows']} changes checked{pruned}: {totals['broken']} broken")
    print_line(f"Note this hash elsewhere, for verify --seal: {totals['hash']} (seal {totals['number']})")
