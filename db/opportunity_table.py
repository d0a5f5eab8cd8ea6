"""The table of the opportunities, as the application has it now: its name, and its columns.

Invariant: nothing here assumes a column. The application may rename or drop any of them while the services run.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from db import sqlfiles


class MissingTableError(Exception):
    """There is no table of the opportunities, or it has no key."""


class MissingColumnsError(Exception):
    """The table lacks columns that are to be written."""


class OpportunityTable(NamedTuple):
    """`columns` are those that can be written, each with whether it holds any text. `board` is None if there is no such column.

    `complete`: the JSON of a row has the id, board, version, and names that clients expect. `fields`: the column of each field of
    a card, such as ``{"phase": "stage"}``; see feed.field_columns.
    """

    name: str
    key: str
    board: str | None
    complete: bool
    fields: Mapping[str, str]
    columns: Mapping[str, bool]

    @property
    def identifier(self) -> sql.SQL:
        """The name, which PostgreSQL has quoted."""
        return sql.SQL(self.name.replace("%", "%%"))

    @property
    def on_board(self) -> sql.Composable:
        """The condition that a row is on the board of the parameter `board`."""
        if self.board is None:
            return sql.SQL("%(board)s::text IS NOT NULL")
        return sql.SQL("to_jsonb({}) #>> '{{}}' = %(board)s").format(column("o", self.board))

    def columns_for(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of these fields of the API, with their values. Raises MissingColumnsError."""
        # A table whose positions are numbers has an order of its own.
        missing = [name for name in fields if name != "position" and not self.has(name)]
        if missing:
            raise MissingColumnsError(
                f"The table {self.name} has no column {', '.join(missing)} that can be written. "
                "Leave the field out, or ask the administrator to add the column."
            )
        return self.stored(
            {
                name: value
                for name, value in fields.items()
                if name != "position" or self.columns.get(self.fields.get(name, "")) is True
            }
        )

    def has(self, field: str) -> bool:
        """Whether a column that can be written holds the field."""
        return self.fields.get(field) in self.columns

    def stored(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The values of fields under the names of their columns."""
        return {self.fields.get(name, name): value for name, value in fields.items()}


async def read_table(conn: AsyncConnection) -> OpportunityTable:
    """Raises MissingTableError."""
    row = (await conn.exec_driver_sql(sqlfiles.sql("queries/opportunity_table"))).one_or_none()
    if row is None:
        raise MissingTableError("the table of the opportunities is missing: run `boardcast doctor`")
    return OpportunityTable._make(row)


def column(*name: str) -> sql.Identifier:
    """A column in a statement with parameters, in which a percent sign in a name would begin a placeholder."""
    return sql.Identifier(*(part.replace("%", "%%") for part in name))


def comma(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
