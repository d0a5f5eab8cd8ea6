"""What may come in, strictly bounded, and what goes out, for the documentation.

Names of a card's fields are the columns of its table; those of the API's own objects are camelCase.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)

from db import position

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


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


def _date(value: object) -> object:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a date such as 2027-03-31")
    return value


def _fractional_index(key: str) -> str:
    if not position.valid(key):
        raise ValueError("must be a fractional index key such as a0 or a1V")
    return key


_Storable = AfterValidator(_storable)

Id = Annotated[str, StringConstraints(min_length=1, max_length=200), _Storable]
NewId = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{8,64}$")]
Title = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True), _Storable]
Line = Annotated[str, StringConstraints(max_length=300), _Storable]
Notes = Annotated[str, StringConstraints(max_length=20_000), _Storable]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Position = Annotated[str, StringConstraints(max_length=200), AfterValidator(_fractional_index)]
Probability = Annotated[StrictInt, Field(ge=0, le=100)]
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


class Login(Input):
    user: Id


class PresenceClaim(Input):
    action: Literal["editing", "viewing"] = "editing"
    base_version: int | None = Field(
        None, ge=0, lt=2**31, alias="baseVersion", description="The version that the editor began with"
    )


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


# From here on: answers, described only. Their JSON is made by PostgreSQL or where they are sent.


class Opportunity(BaseModel):
    """The row as it is in the table; an adopted table's own columns come too."""

    model_config = ConfigDict(extra="allow")
    id: str
    board_id: str
    title: str
    company: str | None
    contact: str | None
    value: float | None
    currency: str
    phase: str
    position: str
    owner_id: str | None
    probability: int | None
    expected_close_date: date | None
    notes: str | None
    created_at: datetime
    version_number: int
    last_modified_by: str | None
    last_sync_at: datetime


class OpportunityPage(BaseModel):
    opportunities: list[Opportunity]
    next: str | None


class Version(BaseModel):
    id: str
    opportunity_id: str
    version_number: int
    data: Opportunity
    created_by: str | None
    created_at: datetime


class VersionPage(BaseModel):
    versions: list[Version]
    next: int | None


class BoardOfUser(BaseModel):
    id: str
    name: str
    role: Literal["viewer", "editor", "admin"]


class Presence(BaseModel):
    """Somebody who has a card open."""

    opportunityId: str  # noqa: N815 - as it is on the wire
    boardId: str  # noqa: N815 - as it is on the wire
    userId: str  # noqa: N815 - as it is on the wire
    userName: str  # noqa: N815 - as it is on the wire
    action: Literal["editing", "viewing"]
    since: datetime
    baseVersion: int | None = None  # noqa: N815 - as it is on the wire


class BoardPresence(BaseModel):
    presence: list[Presence]


class Boards(BaseModel):
    boards: list[BoardOfUser]


class Phase(BaseModel):
    id: str
    name: str


class BoardHead(BaseModel):
    id: str
    name: str
    phases: list[Phase]


class Member(BaseModel):
    userId: str  # noqa: N815 - as it is on the wire
    name: str
    role: Literal["viewer", "editor", "admin"]


class BoardSnapshot(BaseModel):
    """The board and, from the same moment, the cursor to follow it from."""

    board: BoardHead
    role: Literal["viewer", "editor", "admin"]
    members: list[Member]
    opportunities: list[Opportunity]
    presence: list[Presence]
    cursor: str


class Sync(BaseModel):
    opportunities: list[Opportunity]
    deletedIds: list[str]  # noqa: N815 - as it is on the wire
    lastSync: str  # noqa: N815 - as it is on the wire
    hasMore: bool  # noqa: N815 - as it is on the wire


class User(BaseModel):
    id: str
    name: str


class Users(BaseModel):
    users: list[User]


class Session(BaseModel):
    token: str
    expiresAt: datetime  # noqa: N815 - as it is on the wire
    user: User


class Me(BaseModel):
    user: User
    expiresAt: datetime  # noqa: N815 - as it is on the wire


class Ticket(BaseModel):
    ticket: str
    expiresIn: int  # noqa: N815 - as it is on the wire


class Config(BaseModel):
    feedUrl: str  # noqa: N815 - as it is on the wire
    realtime: Literal["websocket", "sse", "poll", "off"]
    demo: bool
    version: str
    build: str


class Start(BaseModel):
    """All that a page needs to show its first board. No snapshot: the user has no board."""

    user: User
    expiresAt: datetime  # noqa: N815 - as it is on the wire
    config: Config
    boards: list[BoardOfUser]
    snapshot: BoardSnapshot | None


class Status(BaseModel):
    status: str
    checks: dict[str, str] = {}


class Fault(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    place: str = Field(alias="in")
    pointer: str
    code: str
    detail: str


class ProblemBody(BaseModel):
    """RFC 9457. `type` is stable: /problems/<slug>."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str
    request_id: str | None
    errors: list[Fault] | None = None


class ConflictBody(ProblemBody):
    """What a stale write gets: the row as it is, as the writer had seen it, and the fields that both changed."""

    current: Opportunity
    base: Opportunity | None
    conflicts: list[str]
