"""The feed put on a table, and taken off; and what came of it, as the triggers say it."""

from typing import Annotated

import typer

from cli.connect import WORK_TIMEOUT, ask, rows
from cli.output import Json, told

Table = Annotated[str, typer.Argument(help="As SQL writes it: tasks, crm.tasks, '\"Tasks\"'.")]
Key = Annotated[str | None, typer.Option(help="Columns that tell rows apart, with commas; else the primary key.")]
Board = Annotated[str | None, typer.Option(help="The column with the board whose members are told.")]
Except = Annotated[
    list[str] | None,
    typer.Option("--except", help="A column that must not be in the log, such as password_hash. May be given again."),
]

_FED = """
SELECT DISTINCT relation::text AS table, key, board, left_out FROM feed.triggers
WHERE relation = %s::text::regclass AND function = 'capture' AND state <> 'missing'
"""


def attach(table: Table, key: Key = None, board: Board = None, left_out: Except = None, *, json: Json = False) -> None:
    """Put the feed on a table.

    From then on every change of its rows is logged and told.
    """
    columns = [name for given in left_out or [] for name in given.split(",")]
    ask(
        "SELECT feed.attach(%s::text::regclass, %s, %s, %s)::text",
        (table, key, board, columns),
        read_timeout=WORK_TIMEOUT,
    )
    (fed,) = rows(_FED, (table,))
    sentence = f"{fed['table']} is fed: rows are known by {', '.join(fed['key'])}, "
    sentence += (
        f"told to members of the board in {fed['board']}" if fed["board"] else "told to the log and LISTENers only"
    )
    told(sentence + (f"; not in the log: {', '.join(fed['left_out'])}" if fed["left_out"] else ""), json=json, **fed)


def detach(table: Table, *, json: Json = False) -> None:
    """Take the feed off a table; what was logged stays."""
    ask("SELECT feed.detach(%s::text::regclass)::text", (table,), read_timeout=WORK_TIMEOUT)
    name = ask("SELECT %s::text::regclass::text", (table,))
    told(f"{name} is not fed any more; what was logged of it stays", json=json, table=name)
