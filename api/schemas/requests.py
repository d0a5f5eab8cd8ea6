"""The bodies of requests."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from api.schemas.fields import (
    Currency,
    Day,
    Id,
    Line,
    NewId,
    Notes,
    Position,
    Probability,
    Reason,
    Title,
    Value,
    VersionNumber,
)
from feed.wire.cursor import MAX_LENGTH


class Input(BaseModel):
    """Unknown fields are errors, and errors do not repeat the input."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Fields(Input):
    company: Line | None = None
    contact: Line | None = None
    value: Value | None = None
    owner_id: Id | None = None
    probability: Probability | None = None
    expected_close_date: Day | None = None
    notes: Notes | None = None
    next_activity: Line | None = None
    next_activity_date: Day | None = None
    close_reason: Reason | None = Field(
        None, description="Why it was won or lost. Dropped if the card is then in a phase of kind open"
    )


class NewOpportunity(_Fields):
    """A new card. Without a position, it goes to the end of its phase."""

    id: NewId | None = Field(None, description="Chosen by the client, so that a repeated request creates only one card")
    board_id: Id
    title: Title
    phase: Id
    currency: Currency = Field(default_factory=str, description="The board's, if absent")
    position: Position | None = None


class OpportunityPatch(_Fields):
    """A JSON merge patch: absent fields stay, null clears. A card moved to another phase goes to its end."""

    # These may be absent, but not null. The default factories are never used: only the fields that were set are read.
    board_id: Id = Field(default_factory=str)
    title: Title = Field(default_factory=str)
    phase: Id = Field(default_factory=str)
    currency: Currency = Field(default_factory=str)
    position: Position = Field(default_factory=str)


class Resolution(Input):
    """How a conflict was resolved. It is valid only for the two versions that it names."""

    clientVersion: VersionNumber = Field(description="The version that the client's changes are based on")  # noqa: N815
    serverVersion: VersionNumber = Field(description="The current version that the client was shown")  # noqa: N815
    resolution: Literal["client", "server", "merge"]
    clientData: OpportunityPatch | None = Field(None, description="What the client wanted to change")  # noqa: N815
    mergedData: OpportunityPatch | None = Field(None, description="The fields as the user decided them")  # noqa: N815

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.resolution != "server" and self.clientData is None and self.mergedData is None:
            raise ValueError("clientData or mergedData is required, except for resolution: server")
        if self.clientVersion > self.serverVersion:
            raise ValueError("clientVersion must not be newer than serverVersion")
        return self


class Login(Input):
    user: Id
    role: Literal["dba"] | None = Field(None, description="For the DBA's page")


class PresenceClaim(Input):
    action: Literal["editing", "viewing"] = "editing"
    base_version: StrictInt | None = Field(
        None, ge=0, lt=2**31, alias="baseVersion", description="The version that the editor started from"
    )


class HeldRows(Input):
    count: StrictInt = Field(ge=0, lt=2**53, description="The number of opportunities")
    hash: str = Field(pattern="^[0-9a-f]{8}$", description="The sum of their hashes, as described in docs/protocol.md")


class GapReport(Input):
    """A board on which a client differed from a checkpoint."""

    cursor: str = Field(max_length=MAX_LENGTH, pattern="^[0-9a-z.-]+$", description="The cursor of the checkpoint")
    expected: HeldRows = Field(description="What the checkpoint contained")
    held: HeldRows = Field(description="What the client had")
