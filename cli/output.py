"""What a command prints: text for people, or JSON for programs with --json.

Invariant: standard output carries results only. Nothing from the database can move the terminal's cursor or change its colors. When
the reader closes the pipe, the command ends silently.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, NoReturn

import orjson
import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]

_SIGPIPE_STATUS = 128 + 13
"""The status of a program that SIGPIPE ended."""
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, and the characters that change the writing direction."""
_JSON = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_UNLIMITED = 100_000
"""The width of a pipe or a file, where nothing is cut off or wrapped."""


def print_table(
    rows: Iterable[Mapping[str, Any]], *, json: bool, columns: Sequence[str] | None = None, empty: str = ""
) -> None:
    """Print rows as a table with these columns (all by default), or `empty` if there are none; as JSON, one line each."""
    if json:
        print_json(*rows)
        return
    rows = list(rows)
    if not rows:
        print_line(empty)
        return
    from rich.table import Table
    from rich.text import Text

    names = columns or list(rows[0])
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        numeric = all(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in rows)
        grid.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(format_value(row[name])) for name in names))
    print_rich(grid)


def print_result(sentence: str, *, json: bool, **fields: Any) -> None:
    """Print what was done: the sentence, or an object with these fields."""
    if json:
        print_json(fields)
    else:
        print_line(sentence)


def print_json(*rows: Mapping[str, Any]) -> None:
    for row in rows:
        write(to_json(row))


def to_json(row: Mapping[str, Any]) -> str:
    """One line of JSON, with its newline. Readers that split lines as Unicode does see one line too."""
    text = orjson.dumps(dict(row), default=_to_plain, option=_JSON).decode()
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def print_line(sentence: str) -> None:
    """Print a line for people, or nothing if it is empty."""
    if sentence:
        write(f"{escape(sentence)}\n")


def print_rich(renderable: Any) -> None:
    """Print a table or text of rich, colored on a terminal."""
    write(render(renderable))


def render(renderable: Any) -> str:
    """The same as a string, with its newline."""
    from rich.console import Console
    from rich.text import Text

    width = None if sys.stdout.isatty() else _UNLIMITED
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=width)
    with console.capture() as captured:
        # The terminal wraps text, so that it can be copied as one line.
        console.print(renderable, soft_wrap=isinstance(renderable, Text))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def format_value(value: Any) -> str:
    """A value for people, on one line."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone().isoformat(" ", "milliseconds")
        case _:
            return escape(str(value))


def escape(sentence: str) -> str:
    """Write control characters as escapes."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), sentence)


def exit_on_closed_pipe() -> NoReturn:
    """End the command because its output is not read."""
    # Python flushes its buffer at exit, which must not fail then.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(_SIGPIPE_STATUS)


def write(text: str) -> None:
    """Write text to standard output as it is."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        exit_on_closed_pipe()


def _to_plain(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else str(value)
