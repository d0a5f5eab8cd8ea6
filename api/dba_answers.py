"""What goes out to a DBA, for the documentation only: the names are those of the columns of feed.trigger_log and its like."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class LoggedChange(BaseModel):
    """A row of feed.trigger_log without the images of its row."""

    model_config = ConfigDict(extra="allow")
    seq: int
    at: datetime
    actor: str
    source: str
    op: str
    relation: str
    key: str | None
    board: str | None
    title: str | None
    changes: str | None
    version: int | None
    xid: str
    step: str
    origin: str | None
    application: str | None
    client_addr: str | None
    db_user: str
    pid: int
    rang: bool


class LogPage(BaseModel):
    """The newest first. `next` is the `before` of what comes after; null where there is no more.

    Whole: nothing that fits was left out above `next`, or above the end. Else the page ended by time, and `back` says how far was
    looked. The cursor, which only the first page has, is where the stream goes on from what the page shows.
    """

    changes: list[LoggedChange]
    next: int | None
    back: datetime | None
    whole: bool
    cursor: str | None


class WholeChange(LoggedChange):
    old: dict[str, Any] | None
    new: dict[str, Any] | None


class Step(BaseModel):
    """One step of feed.explain()."""

    model_config = ConfigDict(extra="allow")
    step: str
    at: datetime | None
    what: str


class ChangeStory(BaseModel):
    """A change, the first others of its transaction, and its life."""

    change: WholeChange
    transaction: list[LoggedChange]
    transaction_whole: bool
    explain: list[Step]


class HealthCheck(BaseModel):
    topic: str
    status: Literal["ok", "warning", "bad", "unknown"]
    found: str | None
    cure: str | None


class Overview(BaseModel):
    """The feed's state: feed.health, feed.listeners with feed.lag, feed.triggers, feed.retention, feed.flags, feed.gaps."""

    at: datetime
    health: list[HealthCheck]
    instances: list[dict[str, Any]]
    triggers: list[dict[str, Any]]
    retention: list[dict[str, Any]]
    flags: list[dict[str, Any]]
    kept_seconds: float
    gaps: list[dict[str, Any]]


class Series(BaseModel):
    """Columns of numbers, each as long as its `at` (seconds since 1970); null where nothing is known."""

    step: float
    written: dict[str, list[float | None]]
    told: dict[str, list[float | None]]
    gauges: dict[str, list[float | None]]
