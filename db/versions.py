"""The versions of opportunities, from the view `opportunity_versions`. They outlive a deletion."""

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from db.sqlfiles import sql

_LARGEST = 2**31 - 2


class Version(NamedTuple):
    number: int
    board_id: str | None
    """The board that it was on."""
    data: str
    """The opportunity in this version, as JSON."""
    body: str
    """The whole row of the view, as JSON."""
    stored: str | None
    """The row in this version under the names that the table has now, as JSON; None if it is `data`."""

    @property
    def row(self) -> str:
        return self.stored or self.data


async def page(
    conn: AsyncConnection, opportunity_id: str, user_id: str, *, before: int | None, limit: int
) -> list[Version]:
    """The newest versions below `before`, of those that the opportunity had on boards which this user may see."""
    rows = await conn.exec_driver_sql(
        sql("queries/versions"), {"id": opportunity_id, "user": user_id, "before": before, "limit": limit}
    )
    return [Version._make(row) for row in rows]


async def get(conn: AsyncConnection, opportunity_id: str, user_id: str, number: int) -> Version | None:
    """Read one version."""
    if not 0 < number <= _LARGEST:
        return None
    found = await page(conn, opportunity_id, user_id, before=number + 1, limit=1)
    return found[0] if found and found[0].number == number else None
