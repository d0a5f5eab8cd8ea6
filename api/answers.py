"""What goes out, for the documentation only: the JSON is made by PostgreSQL, or where it is sent.

Names of a card's fields are the columns of its table; those of the API's own objects are camelCase.
"""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Realtime = Literal["websocket", "sse", "poll", "off"]


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
    parents: list[int] | None


class VersionPage(BaseModel):
    versions: list[Version]
    next: int | None


class BoardOfUser(BaseModel):
    id: str
    name: str
    role: Literal["viewer", "editor", "admin"]


class Presence(BaseModel):
    """Somebody who has a card open, or looks at the board and at no card (null)."""

    opportunityId: str | None
    boardId: str
    userId: str
    userName: str
    action: Literal["editing", "viewing"]
    since: datetime
    baseVersion: int | None = None


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
    userId: str
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
    deletedIds: list[str]
    lastSync: str
    hasMore: bool
    realtime: Realtime


class User(BaseModel):
    id: str
    name: str


class Users(BaseModel):
    users: list[User]


class Session(BaseModel):
    token: str
    expiresAt: datetime
    roles: list[str]
    user: User


class Me(BaseModel):
    user: User
    expiresAt: datetime
    roles: list[str]


class Ticket(BaseModel):
    ticket: str
    expiresIn: int


class Offered(BaseModel):
    realtime: Realtime


class Config(BaseModel):
    feedUrl: str
    realtime: Realtime
    demo: bool
    version: str
    build: str


class Start(BaseModel):
    """All that a page needs to show its first board. No snapshot: the user has no board."""

    user: User
    expiresAt: datetime
    roles: list[str]
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


class MergeConflictBody(ProblemBody):
    """What a merge gets that needs a person: the fields that both changed, and what could be put together of the others."""

    conflicts: list[str]
    merged: dict[str, Any]
    current: Opportunity
    base: Opportunity | None
