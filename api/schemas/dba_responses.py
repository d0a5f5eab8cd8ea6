"""The bodies of responses to a DBA. Field names are the columns of feed.trigger_log and the other views."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class LoggedChange(BaseModel):
    """A row of feed.trigger_log, without the images of the changed row."""

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
    notified: bool


class LogPage(BaseModel):
    """Newest first. `next` is the `before` of the next page, or null if there is none.

    If `whole` is false, the search ran out of time: the page is not full, and `back` is the time down to which it has
    searched. Only the first page has a cursor, from which the stream continues after what the page shows.
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
    """A change, the first other changes of its transaction, and what happened to it since."""

    change: WholeChange
    transaction: list[LoggedChange]
    transaction_whole: bool
    explain: list[Step]


class HealthCheck(BaseModel):
    topic: str
    status: Literal["ok", "warning", "bad", "unknown"]
    found: str | None
    fix: str | None


class Overview(BaseModel):
    """feed.health, feed.instance_status with feed.lag, feed.triggers, feed.retention, feed.flags, and feed.gaps."""

    at: datetime
    health: list[HealthCheck]
    instances: list[dict[str, Any]]
    triggers: list[dict[str, Any]]
    retention: list[dict[str, Any]]
    flags: list[dict[str, Any]]
    retention_seconds: float
    gaps: list[dict[str, Any]]


class Series(BaseModel):
    """Columns of numbers, each as long as its `at` (seconds since 1970). null means unknown."""

    step: float
    written: dict[str, list[float | None]]
    delivered: dict[str, list[float | None]]
    gauges: dict[str, list[float | None]]
