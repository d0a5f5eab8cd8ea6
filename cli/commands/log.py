"""The log of changes.

Invariant: a query that cannot match is rejected before anything is printed.
"""

from typing import Annotated

import typer

from cli.connect import WORK_TIMEOUT, read_settings, with_connection
from cli.failures import USAGE, FailureError
from cli.formatting import format_change
from cli.log_query import DEFAULT_LIMIT, LogOptions, LogQuery, parse, parse_since, parse_until
from cli.output import Json, write
from db.changelog import entries
from db.changelog.entries import Entry
from db.connection import PsycopgConnection
from feed.wire.cursor import Cursor

_CHUNK = 1000

_Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Then print new changes as they are committed, until Ctrl-C.")
]
_Board = Annotated[str | None, typer.Option(metavar="ID", help="Only changes of this board.")]
_Opportunity = Annotated[
    str | None, typer.Option(metavar="ID", help="Only changes of this opportunity, which may be deleted.")
]
_Actor = Annotated[str | None, typer.Option(metavar="USER", help="Only changes by this user.")]
_Table = Annotated[str | None, typer.Option(metavar="TABLE", help="Only changes of this table, written as in SQL.")]
_Origin = Annotated[
    str | None,
    typer.Option(
        metavar="ORIGIN",
        help="Only changes from this source: api, psql, migration, job, import, app, cascade; or a request or mutation id.",
    ),
]
_Since = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Start here: '10 min' ago, a time, yesterday, a sequence number, or a cursor for all changes that it lacks.",
    ),
]
_Until = Annotated[
    str | None, typer.Option(metavar="WHEN", help="End before this: an age, a time, today, or a sequence number.")
]
_Limit = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, help=f"Only the newest N changes: {DEFAULT_LIMIT} by default, or all of them with --since."
    ),
]


def log(
    follow: _Follow = False,
    board: _Board = None,
    opportunity: _Opportunity = None,
    actor: _Actor = None,
    table: _Table = None,
    origin: _Origin = None,
    since: _Since = None,
    until: _Until = None,
    limit: _Limit = None,
    *,
    json: Json = False,
) -> None:
    """Show the log of changes.

    One line per change: time, sequence number, actor, fields (old → new), position in its transaction, source.
    """
    if follow and until is not None:
        raise FailureError(USAGE, "--follow has no end: leave out --until")
    if opportunity is not None and table not in {None, "opportunities"}:
        raise FailureError(USAGE, "--opportunity implies the table opportunities: leave out --table")
    options = LogOptions(board, opportunity, actor, table, origin, parse_since(since), parse_until(until), limit, json)
    if follow:
        from cli.follow import run

        run(read_settings(), options)
    else:
        with_connection(lambda conn: _print(conn, options), read_timeout=WORK_TIMEOUT)


async def _print(conn: PsycopgConnection, options: LogOptions) -> None:
    query = await parse(conn, options)
    if isinstance(query.since, Cursor):
        await _print_unseen(conn, query, query.since)
        return
    first, last = await entries.seq_bounds(conn)
    low, high = max(query.since, first), min(query.until, last)
    if query.limit is not None:
        for line in await entries.newest(conn, query.filters, low=low, high=high, limit=query.limit):
            write(format_change(line, json=query.json))
        return
    async for line in entries.in_range(conn, query.filters, low=low, high=high):
        write(format_change(line, json=query.json))


async def _print_unseen(conn: PsycopgConnection, query: LogQuery, cursor: Cursor) -> None:
    """Print the changes that a cursor lacks, in the order in which a client would receive them."""
    seqs = [seq async for seq in entries.unseen(conn, cursor.seen) if seq < query.until]
    newest: list[Entry] = []
    for start in range(0, len(seqs), _CHUNK):
        lines = await entries.by_seq(conn, query.filters, seqs[start : start + _CHUNK])
        if query.limit is not None:
            newest = (newest + lines)[-query.limit :]
            continue
        for line in lines:
            write(format_change(line, json=query.json))
    for line in newest:
        write(format_change(line, json=query.json))
