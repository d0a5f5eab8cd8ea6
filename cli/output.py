"""What a command prints: for people, or with --json for programs.

Invariant: standard output carries only what was asked for, and nothing from the database moves a terminal's cursor or changes its
colours. When nobody reads it any more the command ends, quietly.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, NoReturn

import orjson
import typer

Json = Annotated[bool, typer.Option("--json", help="For programs: JSON, an object on each line.")]

_UNREAD = 128 + 13
"""As a program ends that SIGPIPE ends."""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys instead of showing it, and what turns the direction of writing."""
_JSON = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
_UNLIMITED = 100_000
"""Columns of a pipe or a file: nothing is cut off or wrapped there."""


def table(
    rows: Iterable[Mapping[str, Any]], *, json: bool, columns: Sequence[str] | None = None, empty: str = ""
) -> None:
    """Rows: a table for people, with these columns or all, or `empty` where there is none; with `json` a line for each."""
    if json:
        for row in rows:
            objects(row)
        return
    shown = list(rows)
    if not shown:
        line(empty)
        return
    from rich.table import Table
    from rich.text import Text

    names = columns or list(shown[0])
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        numbers = all(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in shown)
        grid.add_column(name, justify="right" if numbers else "left", overflow="fold")
    for row in shown:
        grid.add_row(*(Text(text(row[name])) for name in names))
    show(grid)


def told(sentence: str, *, json: bool, **fields: Any) -> None:
    """One thing that was done: a sentence for people, an object with these fields for programs."""
    if json:
        objects(fields)
    else:
        line(sentence)


def objects(*rows: Mapping[str, Any]) -> None:
    """JSON, a line for each."""
    for row in rows:
        put(encoded(row))


def encoded(row: Mapping[str, Any]) -> str:
    """The line of one of them, with its end."""
    return orjson.dumps(dict(row), default=_plain, option=_JSON).decode()


def line(sentence: str) -> None:
    """A line for people; nothing where there is nothing to say."""
    if sentence:
        put(f"{clean(sentence)}\n")


def show(part: Any) -> None:
    """What rich can show; in colour on a terminal."""
    put(rendered(part))


def rendered(part: Any) -> str:
    """The same as text, with its end."""
    from rich.console import Console
    from rich.text import Text

    people = sys.stdout.isatty()
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=None if people else _UNLIMITED)
    with console.capture() as captured:
        # A line is left for the terminal to wrap, so that it can be copied as one.
        console.print(part, soft_wrap=isinstance(part, Text))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def text(value: Any) -> str:
    """A value as people read it, in one line."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone().isoformat(" ", "milliseconds")
        case _:
            return clean(str(value))


def clean(sentence: str) -> str:
    """The same with what a terminal would obey written as an escape."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), sentence)


def end_unread() -> NoReturn:
    """End the command, as there is nobody to read it."""
    # What Python still holds is written at the end, and must not fail then.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(_UNREAD)


def put(lines: str) -> None:
    """Print what is a text already, with its end."""
    try:
        sys.stdout.write(lines)
        sys.stdout.flush()
    except BrokenPipeError:
        end_unread()


def _plain(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else str(value)
