from typing import Annotated

import typer

from cli.connect import WORK_TIMEOUT, fetch_value
from cli.output import Json, print_result
from db.sqlfiles import sql

_Table = Annotated[
    str, typer.Argument(metavar="TABLE", help="The table, written as in SQL: tasks, crm.tasks, '\"Tasks\"'.")
]


def detach(table: _Table, *, json: Json = False) -> None:
    """Detach a table from the feed. Its logged changes stay in the log."""
    name = fetch_value(sql("queries/detach"), {"table": table}, read_timeout=WORK_TIMEOUT)
    print_result(f"detached {name}; its logged changes stay in the log", json=json, table=name)
