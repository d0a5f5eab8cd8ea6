"""What clients say over a WebSocket. The messages are the original design's, and ours beside them.

Invariant: whatever the bytes, reading them gives a message of one of these types or a BadMessageError that says what is wrong;
never another exception, and no more work than the 64 KiB that a frame may have.
"""

from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from feed.wire.cursor import LONGEST

Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Boards = Annotated[list[Id], Field(max_length=1000)]


class Message(BaseModel):
    # Unknown fields are passed over: a newer client may talk to an older service.
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Auth(Message):
    """The first message; later, one renews the token."""

    type: Literal["auth"]
    token: str = Field(max_length=8192)
    userId: Id  # noqa: N815 - as the protocol has it
    cursor: str | None = None
    boards: Boards | None = None
    batch: bool = False


class Subscribe(Message):
    """Be told of these boards too."""

    type: Literal["subscribe"]
    boards: Boards


class Unsubscribe(Message):
    """Be told of these boards no more."""

    type: Literal["unsubscribe"]
    boards: Boards


class UserEditing(Message):
    """He edits an opportunity; `baseVersion` is the version he began with. User and name are the token's, whatever is said."""

    type: Literal["user_editing"]
    opportunityId: Id  # noqa: N815 - as the protocol has it
    baseVersion: Annotated[int, Field(ge=0, lt=2**31)] | None = None  # noqa: N815


class UserStoppedEditing(Message):
    """He edits it no more."""

    type: Literal["user_stopped_editing"]
    opportunityId: Id  # noqa: N815


class Viewing(Message):
    """He looks at an opportunity; at a board and none of its opportunities; or, without both, at nothing any more."""

    type: Literal["viewing"]
    opportunityId: Id | None = None  # noqa: N815
    boardId: Id | None = None  # noqa: N815


class StoppedViewing(Message):
    """He looks at the board itself no more."""

    type: Literal["stopped_viewing"]
    boardId: Id  # noqa: N815


class Ping(Message):
    """Answered by a pong. `cursor` is what the client has applied, where it likes to say so."""

    type: Literal["ping"]
    cursor: Annotated[str, Field(max_length=LONGEST)] | None = None


class Checkpoint(Message):
    """Tell me what this board has to hold."""

    type: Literal["checkpoint"]
    boardId: Id  # noqa: N815 - as the protocol has it


class HeldRows(Message):
    """So many rows, and their hash."""

    count: int = Field(ge=0, lt=2**53)
    hash: str = Field(pattern=r"^[0-9a-f]{8}$")


class Gap(Message):
    """At the cursor of a checkpoint, which said `expected`, I held something else."""

    type: Literal["gap"]
    boardId: Id  # noqa: N815 - as the protocol has it
    cursor: str = Field(max_length=LONGEST, pattern=r"^[0-9a-z.-]+$")
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
    """Read one message. Raises BadMessageError."""
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
