"""A change of the log in a line: when, who, what from what to what, which of its transaction, from where.

Invariant: one change is one line, whatever is in it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.text import Text

from cli.output import clean, encoded, rendered, text

_COLOURS = {
    "insert": "green",
    "enter": "green",
    "update": "yellow",
    "delete": "red",
    "leave": "red",
    "truncate": "bold red",
    "reload": "bold red",
}


def shown(change: Mapping[str, Any], *, json: bool) -> str:
    """The line, with its end."""
    return encoded(change) if json else rendered(_line(change))


def _line(change: Mapping[str, Any]) -> Text:
    told = {name: "" if value is None else clean(str(value)) for name, value in change.items()}
    line = Text()
    line.append(f"{text(datetime.fromisoformat(told['at']))}  ", "cyan")
    line.append(f"{told['seq']}  ", "dim")
    line.append(f"{told['actor']}  ", "bold")
    line.append(told["op"], _COLOURS.get(told["op"], ""))
    line.append(f" {told['relation']}")
    if told["title"]:
        line.append(f" “{told['title']}”", "bold")
    line.append(f" {told['key']}", "dim")
    if told["changes"]:
        line.append(f"  {told['changes']}")
    where = [f"board {told['board']}" if told["board"] else "", told["step"], told["source"]]
    where += [told["application"] if told["application"] != told["source"] else "", told["client_addr"], told["origin"]]
    line.append(f"  ({', '.join(part for part in where if part)})", "dim")
    return line
