"""The services that run, as they say it themselves in feed.instances, and when each has told what, in feed.sweeps.

Invariant: each writes its own rows only, in one statement each time, and takes away those that have long been silent: a killed
instance is seen for a while, as one that says nothing, and then forgotten. Times are said as ages: the database's clock counts.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psycopg.types.json import Jsonb

from db.changelog import Connection
from db.sqlfiles import sql


class Ack(NamedTuple):
    """A cursor that clients have shown; `oldest` and `newest` are seconds since the first and the last of them did."""

    cursor: str
    clients: int
    oldest: float
    newest: float


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
    acks: Sequence[Ack] = ()
    replica: str | None = None


class Told(NamedTuple):
    """A row of feed.sweeps; `read` and `told` are seconds since then."""

    read: float
    told: float
    since: str
    cursor: str
    sweeps: int
    events: int
    deliveries: int
    clients: int
    late: int
    boards: Mapping[str, int] | None


async def beat(conn: Connection, word: Word, told: Sequence[Told] = ()) -> None:
    """Say all this."""
    said = word._asdict() | {
        "acks": Jsonb([ack._asdict() for ack in word.acks]),
        "told": Jsonb([row._asdict() for row in told]),
    }
    await conn.execute(sql("queries/instance_beat"), said)


async def leave(conn: Connection, instance: str) -> None:
    await conn.execute(sql("queries/instance_leave"), {"instance": instance})
