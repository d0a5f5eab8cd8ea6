"""The life of one change, and what the holder of a cursor has and has not.

Invariant: what is said is what feed.explain and feed.explain_cursor say in psql, word for word.
"""

from datetime import timedelta
from typing import Annotated, Any

import typer

from cli.connect import rows
from cli.failures import FOUND
from cli.output import Json, table

What = Annotated[str, typer.Argument(metavar="SEQ|CURSOR", help="A change's number, or a client's cursor.")]


def explain(what: What, *, json: Json = False) -> None:
    """Tell the life of a change, or what a client has.

    Of a change: written, committed, told by which instance to how many and when, shown by whom. Of a cursor: what its holder
    has, what he has not, and whether he can go on from it.
    """
    if what.isascii() and what.isdecimal() and len(what) < 19:
        steps = rows("SELECT * FROM feed.explain(%s)", (int(what),))
        well = steps[0]["step"] != "not there"
    else:
        steps = rows("SELECT * FROM feed.explain_cursor(%s)", (what,))
        well = all(step["what"].startswith("yes") for step in steps if step["step"] == "resumes")
    table(steps if json else [_shown(step) for step in steps], json=json)
    if not well:
        raise typer.Exit(FOUND)


def _shown(step: dict[str, Any]) -> dict[str, Any]:
    after = step.get("after")
    return step | ({"after": _length(after)} if "after" in step else {})


def _length(after: timedelta | None) -> str:
    """A length of time as people say it, to the millisecond where it is short."""
    if after is None:
        return ""
    seconds = after.total_seconds()
    if abs(seconds) < 1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.3f} s" if abs(seconds) < 60 else str(timedelta(seconds=round(seconds)))
