"""The flow of a board: queries and responses. A visit is the time that a card spends in a phase."""

from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from api.schemas.fields import Key, Moment, QueryNumber, parse_moment
from api.schemas.requests import Input
from db.changelog.flow import BOUNDS, Period


def _now() -> datetime:
    return datetime.now(UTC)


class FlowQuery(Input):
    """A period: from `since` to before `until`."""

    since: Moment = Field(default_factory=lambda: parse_moment("90d"), description="The start, as a time or an age")
    until: Moment = Field(default_factory=_now, description="The end, as a time or an age")
    at: Moment = Field(default_factory=_now, description="What happened later counts as unknown: a time or an age")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.since >= self.until:
            raise ValueError("since must be before until")
        return self

    @property
    def period(self) -> Period:
        return Period(self.since, self.until, self.at)


class FlowCardsQuery(FlowQuery):
    chart: Literal["time", "present", "entered", "exit", "cycle"] = Field(
        description="time: left the phase in the period; present: were in it at the end; entered: entered it in the period;"
        " exit: entered it in the period, and went to `next`; cycle: were closed in the period"
    )
    phase: Key = Field(description="The phase; for cycle: won or lost")
    next: Key | None = Field(None, description="For exit. Absent: the card left the board")
    bucket: QueryNumber | None = Field(None, ge=0, le=len(BOUNDS), description="For cycle: the bar. Absent: all")
    limit: QueryNumber = Field(200, ge=1, le=1000)


class FlowExit(BaseModel):
    phase: str | None = Field(description="null: the board was left, or the card deleted")
    cards: int


class FlowStage(BaseModel):
    phase: str
    entered: int = Field(description="Visits that began in the period")
    left: int = Field(description="Visits that ended in the period")
    present: int = Field(description="Visits that had not ended")
    medianSeconds: float | None = Field(description="Of the visits that ended in the period")  # noqa: N815
    p85Seconds: float | None  # noqa: N815
    cards: list[int] = Field(description="The number of cards in it at each of the points; empty: none at all")
    exits: list[FlowExit] = Field(description="What followed the visits that began in the period")


class FlowCycle(BaseModel):
    """From the first row of a card to its closing."""

    kind: Literal["won", "lost"]
    cards: int
    medianSeconds: float  # noqa: N815
    p85Seconds: float  # noqa: N815
    buckets: list[int] = Field(description="The number of closings below each of the bounds, and beyond the last")


class FlowCharts(BaseModel):
    points: list[datetime]
    stages: list[FlowStage]
    cycle: list[FlowCycle]


class Flow(BaseModel):
    since: datetime
    until: datetime
    asOf: datetime  # noqa: N815
    bounds: list[float] = Field(description="Seconds at which the bars of the cycle time begin, but for the first")
    flow: FlowCharts


class FlowCard(BaseModel):
    id: str
    title: str | None = Field(description="null: it is no longer on the board")
    seconds: float


class FlowCards(BaseModel):
    cards: list[FlowCard]
    total: int = Field(description="How many there are, with those beyond the limit")
