import asyncio
from datetime import datetime
from typing import Annotated

import typer

from cli.connect import WORK_TIMEOUT, with_connection
from cli.failures import DATABASE, FailureError
from cli.output import Json, print_line, print_result
from cli.times import parse_time
from db.changelog import retention
from db.changelog.retention import Dropped
from db.connection import PsycopgConnection

_ATTEMPTS = 20
_RETRY_INTERVAL = 0.5

_OlderThan = Annotated[str, typer.Option(metavar="TIME", help="An age such as 30d, a date, or a time in UTC.")]


def prune(older_than: _OlderThan, *, json: Json = False) -> None:
    """Delete old log entries.

    Drops each partition in which every change is older. Clients that were away for longer take a new snapshot.
    """
    before = parse_time(older_than)
    any_dropped = False
    while (dropped := with_connection(lambda conn: _prune(conn, before), read_timeout=WORK_TIMEOUT)).partition:
        any_dropped = True
        sentence = f"dropped {dropped.partition} with {dropped.rows} changes"
        print_result(sentence, json=json, partition=dropped.partition, rows=dropped.rows)
    if not any_dropped and not json:
        print_line("nothing to drop: no partition is that old")


async def _prune(conn: PsycopgConnection, before: datetime) -> Dropped:
    """Drop one partition; try again while the log is in use."""
    for _ in range(_ATTEMPTS):
        dropped = await retention.prune(conn, before)
        if dropped.partition is not None or dropped.rows is None:
            return dropped
        await asyncio.sleep(_RETRY_INTERVAL)
    raise FailureError(
        DATABASE, "the log is in use, by a reader or by an open transaction that wrote to it: try again later"
    )
