from typing import Annotated

import typer

from cli.connect import WORK_TIMEOUT, fetch_rows, fetch_value
from cli.output import Json, print_result
from db.sqlfiles import sql

_Table = Annotated[
    str, typer.Argument(metavar="TABLE", help="The table, written as in SQL: tasks, crm.tasks, '\"Tasks\"'.")
]
_Key = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMNS", help="The columns that identify a row, separated by commas. Default: the primary key."
    ),
]
_Board = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The column with the id of the board whose members get the changes."),
]
_Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", metavar="COLUMN", help="A column to keep out of the log, such as password_hash. Can be repeated."
    ),
]


def attach(
    table: _Table, key: _Key = None, board: _Board = None, excluded: _Exclude = None, *, json: Json = False
) -> None:
    """Attach a table to the feed.

    From then on, every change of its rows is logged and delivered. Attaching it again replaces the options.
    """
    columns = [name for given in excluded or [] for name in given.split(",")]
    fetch_value(
        sql("queries/attach"),
        {"table": table, "key": key, "board": board, "excluded": columns},
        read_timeout=WORK_TIMEOUT,
    )
    (attached,) = fetch_rows(sql("queries/attached_table"), {"table": table})
    parts = [
        f"attached {attached['table']}",
        f"key: {', '.join(attached['key'])}",
        f"board: {attached['board']}" if attached["board"] else "no board: only the log and LISTEN get its changes",
    ]
    if attached["excluded"]:
        parts.append(f"not logged: {', '.join(attached['excluded'])}")
    print_result("; ".join(parts), json=json, **attached)
