"""The services that run, as they say it themselves in feed.instances.

Invariant: each writes its own row only, and takes away those that have long been silent: a killed instance is seen for a while,
as one that says nothing, and then forgotten.
"""

from typing import NamedTuple

from db.changelog import Connection
from db.sqlfiles import sql


class Word(NamedTuple):
    """What an instance says of itself; `running` and `idle` in seconds: since its start, and since it last read the log."""

    instance: str
    service: str
    running: float
    idle: float | None
    sweeps: int
    cursor: str
    anchor: int
    connections: int
    listens: bool
    ready: bool
    tailer_pid: int | None
    listener_pid: int | None


async def beat(conn: Connection, word: Word) -> None:
    await conn.execute(sql("queries/instance_beat"), word._asdict())


async def leave(conn: Connection, instance: str) -> None:
    await conn.execute(sql("queries/instance_leave"), {"instance": instance})
