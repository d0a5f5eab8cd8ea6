"""The messages of clients over a WebSocket: those of the original design, and our additions.

Invariant: whatever the bytes, parsing them returns a message of one of these types or raises a BadMessageError that says
what is wrong, and the work is bounded by the 64 KiB of a frame.
"""

from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from feed.wire.cursor import MAX_LENGTH

MAX_KEY_LENGTH = 2704
"""Characters of an opportunity's ID. The index of a primary key in PostgreSQL takes no longer one."""

Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
OpportunityId = Annotated[str, Field(min_length=1, max_length=MAX_KEY_LENGTH, pattern=r"^[^\x00]*$")]
Boards = Annotated[list[Id], Field(max_length=1000)]


class Message(BaseModel):
    # Unknown fields are ignored: a newer client may talk to an older service.
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Auth(Message):
    """The first message; sent again, it renews the token."""

    type: Literal["auth"]
    token: str = Field(max_length=8192)
    userId: Id  # noqa: N815 - the name in the protocol
    cursor: str | None = None
    boards: Boards | None = None
    batch: bool = False
    collapse: bool = False


class Subscribe(Message):
    """Follow these boards too."""

    type: Literal["subscribe"]
    boards: Boards


class Unsubscribe(Message):
    """Stop following these boards."""

    type: Literal["unsubscribe"]
    boards: Boards


class UserEditing(Message):
    """The user edits an opportunity, starting from `baseVersion`. The ID and name of the user always come from the token."""

    type: Literal["user_editing"]
    opportunityId: OpportunityId  # noqa: N815 - the name in the protocol
    baseVersion: Annotated[int, Field(ge=0, lt=2**31)] | None = None  # noqa: N815


class UserStoppedEditing(Message):
    """The user stopped editing."""

    type: Literal["user_stopped_editing"]
    opportunityId: OpportunityId  # noqa: N815


class Viewing(Message):
    """The user views an opportunity; or a board and none of its opportunities; or, without both, nothing."""

    type: Literal["viewing"]
    opportunityId: OpportunityId | None = None  # noqa: N815
    boardId: Id | None = None  # noqa: N815


class StoppedViewing(Message):
    """The user stopped viewing the board itself."""

    type: Literal["stopped_viewing"]
    boardId: Id  # noqa: N815


class Ping(Message):
    """Answered by `pong`. `cursor` is what the client has applied; it is optional."""

    type: Literal["ping"]
    cursor: Annotated[str, Field(max_length=MAX_LENGTH)] | None = None


class Checkpoint(Message):
    """Request the checkpoint of a board."""

    type: Literal["checkpoint"]
    boardId: Id  # noqa: N815 - the name in the protocol


class HeldRows(Message):
    """A number of rows, and their hash."""

    count: int = Field(ge=0, lt=2**53)
    hash: str = Field(pattern=r"^[0-9a-f]{8}$")


class Gap(Message):
    """The client's rows (`held`) differ from the checkpoint (`expected`) at its cursor."""

    type: Literal["gap"]
    boardId: Id  # noqa: N815 - the name in the protocol
    cursor: str = Field(max_length=MAX_LENGTH, pattern=r"^[0-9a-z.-]+$")
    expected: HeldRows
    held: HeldRows


Incoming = (
    Auth
    | Subscribe
    | Unsubscribe
    | UserEditing
    | UserStoppedEditing
    | Viewing
    | StoppedViewing
    | Ping
    | Checkpoint
    | Gap
)
TYPES = (
    "auth",
    "subscribe",
    "unsubscribe",
    "user_editing",
    "user_stopped_editing",
    "viewing",
    "stopped_viewing",
    "ping",
    "checkpoint",
    "gap",
)

_INCOMING: TypeAdapter[Incoming] = TypeAdapter(Annotated[Incoming, Field(discriminator="type")])


class BadMessageError(ValueError):
    """`code` is one of invalid_json, unknown_type, invalid_message."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def parse(data: str | bytes) -> Incoming:
    """Parse one message. Raises BadMessageError."""
    try:
        value = orjson.loads(data)
    except ValueError as error:
        raise BadMessageError("invalid_json", f"this is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadMessageError("invalid_json", "a message is a JSON object")
    if value.get("type") not in TYPES:
        raise BadMessageError("unknown_type", f"type must be one of {', '.join(TYPES)}")
    try:
        return _INCOMING.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        raise BadMessageError("invalid_message", f"{where}: {first['msg']}") from None
