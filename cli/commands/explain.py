"""What became of a change, and what a cursor covers.

Invariant: the output is that of feed.explain and feed.explain_cursor, word for word.
"""

from datetime import timedelta
from typing import Annotated, Any

import typer

from cli.connect import fetch_rows
from cli.failures import PROBLEMS
from cli.output import Json, print_table
from db.sqlfiles import sql

_Subject = Annotated[
    str, typer.Argument(metavar="SEQ|CURSOR", help="The sequence number of a change, or a client's cursor.")
]


def explain(subject: _Subject, *, json: Json = False) -> None:
    """Explain what became of a change, or what a cursor covers.

    For a change: when it was written and committed, which instances delivered it when and to how many clients, and which clients
    confirmed it. For a cursor: what its client has, what it lacks, and whether it can resume.
    """
    if subject.isascii() and subject.isdecimal() and len(subject) < 19:
        steps = fetch_rows(sql("queries/explain"), {"seq": int(subject)})
        well = steps[0]["step"] != "not found"
    else:
        steps = fetch_rows(sql("queries/explain_cursor"), {"cursor": subject})
        well = all(step["what"].startswith("yes") for step in steps if step["step"] == "resumes")
    print_table(steps if json else map(_readable, steps), json=json)
    if not well:
        raise typer.Exit(PROBLEMS)


def _readable(step: dict[str, Any]) -> dict[str, Any]:
    return step | ({"after": _duration(step["after"])} if "after" in step else {})


def _duration(after: timedelta | None) -> str:
    """A duration for people, to the millisecond if it is short."""
    if after is None:
        return ""
    seconds = after.total_seconds()
    if abs(seconds) < 1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.3f} s" if abs(seconds) < 60 else str(timedelta(seconds=round(seconds)))
