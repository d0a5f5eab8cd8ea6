"""How long the log is kept, and forgetting it by hand."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.connect import WORK_TIMEOUT, on_database
from cli.failures import DATABASE, FailureError
from cli.moments import moment, seconds
from cli.output import Json, line, told
from db import retention
from db.changelog import Connection
from db.retention import Dropped

_TRIES = 20
_AGAIN = 0.5
"""Seconds between them, for a log that is in use."""

OlderThan = Annotated[str, typer.Option(metavar="TIME", help="An age such as 30d, a date, or a time in UTC.")]
Age = Annotated[str, typer.Argument(metavar="TIME", help="An age such as 90d.")]


def prune(older_than: OlderThan, *, json: Json = False) -> None:
    """Forget the old log.

    A partition is dropped when nothing in it is newer. A client that was away for longer takes a new snapshot.
    """
    before = moment(older_than)
    any_dropped = False
    while (
        dropped := on_database(lambda conn: _patiently(conn, before), read_timeout=WORK_TIMEOUT)
    ).partition is not None:
        any_dropped = True
        sentence = f"{dropped.partition} dropped: {dropped.rows} rows forgotten"
        told(sentence, json=json, partition=dropped.partition, rows=dropped.rows)
    if not any_dropped and not json:
        line("nothing is that old")


def retain(age: Age, *, json: Json = False) -> None:
    """Keep the log for so long from now on.

    Services drop what is older, within minutes.
    """
    kept = timedelta(seconds=seconds(age))
    on_database(lambda conn: retention.retain(conn, kept))
    told("", json=json, retention=kept)


async def _patiently(conn: Connection, before: datetime) -> Dropped:
    for _ in range(_TRIES):
        dropped = await retention.prune(conn, before)
        if dropped.partition is not None or dropped.rows is None:
            return dropped
        await asyncio.sleep(_AGAIN)
    raise FailureError(
        DATABASE, "the log is in use: somebody reads it, or has written to it and not ended yet. Try again later"
    )
