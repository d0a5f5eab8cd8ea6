"""The types that the parts of a chaos run share: values, and the protocols of the world and the clients.

Times are from `time.monotonic()`. This module does not import the product.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Outcome = Literal["ok", "fail", "unknown"]

EXPLAINS_NOTHING: frozenset[str] = frozenset()
"""An ordinary fault explains no loss: every client continues from its cursor."""


@dataclass(frozen=True)
class Endpoint:
    """The addresses at which clients reach a service, through its client-side proxy."""

    name: str
    feed_ws: str | None = None
    feed_sse: str | None = None
    api: str | None = None
    """The API's root; `/api/events` and `/api/sync/opportunities` are below it."""


@dataclass(frozen=True)
class Record:
    """A message that a client received, or an action of the client."""

    at: float
    client: str
    user: str
    connection: int
    endpoint: str
    transport: str
    kind: str
    body: dict[str, Any]
    cursor: str | None
    applied: bool


@dataclass
class Fault:
    """A fault that has begun; `ended` is None while it is active.

    `explains` lists the resets and losses that the fault makes legal: the reset reasons of the protocol
    ("foreign", "future", "diverged", "pruned"), "resync" for a TRUNCATE, "uncaptured" for writes while capture was off,
    "lost-tail" for transactions that were committed and then lost by a promotion.
    """

    name: str
    began: float
    ended: float | None = None
    explains: frozenset[str] = EXPLAINS_NOTHING
    detail: dict[str, Any] = field(default_factory=dict)
    skipped: str | None = None
    """Why the fault could not be injected in this environment."""


@dataclass(frozen=True)
class ServiceLog:
    """A line of a service's log; `fields` is the parsed object, empty for a line that is not JSON."""

    at: float
    service: str
    level: str
    event: str
    line: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Transaction:
    """A writer's transaction. `tag` is the `origin` of its log rows; `resolved` settles an unknown outcome at the end."""

    tag: str
    kind: str
    began: float
    ended: float | None = None
    outcome: Outcome = "unknown"
    xid: str | None = None
    via: str = "sql"
    error: str | None = None
    resolved: bool | None = None


@dataclass(frozen=True)
class Verdict:
    """A violation: `kind` is a short name, `subject` the client, service or transaction, `detail` is for people."""

    kind: str
    subject: str
    detail: str


class Journal:
    """Everything that happened in a run, append-only."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.faults: list[Fault] = []
        self.logs: list[ServiceLog] = []
        self.transactions: list[Transaction] = []

    def active(self) -> list[Fault]:
        return [fault for fault in self.faults if fault.ended is None]

    def explained(self, reason: str, *, before: float) -> bool:
        """Whether a fault that began before this time explains the reason."""
        return any(reason in fault.explains and fault.began <= before for fault in self.faults)


class World(Protocol):
    """The part of the world that clients and the checker use."""

    journal: Journal
    users: list[str]
    boards: list[str]
    seed: int
    on_discard: list[Callable[[str], None]]
    """Called in a thread with the address of an old primary after a promotion. It runs isolated, with the lost tail, and is
    discarded afterwards. The checker reads the lost transactions there."""

    @property
    def log_dsn(self) -> str:
        """The database with feed.log: the primary, without a proxy."""

    def primary_dsn(self) -> str:
        """The current primary, without a proxy; changes after a promotion."""

    def endpoints(self) -> list[Endpoint]:
        """Three feeds and two APIs."""

    def token(self, user: str) -> str:
        """A token that is valid beyond the run."""


class ChaosClient(Protocol):
    """A client: `run` reconnects until `stop` is set; `settle` waits until the client has caught up, or for the timeout."""

    name: str

    async def run(self, stop: asyncio.Event) -> None: ...

    async def settle(self, timeout: float) -> None: ...


MakePopulation = Callable[[World, Journal, random.Random], list[ChaosClient]]
