from datetime import timedelta
from typing import Annotated

import typer

from cli.connect import with_connection
from cli.output import Json, print_result
from cli.times import parse_duration
from db.changelog import retention

_Age = Annotated[str, typer.Argument(metavar="TIME", help="A duration such as 90d.")]


def retain(age: _Age, *, json: Json = False) -> None:
    """Set the retention period of the log.

    The services drop older partitions within minutes.
    """
    kept = timedelta(seconds=parse_duration(age))
    with_connection(lambda conn: retention.set_retention(conn, kept))
    print_result("", json=json, retention=kept)
