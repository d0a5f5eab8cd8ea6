"""The running services, as they report themselves in feed.instances, and what each delivered when, in feed.delivery_journal.

Invariant: an instance writes only its own rows, in one statement, and deletes those that have not been renewed for long. A killed
instance is shown as silent for a while, and then forgotten. Times are reported as ages: only the database's clock is used.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psycopg.types.json import Jsonb

from db.connection import PsycopgConnection
from db.sqlfiles import sql


class ClientPosition(NamedTuple):
    """A cursor that clients have confirmed; `oldest` and `newest` are seconds since the first and the last of them did."""

    cursor: str
    clients: int
    oldest: float
    newest: float


class InstanceStatus(NamedTuple):
    """What an instance reports; `running` and `since_read` are seconds since it started, and since it last read the log."""

    instance: str
    service: str
    running: float
    since_read: float | None
    reads: int
    cursor: str
    anchor: int
    connections: int
    listens: bool
    ready: bool
    tailer_pid: int | None
    listener_pid: int | None
    client_positions: Sequence[ClientPosition] = ()
    replica: str | None = None


class Delivery(NamedTuple):
    """A row of feed.delivery_journal: read passes and what they delivered; `read_at` and `delivered_at` are seconds since then."""

    read_at: float
    delivered_at: float
    since: str
    cursor: str
    reads: int
    events: int
    deliveries: int
    clients: int
    late: int
    boards: Mapping[str, int] | None


async def report(conn: PsycopgConnection, status: InstanceStatus, deliveries: Sequence[Delivery] = ()) -> None:
    """Write or renew the instance's row, and add its deliveries."""
    parameters = status._asdict() | {
        "client_positions": Jsonb([position._asdict() for position in status.client_positions]),
        "journal": Jsonb([delivery._asdict() for delivery in deliveries]),
    }
    await conn.execute(sql("queries/instance_report"), parameters)


async def remove(conn: PsycopgConnection, instance: str) -> None:
    """Delete the row of an instance that stops."""
    await conn.execute(sql("queries/instance_remove"), {"instance": instance})
