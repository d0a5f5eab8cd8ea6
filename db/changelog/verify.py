"""Logged tables compared with the log: every write that bypassed the triggers, and the repair of the log.

Invariant: each part is one statement, with one snapshot of table and log, so a concurrent write is never a finding. The memory
in use is that of one part, however large the table is.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, NamedTuple

from db.connection import PsycopgConnection, Row
from db.sqlfiles import sql


class FedTable(NamedTuple):
    """A logged table: its name in SQL, and its name in the log."""

    name: str
    logged_as: str
    since: str
    """The first transaction whose writes must be in the log."""
    faults: list[str]
    """What is wrong with the table or its triggers."""
    fixes: list[str]
    """Commands that mend this."""
    comparable: bool
    """Whether the log is about this table: it was neither dropped nor renamed, and no other table has taken its name."""
    rows: int
    """About how many it has."""


class Finding(NamedTuple):
    """A row on which the table and the log disagree, by its key. `seq` is its newest row in the log.

    `what`: ``changed``; ``gone`` from the table; ``back`` in the table after a deletion; ``unlogged``, not in the log at all;
    ``uncertain``, not in the log and written since the log began, but perhaps without a change; ``hole``, something between the row
    `seq` of the log and the one before it is not in the log; ``damaged``, this row contradicts itself, or the order of the log, in
    these `columns`. `logged` and `found` are versions.
    """

    what: str
    key: str
    seq: int | None
    logged: int | None
    found: int | None
    columns: list[str] | None

    @property
    def certain(self) -> bool:
        """Whether something is wrong."""
        return self.what != "uncertain"

    @property
    def repairable(self) -> bool:
        """Whether a repair can complete the log. What was overwritten since is lost, and a row of the log is never changed."""
        return self.what not in {"hole", "damaged"}


class Part(NamedTuple):
    """The result of one part: rows that were read, `of` the log or the table, and how many of these are older than the log."""

    of: Literal["log", "rows"]
    findings: list[Finding]
    read: int
    older: int


async def tables(conn: PsycopgConnection) -> list[FedTable]:
    """The logged tables."""
    return [FedTable._make(row) for row in await (await conn.execute(sql("queries/verify_tables"))).fetchall()]


async def verify(conn: PsycopgConnection, table: FedTable, *, part: int) -> AsyncIterator[Part]:
    """Compare the log with a table, then the table with the log, `part` keys at a time; nothing if they cannot be compared."""
    if not table.comparable:
        return
    after: Any = None
    while True:
        parameters = {"table": table.name, "after": after, "keys": part}
        findings, end = _split(await _rows(conn, "queries/verify_log", parameters))
        _, _, _, _, _, _, after, read = end
        yield Part("log", findings, read, 0)
        if after is None:
            break
    while True:
        parameters = {"table": table.name, "since": table.since, "after": after, "keys": part}
        findings, end = _split(await _rows(conn, "queries/verify_rows", parameters))
        _, _, _, _, older, _, after, read = end
        yield Part("rows", findings, read, older)
        if after is None:
            break


async def verify_order(conn: PsycopgConnection) -> list[Finding]:
    """What is wrong with the log as a whole: its partitions, and the order of its rows. The key names the table, too."""
    return [Finding._make(row) for row in await _rows(conn, "queries/verify_order", {})]


async def repair(conn: PsycopgConnection, table: FedTable, keys: Sequence[str]) -> int:
    """Log these rows as they are now; how many rows of the log that took."""
    ((written,),) = await _rows(conn, "queries/repair", {"table": table.name, "keys": list(keys)})
    return int(written)


def _split(rows: list[Row]) -> tuple[list[Finding], Row]:
    """The findings, and the row that says how far this part came."""
    (end,) = (row for row in rows if row[0] is None)
    return [Finding._make(row[:6]) for row in rows if row[0] is not None], end


async def _rows(conn: PsycopgConnection, query: str, parameters: dict[str, object]) -> list[Row]:
    return await (await conn.execute(sql(query), parameters)).fetchall()
