"""The log of changes on the command line: what was written, by whom, from what to what.

Invariant: what is asked for and cannot be is said before anything is printed; what is printed is all there is of it.
"""

from datetime import datetime
from typing import Annotated, NamedTuple

import typer

from cli import changeline
from cli.connect import WORK_TIMEOUT, on_database, read_settings
from cli.failures import FOUND, USAGE, FailureError
from cli.moments import moment
from cli.output import Json, put
from db import changelog, loglines
from db.changelog import Connection
from db.loglines import Filters, Line
from feed.wire.cursor import Cursor

LIMIT = 50
_ALL = 2**31 - 1
_SOURCES = {"api", "psql", "migration", "job", "import", "app", "cascade", "unknown"}

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written from now on, until Ctrl-C.")]
Board = Annotated[str | None, typer.Option(help="Of this board.")]
Opportunity = Annotated[str | None, typer.Option(help="Of this opportunity, also of a deleted one.")]
Actor = Annotated[str | None, typer.Option(help="By this user.")]
Table = Annotated[str | None, typer.Option(help="Of this table, as SQL writes it.")]
Origin = Annotated[
    str | None,
    typer.Option(
        help="By what it was made: api, psql, migration, job, import, app or cascade; or the id of a request or a mutation."
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN", help="From then on: '10 min', a time, yesterday, a change's number, or all that a cursor lacks."
    ),
]
Until = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Up to then: an age, a time, today, or a change's number.")
]
Limit = Annotated[
    int | None, typer.Option(min=1, help=f"The newest so many. {LIMIT}, but all there are where --since is given.")
]


class Asked(NamedTuple):
    """What is to be shown. `since` is a number or a cursor; `limit` None: all."""

    filters: Filters
    since: int | Cursor
    until: int
    limit: int | None
    json: bool


class Words(NamedTuple):
    """The same as it was said."""

    board: str | None
    opportunity: str | None
    actor: str | None
    table: str | None
    origin: str | None
    since: datetime | int | Cursor | None
    until: datetime | int | None
    limit: int | None
    json: bool


def log(
    follow: Follow = False,
    board: Board = None,
    opportunity: Opportunity = None,
    actor: Actor = None,
    table: Table = None,
    origin: Origin = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    *,
    json: Json = False,
) -> None:
    """Show the log of changes.

    A line for each: when, its number, who, what from what to what, which change of its transaction, from where.
    """
    if follow and until is not None:
        raise FailureError(USAGE, "--follow has no end: leave out --until")
    if opportunity is not None and table not in {None, "opportunities"}:
        raise FailureError(USAGE, "--opportunity is of the table opportunities: leave out --table")
    end = None if until is None else _end(until)
    words = Words(board, opportunity, actor, table, origin, _beginning(since), end, limit, json)
    if follow:
        from cli.follow import run

        run(read_settings(), words)
    else:
        on_database(lambda conn: _print(conn, words), read_timeout=WORK_TIMEOUT)


async def understood(conn: Connection, words: Words) -> Asked:
    """What was asked for in terms of the log. Raises FailureError for what cannot be there."""
    found = await loglines.known(conn, board=words.board, opportunity=words.opportunity, table=words.table)
    if not found.board:
        raise FailureError(USAGE, f"there is no board {words.board!r}, and there was none")
    if not found.opportunity:
        raise FailureError(USAGE, f"there is no opportunity {words.opportunity!r}, and there was none")
    if words.table is not None and found.fed is None:
        wrong = f"the table {words.table!r} is not fed: boardcast attach {words.table}"
        raise FailureError(USAGE, wrong if found.there else f"there is no table {words.table!r}, and none was fed")
    if isinstance(words.since, Cursor):
        await _require(conn, words.since)
    by_source = words.origin in _SOURCES
    filters = {
        "table": "opportunities" if words.opportunity is not None else found.fed,
        "key": words.opportunity,
        "board": words.board,
        "actor": words.actor,
        "source": words.origin if by_source else None,
        "origin": None if by_source else words.origin,
    }
    limit = LIMIT if words.limit is None and words.since is None else words.limit
    until = await _number(conn, words.until, _ALL**2)
    since = words.since if isinstance(words.since, Cursor) else await _number(conn, words.since, 0)
    return Asked(filters, since, until, limit, words.json)


async def _print(conn: Connection, words: Words) -> None:
    asked = await understood(conn, words)
    if isinstance(asked.since, Cursor):
        await _print_unseen(conn, asked, asked.since)
        return
    first, last = await loglines.ends(conn)
    low, high = max(asked.since, first), min(asked.until, last)
    if asked.limit is not None:
        for line in await loglines.newest(conn, asked.filters, low=low, high=high, limit=asked.limit):
            put(changeline.shown(line, json=asked.json))
        return
    async for line in loglines.stretch(conn, asked.filters, low=low, high=high):
        put(changeline.shown(line, json=asked.json))


async def _print_unseen(conn: Connection, asked: Asked, cursor: Cursor) -> None:
    """In the order in which a client would be told."""
    seqs = [
        change.seq
        async for part in changelog.read(conn, cursor.seen, threshold=_ALL, chunk=1000)
        for change in part.changes
        if change.seq < asked.until
    ]
    lines: list[Line] = []
    for start in range(0, len(seqs), 1000):
        found = await loglines.named(conn, asked.filters, seqs[start : start + 1000])
        if asked.limit is not None:
            lines = (lines + found)[-asked.limit :]
            continue
        for line in found:
            put(changeline.shown(line, json=asked.json))
    for line in lines:
        put(changeline.shown(line, json=asked.json))


async def _require(conn: Connection, cursor: Cursor) -> None:
    fault = cursor.fault(await changelog.proof(conn, cursor.anchor))
    if fault is not None:
        text = f"this cursor cannot be gone on from ({fault}): boardcast explain {cursor} says why"
        raise FailureError(FOUND, text)


async def _number(conn: Connection, when: datetime | int | None, otherwise: int) -> int:
    return await loglines.since(conn, when) if isinstance(when, datetime) else otherwise if when is None else when


def _beginning(text: str | None) -> datetime | int | Cursor | None:
    if text is None:
        return None
    try:
        return Cursor.parse(text)
    except ValueError:
        pass
    return _when(
        text, "--since must be an age such as '10 min', a time such as 2027-01-31T12:00, a change's number or a cursor"
    )


def _end(text: str) -> datetime | int:
    return _when(text, "--until must be an age such as '10 min', a time such as 2027-01-31T12:00, or a change's number")


def _when(text: str, wrong: str) -> datetime | int:
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    try:
        return moment(text, zone=None)
    except typer.BadParameter:
        raise FailureError(USAGE, wrong) from None
