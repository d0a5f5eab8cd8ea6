"""A change of the log as one line: time, author, fields (old → new), position in its transaction, source.

Invariant: one change is one line, whatever it contains.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.text import Text

from cli.output import escape, format_value, render, to_json

_COLORS = {
    "insert": "green",
    "enter": "green",
    "update": "yellow",
    "delete": "red",
    "leave": "red",
    "truncate": "bold red",
    "reload": "bold red",
}


def format_change(change: Mapping[str, Any], *, json: bool) -> str:
    """The line, with its newline."""
    return to_json(change) if json else render(_line(change))


def _line(change: Mapping[str, Any]) -> Text:
    fields = {name: "" if value is None else escape(str(value)) for name, value in change.items()}
    line = Text()
    line.append(f"{format_value(datetime.fromisoformat(fields['at']))}  ", "cyan")
    line.append(f"{fields['seq']}  ", "dim")
    line.append(f"{fields['actor']}  ", "bold")
    line.append(fields["op"], _COLORS.get(fields["op"], ""))
    line.append(f" {fields['relation']}")
    if fields["title"]:
        line.append(f" “{fields['title']}”", "bold")
    line.append(f" {fields['key']}", "dim")
    if fields["changes"]:
        line.append(f"  {fields['changes']}")
    board = f"board {fields['board']}" if fields["board"] else ""
    application = fields["application"] if fields["application"] != fields["source"] else ""
    context = [board, fields["step"], fields["source"], application, fields["client_addr"], fields["origin"]]
    line.append(f"  ({', '.join(part for part in context if part)})", "dim")
    return line
