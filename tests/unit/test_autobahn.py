"""The cases of sections 1 to 7 of the Autobahn test suite, as frames: what the service receives, and how it ends the connection."""

from itertools import product

import pytest
from websockets.protocol import SEND_EOF

from feed.http.messages import MAX_MESSAGE, MessageProtocol
from tests.unit.test_messages import BINARY, CLOSE, CONT, PING, PONG, TEXT, sent

NORMAL, PROTOCOL_ERROR, INVALID_DATA = 1000, 1002, 1007
BYE = b"\x03\xe8"
FEW, MANY = 1000, 10_000
"""Bytes that arrive at once."""


class Result:
    """What came out of a connection: its messages, the pongs, and the code of the close frame if there was one."""

    def __init__(self, data: bytes, size: int = MANY) -> None:
        protocol = MessageProtocol()
        self.messages: list[str | None] = []
        answers: list[bytes] = []
        for at in range(0, len(data), size):
            self.messages += protocol.messages(data[at : at + size])
            answers += protocol.data_to_send()
        self.pongs = [answer[2:] for answer in answers if answer[:1] == bytes((0x80 | PONG,))]
        ends = [answer for answer in answers if answer[:1] == bytes((0x80 | CLOSE,))]
        assert len(ends) <= 1
        assert bool(ends) == (SEND_EOF in answers)
        self.code = int.from_bytes(ends[0][2:4]) if ends else None


@pytest.mark.parametrize("length", [0, 125, 126, 127, 128, 65_535, 65_536])
@pytest.mark.parametrize("size", [FEW, MANY])
def test_1_messages_of_any_length_in_any_pieces(length: int, size: int) -> None:
    text = Result(sent(TEXT, b"*" * length), size)
    assert (text.messages, text.code) == (["*" * length], None)
    binary = Result(sent(BINARY, b"\xfe" * length), size)
    assert (binary.messages, binary.code) == ([None], None)


def test_2_pings_are_answered_and_pongs_ignored() -> None:
    for payload in (b"", b"Hello, world!", bytes(range(0xFF, 0, -2))[:125], b"\xfe" * 125):
        assert Result(sent(PING, payload)).pongs == [payload]
    assert Result(sent(PING, bytes(126))).code == PROTOCOL_ERROR
    assert Result(sent(PING, b"\xfe" * 125), 1).pongs == [b"\xfe" * 125]
    unasked = Result(sent(PONG) + sent(PONG, b"unasked") + sent(PING, b"ping"))
    assert (unasked.pongs, unasked.code) == ([b"ping"], None)
    ten = b"".join(sent(PING, b"payload-%d" % number) for number in range(10))
    for size in (1, MANY):
        assert Result(ten, size).pongs == [b"payload-%d" % number for number in range(10)]


@pytest.mark.parametrize(("rsv", "opcode"), [*product(range(1, 8), (TEXT, BINARY, PING, PONG))])
def test_3_reserved_bits_end_the_connection(rsv: int, opcode: int) -> None:
    result = Result(sent(TEXT, b"before") + sent(opcode, b"*", rsv=rsv) + sent(PING) + sent(TEXT, b"after"))
    assert (result.messages, result.pongs, result.code) == (["before"], [], PROTOCOL_ERROR)


def test_3_reserved_bits_of_a_close_end_the_connection() -> None:
    assert Result(sent(CLOSE, BYE, rsv=7)).code == PROTOCOL_ERROR


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("payload", [b"", b"reserved"])
def test_4_reserved_opcodes_end_the_connection(opcode: int, payload: bytes) -> None:
    result = Result(sent(TEXT, b"before") + sent(opcode, payload) + sent(PING) + sent(TEXT, b"after"))
    assert (result.messages, result.pongs, result.code) == (["before"], [], PROTOCOL_ERROR)


FIRST, MIDDLE, LAST = (
    sent(TEXT, b"fragment1", fin=False),
    sent(CONT, b"fragment2", fin=False),
    sent(CONT, b"fragment3"),
)


@pytest.mark.parametrize("size", [1, MANY])
def test_5_fragments_with_control_frames_between_them(size: int) -> None:
    pings = FIRST + sent(PING, b"1") + MIDDLE + sent(PING, b"2") + sent(PONG) + LAST
    result = Result(pings, size)
    assert (result.messages, result.pongs, result.code) == (["fragment1fragment2fragment3"], [b"1", b"2"], None)
    assert Result(sent(TEXT, fin=False) + sent(CONT, fin=False) + sent(CONT), size).messages == [""]
    binary = Result(sent(BINARY, b"\xff", fin=False) + sent(CONT, b"\xff"), size)
    assert (binary.messages, binary.code) == ([None], None)


