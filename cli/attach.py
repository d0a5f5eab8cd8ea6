"""The feed put on a table, and taken off."""

from typing import Annotated

import typer

from cli.connect import ask

Table = Annotated[str, typer.Argument(help="As SQL writes it: tasks, crm.tasks, '\"Tasks\"'.")]
Key = Annotated[str | None, typer.Option(help="Columns that tell rows apart, with commas; else the primary key.")]
Board = Annotated[str | None, typer.Option(help="The column with the board whose members are told.")]


def attach(table: Table, key: Key = None, board: Board = None) -> None:
    """Put the feed on a table."""
    ask("SELECT feed.attach(%s::text::regclass, key => %s, board => %s)::text", (table, key, board))


def detach(table: Table) -> None:
    """Take the feed off a table; what was logged stays."""
    ask("SELECT feed.detach(%s::text::regclass)::text", (table,))
