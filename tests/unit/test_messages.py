"""Any input from a client becomes messages or a close code, in whatever pieces it arrives."""

import gc
import random
import struct
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.protocol import SEND_EOF, State

from feed.http.messages import MAX_MESSAGE, MessageProtocol

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def sent(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, claimed: int | None = None) -> bytes:
    """A client's frame, with a mask of zeros; `claimed` is a wrong length."""
    size = len(payload) if claimed is None else claimed
    head = bytes((fin << 7 | rsv << 4 | opcode,))
    if size < 126:
        head += bytes((0x80 | size,))
    elif size < 65_536:
        head += b"\xfe" + struct.pack("!H", size)
    else:
        head += b"\xff" + struct.pack("!Q", size)
    return head + bytes(4) + payload


def close_code(protocol: MessageProtocol) -> int:
    """The code that the client gets, after which it gets nothing."""
    *_, close, eof = protocol.data_to_send()
    assert (close[0], eof) == (0x80 | CLOSE, SEND_EOF)
    return int.from_bytes(close[2:4])


def test_fragments_are_one_message_and_control_frames_come_between_them() -> None:
    protocol = MessageProtocol()
    assert protocol.messages(sent(TEXT, b"\xe6\xbc", fin=False) + sent(PING, b"x")) == []
    assert protocol.data_to_send() == [b"\x8a\x01x"]
    assert protocol.messages(sent(PONG) + sent(CONT, b"\xa2", fin=False) + sent(CONT) + sent(TEXT, b"two")) == [
        "漢",
        "two",
    ]


def test_a_binary_message_is_none_and_nothing_is_kept_of_it() -> None:
    protocol = MessageProtocol()
    assert protocol.messages(sent(BINARY, b"\xff", fin=False) + sent(CONT, b"\xff")) == [None]
    assert protocol.messages(sent(BINARY) + sent(TEXT)) == [None, ""]


def test_a_message_may_have_its_maximum_size() -> None:
    text = "x" * MAX_MESSAGE
    assert MessageProtocol().messages(sent(TEXT, text.encode())) == [text]
    half = text.encode()[MAX_MESSAGE // 2 :]
    assert MessageProtocol().messages(sent(TEXT, half, fin=False) + sent(CONT, half)) == [text]


WRONG = {
    "too large": (sent(TEXT, claimed=MAX_MESSAGE + 1), 1009),
    "too large in parts": (sent(TEXT, bytes(MAX_MESSAGE), fin=False) + sent(CONT, b"x"), 1009),
    "larger than memory": (sent(BINARY, claimed=2**64 - 1), 1009),
    "no UTF-8": (sent(TEXT, b"\xff"), 1007),
    "a character that is cut": (sent(TEXT, b"\xe6", fin=False) + sent(CONT, b"\xbc"), 1007),
    "a reason that is no UTF-8": (sent(CLOSE, b"\x03\xe8\xff"), 1007),
    "no mask": (b"\x81\x01x", 1002),
    "a reserved bit": (sent(TEXT, b"x", rsv=4), 1002),
    "an unknown opcode": (sent(0x3, b"x"), 1002),
    "a long ping": (sent(PING, bytes(126)), 1002),
    "a ping in parts": (sent(PING, fin=False), 1002),
    "a continuation of nothing": (sent(CONT, b"x"), 1002),
    "a message within another": (sent(TEXT, fin=False) + sent(TEXT), 1002),
    "half a close code": (sent(CLOSE, b"\x03"), 1002),
    "a close code that is not for the wire": (sent(CLOSE, struct.pack("!H", 1006)), 1002),
}


@pytest.mark.parametrize("kind", WRONG)
def test_invalid_input_ends_the_connection_with_a_code(kind: str) -> None:
    data, code = WRONG[kind]
    protocol = MessageProtocol()
    assert protocol.messages(data) == []
    assert close_code(protocol) == code
    assert protocol.messages(sent(TEXT, b"more") + data) == []
    assert protocol.data_to_send() == []


def test_a_close_is_answered_with_its_code_and_ends_it() -> None:
    protocol = MessageProtocol()
    assert protocol.messages(sent(TEXT, b"x") + sent(CLOSE, b"\x03\xe9bye") + sent(TEXT, b"y")) == ["x"]
    assert close_code(protocol) == 1001


def test_after_our_close_only_the_end_comes() -> None:
    protocol = MessageProtocol()
    protocol.send_close(4400, "bad_message")
    protocol.data_to_send()
    assert protocol.messages(sent(TEXT, b"x")) == []
    assert protocol.messages(sent(CLOSE, struct.pack("!H", 4400))) == []
    assert protocol.data_to_send() == [SEND_EOF]


parts = st.builds(
    sent,
    st.one_of(st.sampled_from([CONT, TEXT, BINARY, CLOSE, PING, PONG]), st.integers(0, 15)),
    st.one_of(st.text(max_size=40).map(str.encode), st.binary(max_size=130), st.just(b"\x03\xe8")),
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 0, 1, 4]),
    claimed=st.sampled_from([None, None, None, None, 0, 200, MAX_MESSAGE, MAX_MESSAGE + 1, 2**63, 2**64 - 1]),
)


@given(st.lists(st.one_of(parts, st.binary(max_size=40)), max_size=12).map(b"".join), st.randoms(use_true_random=False))
def test_any_input_gives_messages_or_a_close_code(data: bytes, choose: random.Random) -> None:
    protocol, at, ended = MessageProtocol(), 0, False
    while at < len(data):
        size = choose.choice([1, 2, 7, 100])
        messages = protocol.messages(data[at : at + size])
        at += size
        assert all(message is None or isinstance(message, str) for message in messages)
        answers = protocol.data_to_send()
        assert not (ended and (messages or answers))
        if protocol.state is not State.OPEN and not ended:
            ended = True
            *pongs, close, eof = answers
            assert (close[0], eof) == (0x80 | CLOSE, SEND_EOF)
            assert {pong[0] for pong in pongs} <= {0x80 | PONG}
    assert protocol.parser_exc is None or ended


@pytest.mark.parametrize(
    "data", [b"", sent(TEXT, b"x")[:3], sent(TEXT, fin=False), sent(CLOSE), *(d for d, _ in WRONG.values())]
)
def test_it_needs_no_garbage_collector(data: bytes) -> None:
    protocol = MessageProtocol()
    protocol.messages(data)
    protocol.data_to_send()
    released = weakref.ref(protocol)
    gc.disable()
    try:
        protocol.release()
        del protocol
        assert released() is None
    finally:
        gc.enable()
