"""Whatever a client sends is one of the messages of the protocol, or an error that says what is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed.wire.protocol import MAX_KEY_LENGTH, TYPES, BadMessageError, parse

HELD = {"count": 1, "hash": "0" * 8}


def variants(message: dict[str, Any], field: str, *values: Any) -> list[dict[str, Any]]:
    return [message | {field: value} for value in values]


EDITING = {"type": "user_editing", "opportunityId": "o1"}
AUTH = {"type": "auth", "token": "t", "userId": "u"}
GAP = {"type": "gap", "boardId": "b1", "cursor": "c", "expected": HELD, "held": HELD}
INVALID = [
    *variants(EDITING, "baseVersion", False, True, "1", 1.0, -1, 2**31),
    *variants(EDITING, "opportunityId", None, 1, "", "\0", "a\0", "x" * (MAX_KEY_LENGTH + 1), ["o1"]),
    *variants({"type": "viewing"}, "boardId", 1, "", "\0", "x" * 201, {}),
    *variants({"type": "subscribe"}, "boards", None, "b1", [None], [["b1"]], {"b1": 1}, ["b"] * 1001),
    *variants(AUTH, "batch", 0, 1, "true", None),
    *variants(AUTH, "token", None, 1, "x" * 8193),
    *variants({"type": "ping"}, "cursor", 1, [], "x" * 4097),
    *variants(GAP, "held", *variants(HELD, "count", False, "1", 1.0, -1, 2**53)),
    *variants(GAP, "expected", *variants(HELD, "hash", "0" * 7, "0" * 9, "G" * 8, "0" * 8 + "\n", 0)),
]


@pytest.mark.parametrize("message", INVALID, ids=lambda message: json.dumps(message)[:60])
def test_a_field_of_another_type_or_size_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(BadMessageError) as caught:
        parse(json.dumps(message))
    assert caught.value.code == "invalid_message"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["opportunityId", "boardId", "boards", "token", "userId", "cursor", "batch", "baseVersion", "expected", "held"]
)


@given(st.sampled_from(TYPES), st.dictionaries(fields, values))
def test_any_fields_are_a_message_or_an_error(kind: str, body: dict[str, Any]) -> None:
    try:
        message = parse(json.dumps({"type": kind} | body))
    except BadMessageError as error:
        assert error.code in {"invalid_json", "invalid_message"}  # noqa: PT017 - an error is one of two valid results
    else:
        assert message.type == kind
