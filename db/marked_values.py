"""Values that JSON cannot hold, as the image of a row has them: by their text, or not at all. See feed.value_image."""

from collections.abc import Container, Mapping
from typing import LiteralString, NamedTuple

from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from db import sqlfiles
from db.engine import driver
from db.opportunity_table import OpportunityTable, column


class MarkedValues(NamedTuple):
    """By column: its type, and the text; None if the image does not have the value."""

    texts: Mapping[str, tuple[LiteralString, str | None]] = {}

    def omits(self, name: str, replacement: Container[str]) -> bool:
        """Whether the image does not have the column's value, and nothing replaces it."""
        return name in self.texts and self.texts[name][1] is None and name not in replacement

    def value(self, name: str, replacement: Container[str]) -> sql.Composable:
        """The column's value in a statement that reads the rest of the image as `new`."""
        if name not in self.texts or name in replacement:
            return column("new", name)
        type_, _ = self.texts[name]
        text = sql.Placeholder(f"text{list(self.texts).index(name)}")
        return sql.SQL("CAST({} AS text)::{}").format(text, sql.SQL(type_.replace("%", "%%")))

    def arguments(self) -> dict[str, object]:
        texts = {f"text{number}": text for number, (_, text) in enumerate(self.texts.values())}
        return {"marked": list(self.texts), **texts}


async def read_marked(conn: AsyncConnection, table: OpportunityTable, image: str) -> MarkedValues:
    parameters = {"data": image, "table": table.name}
    found = await (await driver(conn)).execute(sqlfiles.sql("queries/marked_values"), parameters)
    return MarkedValues({name: (type_, text) for name, type_, text in await found.fetchall()})
