"""The query of `boardcast log`: the options of the command, checked against the database."""

from datetime import datetime
from typing import NamedTuple

import typer

from cli.failures import PROBLEMS, USAGE, FailureError
from cli.times import parse_time
from db.changelog import entries
from db.changelog.entries import Filters
from db.changelog.positions import read_proof
from db.connection import PsycopgConnection
from feed.wire.cursor import Cursor

DEFAULT_LIMIT = 50
_NO_END = 2**63 - 1
_SOURCES = {"api", "psql", "migration", "job", "import", "app", "cascade", "unknown"}


class LogOptions(NamedTuple):
    """The options as they were given."""

    board: str | None
    opportunity: str | None
    actor: str | None
    table: str | None
    origin: str | None
    since: datetime | int | Cursor | None
    until: datetime | int | None
    limit: int | None
    json: bool


class LogQuery(NamedTuple):
    """The rows to show. `since` is a seq or a cursor, `until` the seq that ends them, and `limit` None for all."""

    filters: Filters
    since: int | Cursor
    until: int
    limit: int | None
    json: bool


async def parse(conn: PsycopgConnection, options: LogOptions) -> LogQuery:
    """Make a query of the options. Raises FailureError for a board, a row, a table or a cursor that the log cannot have."""
    found = await entries.look_up(conn, board=options.board, opportunity=options.opportunity, table=options.table)
    if not found.board:
        raise FailureError(USAGE, f"unknown board {options.board!r}: no such board exists or is in the log")
    if not found.opportunity:
        message = f"unknown opportunity {options.opportunity!r}: no such opportunity exists or is in the log"
        raise FailureError(USAGE, message)
    if options.table is not None and found.fed is None:
        if found.there:
            message = f"table {options.table!r} is not attached: run boardcast attach {options.table}"
        else:
            message = f"unknown table {options.table!r}: no such table exists or is in the log"
        raise FailureError(USAGE, message)
    if isinstance(options.since, Cursor):
        await _require_valid(conn, options.since)
    is_source = options.origin in _SOURCES
    filters = {
        "table": "opportunities" if options.opportunity is not None else found.fed,
        "key": options.opportunity,
        "board": options.board,
        "actor": options.actor,
        "source": options.origin if is_source else None,
        "origin": None if is_source else options.origin,
    }
    limit = DEFAULT_LIMIT if options.limit is None and options.since is None else options.limit
    until = await _seq(conn, options.until, _NO_END)
    since = options.since if isinstance(options.since, Cursor) else await _seq(conn, options.since, 0)
    return LogQuery(filters, since, until, limit, options.json)


def parse_since(text: str | None) -> datetime | int | Cursor | None:
    if text is None:
        return None
    try:
        return Cursor.parse(text)
    except ValueError:
        return _time_or_seq(
            text, "--since must be an age such as '10 min', a time such as 2027-01-31T12:00, a seq, or a cursor"
        )


def parse_until(text: str | None) -> datetime | int | None:
    if text is None:
        return None
    return _time_or_seq(text, "--until must be an age such as '10 min', a time such as 2027-01-31T12:00, or a seq")


def _time_or_seq(text: str, message: str) -> datetime | int:
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    try:
        return parse_time(text, zone=None)
    except typer.BadParameter:
        raise FailureError(USAGE, message) from None


async def _seq(conn: PsycopgConnection, when: datetime | int | None, default: int) -> int:
    if when is None:
        return default
    return await entries.first_seq_since(conn, when) if isinstance(when, datetime) else when


async def _require_valid(conn: PsycopgConnection, cursor: Cursor) -> None:
    fault = cursor.fault(await read_proof(conn, cursor.anchor))
    if fault is not None:
        message = f"cannot resume from this cursor ({fault}): run boardcast explain {cursor} for the reason"
        raise FailureError(PROBLEMS, message)
