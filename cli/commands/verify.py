"""The attached tables compared with the log.

Invariant: each finding is printed as soon as it is found, however large the tables are and however the command ends.
"""

import sys
from collections import Counter
from typing import Annotated, Any

import typer

from cli.connect import WORK_TIMEOUT, with_connection
from cli.failures import PROBLEMS, USAGE, FailureError
from cli.output import Json, print_json, print_line, print_table
from db.changelog.verify import FedTable, Finding
from db.connection import PsycopgConnection

_Table = Annotated[str | None, typer.Option("--table", metavar="TABLE", help="Check only this table.")]
_Repair = Annotated[bool, typer.Option("--repair", help="Log the missing changes, so that clients receive them.")]
_Chunk = Annotated[
    int, typer.Option(metavar="ROWS", help="Rows per statement, and with --repair per table lock.", min=1, max=100_000)
]

_BYPASSED = "written with the triggers off, with session_replication_role = replica, or by logical replication"
_CAUSES = {
    "changed": _BYPASSED,
    "unlogged": _BYPASSED,
    "gone": "deleted without the triggers, or the table was restored from an older copy",
    "back": "inserted again without the triggers, or the table was restored from an older copy",
    "hole": "versions written without the triggers and overwritten since; their content is lost",
}
"""The likely causes of each finding. See db.changelog.verify.Finding."""
_TRIGGER_FIX = "run ALTER TABLE … ENABLE TRIGGER …, or SELECT feed.attach('…') for a missing one, and verify again."


def verify(*, only: _Table = None, repair: _Repair = False, chunk: _Chunk = 1000, json: Json = False) -> None:
    """Find writes that bypassed the triggers.

    Compares each row of the attached tables with the log, and the versions in the log with each other. You can run it while the
    system is in use; with --repair, writers wait while a chunk with findings is repaired.
    """

    async def work(conn: PsycopgConnection) -> bool:
        chosen = await _chosen_tables(conn, only)
        totals = [await _verify_table(conn, table, repair=repair, chunk=chunk, json=json) for table in chosen]
        print_table(totals, json=json, empty="No table is attached. To attach one, run boardcast attach TABLE.")
        if not json:
            _print_advice(totals)
        return all(each["left"] == 0 and not each["triggers"] for each in totals)

    if not with_connection(work, read_timeout=WORK_TIMEOUT):
        raise typer.Exit(PROBLEMS)


async def _chosen_tables(conn: PsycopgConnection, only: str | None) -> list[FedTable]:
    from db.changelog.verify import tables

    attached = await tables(conn)
    chosen = [table for table in attached if only is None or only in {table.name, table.logged_as}]
    if only is not None and not chosen:
        names = ", ".join(table.name for table in attached)
        raise FailureError(USAGE, f"{only} is not attached. The attached tables are: {names}")
    return chosen


async def _verify_table(
    conn: PsycopgConnection, table: FedTable, *, repair: bool, chunk: int, json: bool
) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from db.changelog import verify as verification

    kinds: Counter[str] = Counter()
    totals = Counter({"log": 0, "rows": 0, "older": 0, "repaired": 0})
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with progress:
        bars = {
            "log": progress.add_task(f"the log of {table.logged_as}", total=None),
            "rows": progress.add_task(f"the rows of {table.logged_as}", total=table.rows),
        }
        async for part in verification.verify(conn, table, part=chunk):
            for finding in part.findings:
                _print_finding(table, finding, json=json)
            repairable = [finding.key for finding in part.findings if finding.repairable]
            if repair and repairable:
                totals["repaired"] += await verification.repair(conn, table, repairable)
            kinds.update(finding.what for finding in part.findings if not (repair and finding.repairable))
            totals[part.of] += part.read
            totals["older"] += part.older
            progress.advance(bars[part.of], part.read)
    return {
        "table": table.name,
        **totals,
        "left": kinds.total() - kinds["hole"],
        "holes": kinds["hole"],
        "triggers": ", ".join(table.faults),
    }


def _print_finding(table: FedTable, finding: Finding, *, json: bool) -> None:
    if json:
        print_json({"table": table.name, **finding._asdict(), "cause": _CAUSES[finding.what]})
        return
    versions = f"version {_or_none(finding.logged)} in the log, {_or_none(finding.found)} in the table"
    columns = f": {', '.join(finding.columns)}" if finding.columns else ""
    print_line(f"{finding.what}  {table.name} {finding.key}  ({versions}{columns}): {_CAUSES[finding.what]}")


def _or_none(version: int | None) -> str:
    return "none" if version is None else str(version)


def _print_advice(totals: list[dict[str, Any]]) -> None:
    if any(each["left"] for each in totals):
        print_line("Run boardcast verify --repair to log these rows as they are now and send them to the clients.")
    for each in totals:
        if each["triggers"]:
            print_line(f"{each['table']}: {each['triggers']}; {_TRIGGER_FIX}")
