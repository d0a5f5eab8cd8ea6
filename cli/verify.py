"""The fed tables held against the log, finding by finding, and the log repaired.

Invariant: a finding is printed when it is found: there is something to read however large the tables are, and however it ends.
"""

import sys
from collections import Counter
from typing import Annotated, Any

import typer

from cli.connect import WORK_TIMEOUT, on_database
from cli.failures import FOUND, USAGE, FailureError
from cli.output import Json, line, objects, table
from db.changelog import Connection
from db.verify import Fed, Finding

Only = Annotated[str | None, typer.Option("--table", help="Only this one.")]
Repair = Annotated[bool, typer.Option("--repair", help="Log what is missing there, so that clients are told.")]
Chunk = Annotated[int, typer.Option(help="Rows of a part: one statement; with --repair, one lock.", min=1, max=100_000)]

_PAST = (
    "written past the triggers: they were off, or session_replication_role was replica, or logical replication wrote"
)
CAUSES = {
    "changed": _PAST,
    "unlogged": _PAST,
    "gone": "deleted past the triggers, or an older copy of the table was restored",
    "back": "put back past the triggers, or an older copy of the table was restored",
    "hole": "versions made past the triggers and overwritten since: what they were nobody knows",
}
"""What each finding suggests. See db.verify.Finding."""
CURE = "ALTER TABLE … ENABLE TRIGGER …, or SELECT feed.attach('…') for a missing one, and verify again."


def verify(*, only: Only = None, repair: Repair = False, chunk: Chunk = 1000, json: Json = False) -> None:
    """Find what was written past the triggers.

    Each row of the fed tables is held against the log, and the versions in the log against each other. The system may be in
    use meanwhile; with --repair, writers wait for each part that has findings.
    """

    async def work(conn: Connection) -> bool:
        sums = [await _table(conn, fed, repair=repair, chunk=chunk, json=json) for fed in await _chosen(conn, only)]
        table(sums, json=json, empty="No table is fed: SELECT feed.attach('…').")
        if not json:
            _conclude(sums)
        return all(one["left"] == 0 and not one["triggers"] for one in sums)

    if not on_database(work, read_timeout=WORK_TIMEOUT):
        raise typer.Exit(FOUND)


async def _chosen(conn: Connection, only: str | None) -> list[Fed]:
    from db.verify import tables

    known = await tables(conn)
    chosen = [fed for fed in known if only is None or only in {fed.name, fed.logged_as}]
    if only is not None and not chosen:
        names = ", ".join(fed.name for fed in known)
        raise FailureError(USAGE, f"{only} is not a fed table; these are: {names}")
    return chosen


async def _table(conn: Connection, fed: Fed, *, repair: bool, chunk: int, json: bool) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from db import verify as verifying

    kinds: Counter[str] = Counter()
    sums = Counter({"log": 0, "rows": 0, "older": 0, "repaired": 0})
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        bars = {
            "log": bar.add_task(f"the log of {fed.logged_as}", total=None),
            "rows": bar.add_task(f"the rows of {fed.logged_as}", total=fed.rows),
        }
        async for part in verifying.verify(conn, fed, part=chunk):
            for finding in part.findings:
                _print(fed, finding, json=json)
            curable = [one.key for one in part.findings if one.curable]
            if repair and curable:
                sums["repaired"] += await verifying.repair(conn, fed, curable)
            kinds.update(one.what for one in part.findings if not (repair and one.curable))
            sums[part.of] += part.read
            sums["older"] += part.older
            bar.advance(bars[part.of], part.read)
    return {
        "table": fed.name,
        **sums,
        "left": kinds.total() - kinds["hole"],
        "holes": kinds["hole"],
        "triggers": ", ".join(fed.faults),
    }


def _print(fed: Fed, finding: Finding, *, json: bool) -> None:
    if json:
        objects({"table": fed.name, **finding._asdict(), "cause": CAUSES[finding.what]})
        return
    versions = f"version {_or_none(finding.logged)} in the log, {_or_none(finding.found)} in the table"
    columns = f": {', '.join(finding.columns)}" if finding.columns else ""
    line(f"{finding.what}  {fed.name} {finding.key}  ({versions}{columns}): {CAUSES[finding.what]}")


def _or_none(version: int | None) -> str:
    return "none" if version is None else str(version)


def _conclude(sums: list[dict[str, Any]]) -> None:
    if any(one["left"] for one in sums):
        line("boardcast verify --repair logs these rows as they are now, and clients are told.")
    for one in sums:
        if one["triggers"]:
            line(f"{one['table']}: {one['triggers']}; {CURE}")
