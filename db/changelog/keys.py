"""What happened to the row of a key."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from db.sqlfiles import sql


async def was_opportunity(conn: AsyncConnection, opportunity_id: str) -> bool:
    """Whether there was ever an opportunity of this id. Its history keeps the id after a deletion."""
    found = await conn.exec_driver_sql(sql("queries/opportunity_logged"), {"id": opportunity_id})
    return bool(found.scalar_one())


async def next_version_after_delete(conn: AsyncConnection, opportunity_id: str) -> dict[str, Any]:
    """The version columns that a deleted opportunity continues with."""
    found = await conn.exec_driver_sql(sql("queries/next_version_after_delete"), {"id": opportunity_id})
    return dict(found.mappings().one())
