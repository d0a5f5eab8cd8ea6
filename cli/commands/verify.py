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

_Seal = Annotated[
    str | None,
    typer.Option("--seal", metavar="HASH", help="Check that a seal still has this hash, which you stored elsewhere."),
]

_BYPASSED = "written with the triggers off, with session_replication_role = replica, or by logical replication"
_CAUSES = {
    "changed": _BYPASSED,
    "unlogged": _BYPASSED,
    "uncertain": f"written again by an UPDATE that changed nothing that is logged, or by an ALTER TABLE; or {_BYPASSED}",
    "gone": "deleted without the triggers, or the table was restored from an older copy",
    "back": "inserted again without the triggers, or the table was restored from an older copy",
    "hole": "a change before this one was written without the triggers, or its row of the log was deleted or altered; "
    "its content is lost",
    "damaged": "this row of the log was altered after it was written",
}
"""The likely causes of each finding. See db.changelog.verify.Finding."""


def verify(
    *, only: _Table = None, repair: _Repair = False, chunk: _Chunk = 1000, seal: _Seal = None, json: Json = False
) -> None:
    """Find writes that bypassed the triggers.

    Compares each row of the attached tables with the log, and the rows of the log with each other. The exit status is 5 if it finds
    anything that --repair has not mended. Uncertain rows, which --json lists, do not count. You can run it while the
    system is in use; with --repair, writers wait while a chunk with findings is repaired.

    If the log is sealed (boardcast flags seal on), it also checks the seals, and prints the newest hash.
    """

    async def work(conn: PsycopgConnection) -> bool:
        from cli.seals import check_seals
        from db.changelog.verify import verify_order

        chosen = await _chosen_tables(conn, only)
        damages = await verify_order(conn) if only is None else []
        for finding in damages:
            _print_finding("feed.log", finding, json=json)
        totals = [await _verify_table(conn, table, repair=repair, chunk=chunk, json=json) for table in chosen]
        print_table(totals, json=json, empty="No table is attached. To attach one, run boardcast attach TABLE.")
        if not json:
            _print_advice(chosen, totals)
        sealed = (only is not None and seal is None) or await check_seals(conn, seal, json=json)
        whole = all(each["left"] == each["holes"] == each["damaged"] == 0 and not each["triggers"] for each in totals)
        return whole and not damages and sealed

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
                if json or finding.certain:
                    _print_finding(table.name, finding, json=json)
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
        "uncertain": kinds["uncertain"],
        "left": kinds.total() - kinds["uncertain"] - kinds["hole"] - kinds["damaged"],
        "holes": kinds["hole"],
        "damaged": kinds["damaged"],
        "triggers": ", ".join(table.faults),
    }


def _print_finding(table: str, finding: Finding, *, json: bool) -> None:
    if json:
        print_json({"table": table, **finding._asdict(), "cause": _CAUSES[finding.what]})
        return
    columns = f": {', '.join(finding.columns)}" if finding.columns else ""
    if finding.repairable:
        where = f"version {_or_none(finding.logged)} in the log, {_or_none(finding.found)} in the table"
    else:
        where = f"seq {finding.seq}"
        if finding.what == "hole" and finding.logged != finding.found:
            where += f", version {_or_none(finding.found)} after {_or_none(finding.logged)}"
    print_line(f"{finding.what}  {table} {finding.key}  ({where}{columns}): {_CAUSES[finding.what]}")


def _or_none(version: int | None) -> str:
    return "none" if version is None else str(version)


def _print_advice(tables: list[FedTable], totals: list[dict[str, Any]]) -> None:
    if any(each["left"] for each in totals):
        print_line("Run boardcast verify --repair to log these rows as they are now and send them to the clients.")
    for each in totals:
        if each["uncertain"]:
            print_line(
                f"{each['table']}: {each['uncertain']} rows that are not in the log are uncertain: {_CAUSES['uncertain']}. "
                "PostgreSQL does not keep which. boardcast verify --json lists them, and --repair also logs them."
            )
    for table in tables:
        if table.faults:
            print_line(f"{table.name}: {'; '.join(table.faults)}. Run {' '.join(table.fixes)} and verify again.")
