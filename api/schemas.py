"""What may come in, strictly bounded. What goes out is in api.answers.

Names of a card's fields are the columns of its table; those of the API's own objects are camelCase.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from db import position
from feed.wire.cursor import LONGEST

_VERSION = re.compile(r"v?[1-9][0-9]{0,9}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_AGE = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character U+0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be whole Unicode characters") from None
    return text


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic collects ValueErrors only
    return value


def _version(value: object) -> object:
    if isinstance(value, str) and _VERSION.fullmatch(value):
        return int(value.removeprefix("v"))
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError('must be a version such as 5, "5" or "v5"')  # noqa: TRY004 - pydantic collects ValueErrors only
    return value


def _date(value: object) -> object:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a date such as 2027-03-31")
    return value


def _moment(value: object) -> datetime:
    if isinstance(value, str):
        if (age := _AGE.fullmatch(value)) is not None:
            return datetime.now(UTC) - timedelta(seconds=int(age[1]) * _UNITS[age[2]])
        try:
            # In a query string an unescaped + is a space.
            moment = datetime.fromisoformat(re.sub(r" (\d\d:\d\d)$", r"+\1", value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError("must be a time such as 2027-01-31T12:00Z, or an age such as 15m, 2h or 3d")


def _fractional_index(key: str) -> str:
    if not position.valid(key):
        raise ValueError("must be a fractional index key such as a0 or a1V")
    return key


_Storable = AfterValidator(_storable)

Id = Annotated[str, StringConstraints(min_length=1, max_length=200), _Storable]
NewId = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{8,64}$")]
VersionNumber = Annotated[
    int,
    BeforeValidator(_version),
    Field(ge=1, lt=2**31 - 1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 2**31 - 2},
                {"type": "string", "pattern": "^v?[1-9][0-9]{0,8}$"},
            ]
        }
    ),
]
Title = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True), _Storable]
Line = Annotated[str, StringConstraints(max_length=300), _Storable]
Notes = Annotated[str, StringConstraints(max_length=20_000), _Storable]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Position = Annotated[str, StringConstraints(max_length=200), AfterValidator(_fractional_index)]
Probability = Annotated[StrictInt, Field(ge=0, le=100)]
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "examples": ["2h"]})]
Day = Annotated[date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
Value = Annotated[
    Decimal,
    BeforeValidator(_number),
    Field(ge=0, lt=1_000_000_000_000, decimal_places=2, allow_inf_nan=False),
    WithJsonSchema({"type": "number", "minimum": 0, "exclusiveMaximum": 1e12, "multipleOf": 0.01}),
]


class Input(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Fields(Input):
    company: Line | None = None
    contact: Line | None = None
    value: Value | None = None
    owner_id: Id | None = None
    probability: Probability | None = None
    expected_close_date: Day | None = None
    notes: Notes | None = None


class NewOpportunity(_Fields):
    """A card to be made. Without a position it goes to the end of its phase."""

    id: NewId | None = Field(None, description="Made by the caller, so that a repeated request makes one card")
    board_id: Id
    title: Title
    phase: Id
    currency: Currency = "BRL"
    position: Position | None = None


class OpportunityPatch(_Fields):
    """A JSON merge patch: what is absent stays, null clears. A card that changes its phase goes to the end of it."""

    # May be absent, but not null. The factories' values are never read: only what was set is.
    board_id: Id = Field(default_factory=str)
    title: Title = Field(default_factory=str)
    phase: Id = Field(default_factory=str)
    currency: Currency = Field(default_factory=str)
    position: Position = Field(default_factory=str)


class Resolution(Input):
    """How a conflict was settled. The versions are those that the decision was made of."""

    clientVersion: VersionNumber = Field(description="The version that the client's changes began with")  # noqa: N815
    serverVersion: VersionNumber = Field(description="The version that it was shown as the other side")  # noqa: N815
    resolution: Literal["client", "server", "merge"]
    clientData: OpportunityPatch | None = Field(None, description="What the client wanted to change")  # noqa: N815
    mergedData: OpportunityPatch | None = Field(None, description="What it was settled to be")  # noqa: N815

    @model_validator(mode="after")
    def _is_of_something(self) -> Self:
        if self.resolution != "server" and self.clientData is None and self.mergedData is None:
            raise ValueError("clientData or mergedData is needed, but for resolution: server")
        if self.clientVersion > self.serverVersion:
            raise ValueError("clientVersion cannot be newer than serverVersion")
        return self


class Login(Input):
    user: Id
    role: Literal["dba"] | None = Field(None, description="For the DBA's page")


class PresenceClaim(Input):
    action: Literal["editing", "viewing"] = "editing"
    base_version: int | None = Field(
        None, ge=0, lt=2**31, alias="baseVersion", description="The version that the editor began with"
    )


class HeldRows(Input):
    count: int = Field(ge=0, lt=2**53, description="How many opportunities")
    hash: str = Field(pattern="^[0-9a-f]{8}$", description="The sum of their hashes, as docs/protocol.md has it")


class GapReport(Input):
    """What a client found at a checkpoint."""

    cursor: str = Field(max_length=LONGEST, pattern="^[0-9a-z.-]+$", description="The checkpoint's")
    expected: HeldRows = Field(description="What the checkpoint said")
    held: HeldRows = Field(description="What the client had")


class OpportunityQuery(BaseModel):
    board: Id | None = None
    after: Id | None = Field(None, description="The `next` of the page before")
    limit: int = Field(100, ge=1, le=500)


class StartQuery(BaseModel):
    board: Id | None = Field(None, description="The board to begin with; the first where it is not among yours")


class VersionQuery(BaseModel):
    before: int | None = Field(None, ge=1, le=2**31 - 1, description="Only versions below this one")
    limit: int = Field(50, ge=1, le=200)


class SyncQuery(BaseModel):
    since: str | None = Field(None, max_length=5000, description="A cursor (lastSync), or an ISO 8601 time")
    limit: int = Field(500, ge=1, le=5000)


class FlagsQuery(BaseModel):
    known: Literal["websocket", "sse", "poll", "off"] | None = Field(None, description="What you know to be offered")


class LogFilter(Input):
    """Which changes of the log; what is not named is no condition."""

    board: Id | None = Field(None, description="Of this board")
    opportunity: Id | None = Field(None, description="Of this card: short for table=opportunities and key")
    table: Id | None = Field(None, description="Of this table, as the log writes it: schema.table outside public")
    key: Id | None = Field(None, description="Of the row with this primary key")
    actor: Id | None = Field(None, description="By this user")
    op: Literal["insert", "update", "delete", "truncate", "leave", "enter", "reload"] | None = None
    origin: Id | None = Field(None, description="With this feed.origin")
    source: Literal["api", "app", "cascade", "import", "job", "migration", "psql", "unknown"] | None = None
    xid: Annotated[str, StringConstraints(pattern="^[0-9]{1,19}$")] | None = Field(
        None, description="Of this transaction"
    )
    text: Id | None = Field(None, description="With these characters somewhere in the row, before or after")


class LogQuery(LogFilter):
    since: Moment | None = Field(None, description="Written after this time, or within this age")
    until: Moment | None = Field(None, description="Written up to this time")
    before: int | None = Field(None, ge=1, lt=2**63, description="The `next` of the page before")
    limit: int = Field(100, ge=1, le=500)


class TailQuery(LogFilter):
    since: str | None = Field(None, max_length=5000, description="The cursor to go on from; Last-Event-ID wins")


class SeriesQuery(Input):
    since: Moment = Field(default_factory=lambda: _moment("1h"), description="From when on")
    until: Moment = Field(default_factory=lambda: datetime.now(UTC), description="Until when")
