"""The bodies of requests that change boards and their members."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StringConstraints, model_validator

from api.schemas.fields import Currency, Id, Key, NewId, Probability, Reason, Title, require_storable
from api.schemas.requests import Input

MAX_PHASES = 50

Role = Literal["viewer", "editor", "admin"]
Kind = Literal["open", "won", "lost"]
Color = Literal["gray", "red", "orange", "amber", "green", "teal", "blue", "indigo", "violet", "pink"]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern="^[^@\\s]+@[^@\\s]+$"), require_storable]


class PhaseInput(Input):
    id: Key
    name: Title
    kind: Kind = "open"
    color: Color | None = None
    probability: Probability | None = Field(None, description="Percent, for new cards of the phase")


def _require_different_ids(phases: list[PhaseInput]) -> list[PhaseInput]:
    if len({phase.id for phase in phases}) < len(phases):
        raise ValueError("must have different ids")
    return phases


CloseReasons = Annotated[list[Reason], Field(max_length=30)]
StaleDays = Annotated[StrictInt, Field(ge=1, le=3650)]
Phases = Annotated[list[PhaseInput], Field(min_length=1, max_length=MAX_PHASES), AfterValidator(_require_different_ids)]


class NewBoard(Input):
    """A new board. You become its admin. Its phases are these, or a copy of those of another of your boards."""

    id: NewId | None = Field(
        None, description="Chosen by the client, so that a repeated request creates only one board"
    )
    name: Title
    currency: Currency | None = Field(None, description="If absent: that of copyOf, or BRL")
    phases: Phases | None = None
    closeReasons: CloseReasons | None = Field(None, description="If absent: those of copyOf, or none")  # noqa: N815
    copyOf: Id | None = Field(None, description="The board whose phases and currency to copy; not its cards or members")  # noqa: N815

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.phases is None) is (self.copyOf is None):
            raise ValueError("either phases or copyOf is required")
        return self


class BoardPatch(Input):
    """A JSON merge patch. `phases` replaces the whole list: it adds, renames, reorders, and deletes phases at once."""

    # These may be absent, but not null. The default factories are never used: only the fields that were set are read.
    name: Title = Field(default_factory=str)
    currency: Currency = Field(default_factory=str)
    archived: StrictBool = Field(default_factory=bool)
    closeReasons: CloseReasons = Field(  # noqa: N815
        default_factory=list, description="Usual reasons why a deal is lost, which users are offered"
    )
    staleDays: StaleDays = Field(  # noqa: N815
        default_factory=int, description="An open card without a change for more days than this is shown as stale"
    )
    phases: Phases = Field(default_factory=list)
    moveCards: Annotated[dict[Key, Key], Field(max_length=MAX_PHASES)] = Field(  # noqa: N815
        default_factory=dict,
        description="With phases only. For each deleted phase with cards: the phase that they move to",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if "moveCards" in self.model_fields_set and "phases" not in self.model_fields_set:
            raise ValueError("moveCards requires phases")
        return self


class NewMember(Input):
    """A user who exists, by ID or by e-mail address."""

    userId: Id | None = None  # noqa: N815
    email: Email | None = None
    role: Role = "editor"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.userId is None) is (self.email is None):
            raise ValueError("either userId or email is required")
        return self


class MemberPatch(Input):
    role: Role
