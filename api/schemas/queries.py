"""The query strings of requests."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.fields import Id, Key, Moment, QueryNumber, TransactionId, parse_moment
from api.schemas.requests import Input


class OpportunityQuery(BaseModel):
    board: Id | None = None
    after: Key | None = Field(None, description="The `next` of the previous page")
    limit: QueryNumber = Field(100, ge=1, le=500)


class StartQuery(BaseModel):
    board: Id | None = Field(None, description="The board to open; your first board if this is not one of yours")


class VersionQuery(BaseModel):
    before: QueryNumber | None = Field(None, ge=1, le=2**31 - 1, description="Only versions below this one")
    limit: QueryNumber = Field(50, ge=1, le=200)


class SyncQuery(BaseModel):
    since: str | None = Field(None, max_length=5000, description="A cursor (lastSync) or an ISO 8601 time")
    limit: QueryNumber = Field(500, ge=1, le=5000)


class FlagsQuery(BaseModel):
    known: Literal["websocket", "sse", "poll", "off"] | None = Field(
        None, description="The transport that you know you are offered"
    )


class LogFilter(Input):
    """Which changes of the log to return. Absent parameters do not filter."""

    board: Id | None = Field(None, description="On this board")
    opportunity: Key | None = Field(None, description="Of this card; short for table=opportunities and its key")
    table: Id | None = Field(None, description="Of this table, as the log names it: schema.table outside public")
    key: Key | None = Field(None, description="Of the row with this primary key")
    actor: Id | None = Field(None, description="By this user")
    op: Literal["insert", "update", "delete", "truncate", "leave", "enter", "reload"] | None = None
    origin: Id | None = Field(None, description="With this feed.origin")
    source: Literal["api", "app", "cascade", "import", "job", "migration", "psql", "unknown"] | None = None
    xid: TransactionId | None = Field(None, description="Of this transaction")
    text: Id | None = Field(None, description="With this text anywhere in the row, before or after the change")


class LogQuery(LogFilter):
    since: Moment | None = Field(None, description="Written after this time, or within this age")
    until: Moment | None = Field(None, description="Written up to this time")
    before: QueryNumber | None = Field(None, ge=1, lt=2**63, description="The `next` of the previous page")
    limit: QueryNumber = Field(100, ge=1, le=500)


class TailQuery(LogFilter):
    since: str | None = Field(None, max_length=5000, description="The cursor to resume from; Last-Event-ID wins")


class SeriesQuery(Input):
    since: Moment = Field(default_factory=lambda: parse_moment("1h"), description="The start, as a time or an age")
    until: Moment = Field(default_factory=lambda: datetime.now(UTC), description="The end, as a time or an age")
