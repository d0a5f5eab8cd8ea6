"""The fed tables held against the log: every write that went past the triggers, and the log made whole again.

Invariant: each part is one statement, so one snapshot of table and log: what is written meanwhile is never a finding. Memory is
that of a part, however large the table is.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, LiteralString, NamedTuple

from db.changelog import Connection
from db.sqlfiles import sql

_LOG = "SELECT * FROM feed.verify_log(%s::text::regclass, %s, %s)"
_ROWS = "SELECT * FROM feed.verify_rows(%s::text::regclass, %s::text::xid8, %s::text[], %s)"
_REPAIR = "SELECT feed.repair(%s::text::regclass, %s::text[])"


class Fed(NamedTuple):
    """A fed table, by its name as SQL writes it and by the one that the log has for it."""

    name: str
    logged_as: str
    since: str
    """The transaction from which on its writes must be in the log."""
    faults: list[str]
    """What of its triggers is not as it should be."""
    rows: int
    """About how many it has."""


class Finding(NamedTuple):
    """One row that the table and the log do not agree on, by its key; `seq` is the newest row of the log of it.

    `what`: ``changed``; ``gone`` of the table; ``back`` in the table after a deletion; ``unlogged``, the log knows nothing of it;
    ``hole``, the versions between `logged` and `found` are not in the log.
    """

    what: str
    key: str
    seq: int | None
    logged: int | None
    found: int | None
    columns: list[str] | None

    @property
    def curable(self) -> bool:
        """Whether a repair makes the log whole; what was overwritten since cannot be known."""
        return self.what != "hole"


class Part(NamedTuple):
    """What one part came to: rows that were read, `of` the log or the table, and how many of these are older than the log."""

    of: Literal["log", "rows"]
    findings: list[Finding]
    read: int
    older: int


async def tables(conn: Connection) -> list[Fed]:
    """The fed tables."""
    return [Fed._make(row) for row in await (await conn.execute(sql("queries/verify_tables"))).fetchall()]


async def verify(conn: Connection, table: Fed, *, part: int) -> AsyncIterator[Part]:
    """Hold the log against a table, then the table against the log, in parts of so many keys."""
    after: Any = None
    while True:
        findings, (_, _, _, _, _, _, after, read) = _apart(await _rows(conn, _LOG, (table.name, after, part)))
        yield Part("log", findings, read, 0)
        if after is None:
            break
    while True:
        findings, (_, _, _, _, older, _, after, read) = _apart(
            await _rows(conn, _ROWS, (table.name, table.since, after, part))
        )
        yield Part("rows", findings, read, older)
        if after is None:
            break


def _apart(rows: list[tuple[Any, ...]]) -> tuple[list[Finding], tuple[Any, ...]]:
    """The findings, and the row that says how far this part came."""
    (end,) = (row for row in rows if row[0] is None)
    return [Finding._make(row[:6]) for row in rows if row[0] is not None], end


async def repair(conn: Connection, table: Fed, keys: Sequence[str]) -> int:
    """Log how these rows are now; how many rows of the log that took."""
    ((written,),) = await _rows(conn, _REPAIR, (table.name, list(keys)))
    return int(written)


async def _rows(conn: Connection, statement: LiteralString, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
    return await (await conn.execute(statement, parameters)).fetchall()
