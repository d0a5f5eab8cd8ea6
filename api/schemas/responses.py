"""The bodies of responses, and of problems with additional fields."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Realtime = Literal["websocket", "sse", "poll", "off"]


class Opportunity(BaseModel):
    """A row of the table, with all its columns. An adopted table may have more columns than these."""

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
    closed_at: datetime | None = None
    close_reason: str | None = None
    next_activity: str | None = None
    next_activity_date: date | None = None
    details_version: int | None = Field(None, description="Counts the changes of the four fields before it")


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
    archived: bool


class Presence(BaseModel):
    """A user who has a card open, or the board without any card (null)."""

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
    """A board that was not made here may lack all but the first two."""

    model_config = ConfigDict(extra="allow")
    id: str
    name: str
    kind: Literal["open", "won", "lost"] | None = None
    color: str | None = None
    probability: int | None = None


class BoardHead(BaseModel):
    id: str
    name: str
    phases: list[Phase]
    currency: str
    archived: bool
    version: int
    closeReasons: list[str]
    staleDays: int


class Member(BaseModel):
    userId: str
    name: str
    role: Literal["viewer", "editor", "admin"]


class BoardSnapshot(BaseModel):
    """A board, and the cursor of the same moment to follow it from."""

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
    changedBoards: list[str]


class User(BaseModel):
    id: str
    name: str


class Users(BaseModel):
    users: list[User]


class Me(BaseModel):
    user: User
    expiresAt: datetime
    roles: list[str]


class Session(Me):
    token: str


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


class Start(Me):
    """Everything a page needs to show its first board. The snapshot is null if the user has no board."""

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
    """The response to a stale write: the current row, the row as the writer knew it, and what both changed."""

    current: Opportunity
    base: Opportunity | None
    conflicts: list[str]


class StaleBoardBody(ProblemBody):
    """The response to a stale change of a board: the board as it is now."""

    current: BoardHead


class StaleMemberBody(ProblemBody):
    """The response to a stale change of a member: the member as it is now."""

    current: Member


class MergeConflictBody(ProblemBody):
    """The response to a merge that a person has to decide: what both changed, and the merged values of the rest."""

    conflicts: list[str]
    merged: dict[str, Any]
    current: Opportunity
    base: Opportunity | None