@pytest.mark.parametrize(
    ("data", "messages"),
    {
        "a fragmented ping": (sent(PING, b"1", fin=False) + sent(CONT, b"2"), []),
        "a fragmented pong": (sent(PONG, b"1", fin=False) + sent(CONT, b"2"), []),
        "a fragmented close": (sent(CLOSE, BYE, fin=False), []),
        "nothing to continue": (sent(CONT, b"1") + sent(TEXT, b"2"), []),
        "nothing to continue, unfinished": (sent(CONT, b"1", fin=False) + sent(TEXT, b"2"), []),
        "nothing to continue anymore": (FIRST + LAST + MIDDLE + LAST, ["fragment1fragment3"]),
        "text within text": (FIRST + sent(TEXT, b"2"), []),
        "binary within text": (FIRST + sent(BINARY, b"2", fin=False), []),
    }.values(),
)
def test_5_invalid_fragments_end_the_connection(data: bytes, messages: list[str | None]) -> None:
    result = Result(data)
    assert (result.messages, result.code) == (messages, PROTOCOL_ERROR)


VALID = [
    "Hello-µ@ßöäüàá-UTF-8!!",
    "κόσμε",
    *(chr(code) for code in (0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF)),
]
INVALID = [
    *(b"\x80", b"\xbf", b"\x80\xbf" * 3, bytes(range(0x80, 0xC0))),  # continuations alone
    *(bytes((first, 0x20)) for first in (0xC0, 0xDF, 0xE0, 0xEF, 0xF0, 0xF7, 0xF8, 0xFB, 0xFC, 0xFD)),
    *(b"\xc3", b"\xe0\xa0", b"\xf0\x90\x80", b"\xef\xbf", b"\xf7\xbf\xbf"),  # cut off
    *(b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"),
    *(
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xc0\x80",
    ),
    *(b"\xed\xa0\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80"),  # surrogates
    *(b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"),  # beyond U+10FFFF
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
]


@pytest.mark.parametrize("text", VALID, ids=ascii)
def test_6_valid_text_is_received_however_it_is_cut(text: str) -> None:
    data = text.encode()
    bytewise = sent(TEXT, fin=False) + b"".join(sent(CONT, bytes((byte,)), fin=False) for byte in data) + sent(CONT)
    for frames in (sent(TEXT, data), bytewise):
        for size in (1, MANY):
            result = Result(frames, size)
            assert (result.messages, result.code) == ([text], None)


@pytest.mark.parametrize("data", INVALID, ids=bytes.hex)
def test_6_invalid_text_ends_the_connection(data: bytes) -> None:
    bytewise = b"".join(sent(CONT, bytes((byte,)), fin=False) for byte in data)
    for frames in (
        sent(TEXT, data),
        sent(TEXT, b"before" + data),
        sent(TEXT, b"before", fin=False) + sent(CONT, data),
        sent(TEXT, fin=False) + bytewise + sent(CONT),
    ):
        result = Result(frames)
        assert (result.messages, result.code) == ([], INVALID_DATA)


def test_6_invalid_text_ends_the_connection_before_the_message_ends() -> None:
    begun = sent(TEXT, "κόσμε".encode(), fin=False)
    assert Result(begun + sent(CONT, b"\xf4\x90\x80\x80", fin=False)).code == INVALID_DATA
    assert Result(begun + sent(CONT, b"\xf4", fin=False)).code is None
    assert Result(begun + sent(CONT, b"\xf4", fin=False) + sent(CONT, b"\x90", fin=False)).code == INVALID_DATA


@pytest.mark.parametrize("frame", [sent(TEXT, b"x"), sent(PING, b"x"), sent(CLOSE, BYE), sent(CONT, b"x")])
def test_7_nothing_is_received_after_a_close(frame: bytes) -> None:
    for size in (1, MANY):
        result = Result(sent(TEXT, b"Hello World!") + sent(CLOSE, BYE) + frame, size)
        assert (result.messages, result.pongs, result.code) == (["Hello World!"], [], NORMAL)


def test_7_a_close_within_a_message_and_after_a_message_that_is_too_large() -> None:
    assert Result(FIRST + sent(CLOSE, BYE) + LAST).code == NORMAL
    assert Result(sent(TEXT, b"*" * 4 * MAX_MESSAGE) + sent(CLOSE, BYE) + sent(PING)).code == 1009


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", 0),
        (b"\x03", PROTOCOL_ERROR),
        (BYE, NORMAL),
        (BYE + b"Hello World!", NORMAL),
        (BYE + b"*" * 123, NORMAL),
        (BYE + b"*" * 124, PROTOCOL_ERROR),
        (BYE + "κόσμε".encode(), NORMAL),
        (BYE + b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", INVALID_DATA),
    ],
)
def test_7_the_payload_of_a_close(payload: bytes, code: int) -> None:
    assert Result(sent(CLOSE, payload)).code == code


@pytest.mark.parametrize("code", [*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_7_valid_close_codes_are_echoed(code: int) -> None:
    assert Result(sent(CLOSE, code.to_bytes(2))).code == code
    assert Result(sent(CLOSE, code.to_bytes(2) + b"reason")).code == code


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])
def test_7_invalid_close_codes_are_a_protocol_error(code: int) -> None:
    assert Result(sent(CLOSE, code.to_bytes(2))).code == PROTOCOL_ERROR
    assert Result(sent(CLOSE, code.to_bytes(2) + b"reason")).code == PROTOCOL_ERROR
