"""NOTIFY, on a channel that is named at run time."""

from db.connection import PsycopgConnection
from db.sqlfiles import sql


async def notify(conn: PsycopgConnection, channel: str) -> None:
    """Wake everyone who LISTENs on a channel."""
    await conn.execute(sql("queries/notify"), {"channel": channel})
