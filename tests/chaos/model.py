"""What the parts of a chaos run hand to each other: values, and the shape of the world.

Times are those of `time.monotonic()`. Nothing here imports the product.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Outcome = Literal["ok", "fail", "unknown"]

HARMLESS: frozenset[str] = frozenset()
"""What an ordinary fault explains: nothing. Every client goes on from its cursor."""


@dataclass(frozen=True)
class Endpoint:
    """A service as clients reach it: full addresses, through the proxy on the clients' side."""

    name: str
    feed_ws: str | None = None
    feed_sse: str | None = None
    api: str | None = None
    """The API's root; `/api/events` and `/api/sync/opportunities` are below it."""


@dataclass(frozen=True)
class Record:
    """A message that a client received, or something that it did."""

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
    """A fault from the moment it began; `ended` is None while it is active.

    `explains` has the reasons of resets, and other losses, that the fault makes legal: the reset reasons of the protocol
    ("foreign", "future", "diverged", "pruned"), "resync" for a TRUNCATE, "uncaptured" for writes while capture was off,
    "lost-tail" for transactions that were committed and then lost by a promotion.
    """

    name: str
    began: float
    ended: float | None = None
    explains: frozenset[str] = HARMLESS
    detail: dict[str, Any] = field(default_factory=dict)
    skipped: str | None = None
    """Why it could not be done here, if it could not."""


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
    """What a writer tried. `tag` is the `origin` of its rows in the log; `resolved` is known at the end, for an unknown outcome."""

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
    """Something that must not be: `kind` is a short name, `subject` is whom it concerns, `detail` is for people."""

    kind: str
    subject: str
    detail: str


class Journal:
    """Everything that happened, append-only."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.faults: list[Fault] = []
        self.logs: list[ServiceLog] = []
        self.transactions: list[Transaction] = []

    def active(self) -> list[Fault]:
        return [fault for fault in self.faults if fault.ended is None]

    def explained(self, reason: str, *, before: float) -> bool:
        """Whether a fault that began before this moment explains the reason."""
        return any(reason in fault.explains and fault.began <= before for fault in self.faults)


class World(Protocol):
    """What clients and the checker need of the world."""

    journal: Journal
    users: list[str]
    boards: list[str]
    seed: int
    discarding: list[Callable[[str], None]]
    """Called (in a thread) with the address of an old primary after a promotion: it runs alone then, with the lost tail, and is
    thrown away afterwards. The checker reads there what the lost transactions were."""

    @property
    def log_dsn(self) -> str:
        """The database that holds feed.log: the primary, directly."""

    def primary_dsn(self) -> str:
        """The primary now, directly and not through a proxy; may change by a promotion."""

    def endpoints(self) -> list[Endpoint]:
        """Three feeds and two APIs."""

    def token(self, user: str) -> str:
        """A token that outlives the run."""


class Population(Protocol):
    """A client: `run` reconnects for itself until `stop` is set; `settle` waits until it has caught up, or for the timeout."""

    name: str

    async def run(self, stop: asyncio.Event) -> None: ...

    async def settle(self, timeout: float) -> None: ...


MakePopulation = Callable[[World, Journal, random.Random], list[Population]]
