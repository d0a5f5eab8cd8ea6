"""The encoders follow the standards; the websockets library reads the frames back."""

import json
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from feed.wire.encoding import PING, SSE, SSE_CHUNKED, WEBSOCKET, WEBSOCKET_BATCH, chunk, frame
from feed.wire.event import Event, message
from tests.support.changes import change

BODIES = [b'{"type":"a","seq":1', b'{"type":"b","seq":2', b'{"type":"c","seq":3']


def _events(number: int) -> list[Event]:
    return [Event(name, change(seq=n), BODIES[n]) for n, name in enumerate("abc"[:number])]


def _frames(data: bytes) -> list[Frame]:
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    found = []
    while not _done(reader.at_eof()):
        found.append(_done(Frame.parse(reader.read_exact, mask=False)))
    return found


def _done(work: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
def test_a_frame_of_any_size_survives_a_round_trip(size: int) -> None:
    payload = b"x" * size
    (read,) = _frames(frame(payload))
    assert read == Frame(Opcode.TEXT, payload, fin=True)


def test_ping_and_pong_are_control_frames() -> None:
    assert _frames(PING + frame(b"yes", opcode=0xA)) == [Frame(Opcode.PING, b""), Frame(Opcode.PONG, b"yes")]


def test_each_event_is_a_frame_and_the_last_has_the_cursor() -> None:
    texts = [f.data for f in _frames(WEBSOCKET.events(_events(3), "c.1"))]
    assert texts == [BODIES[0] + b"}", BODIES[1] + b"}", BODIES[2] + b',"cursor":"c.1"}']
    assert [f.data for f in _frames(WEBSOCKET.events(_events(2), None))] == [b + b"}" for b in BODIES[:2]]


def test_a_batch_is_one_frame() -> None:
    (whole,) = _frames(WEBSOCKET_BATCH.events(_events(2), "c.1"))
    assert whole.data == b'{"type":"batch","events":[%b},%b}],"cursor":"c.1"}' % (BODIES[0], BODIES[1])
    (part,) = _frames(WEBSOCKET_BATCH.events(_events(1), None))
    assert part.data == b'{"type":"batch","events":[%b}]}' % BODIES[0]


def test_no_events_encode_to_nothing() -> None:
    assert [e.events([], "c.1") for e in (WEBSOCKET, WEBSOCKET_BATCH, SSE, SSE_CHUNKED)] == [b""] * 4


def test_server_sent_events_have_their_fields() -> None:
    assert SSE.events(_events(2), "c.1") == (
        b'event: a\ndata: {"type":"a","seq":1}\n\nevent: b\nid: c.1\ndata: {"type":"b","seq":2,"cursor":"c.1"}\n\n'
    )
    assert SSE.heartbeat(None) == b'event: heartbeat\ndata: {"type":"heartbeat"}\n\n'
    assert SSE.heartbeat("c.1") == b'event: heartbeat\nid: c.1\ndata: {"type":"heartbeat","cursor":"c.1"}\n\n'
    assert SSE.goodbye(b"{}", 250) == b"retry: 250\nevent: goodbye\ndata: {}\n\n"


LINE_ENDS_AND_NEIGHBORS = "aé☃\r\n\v\f\0\x1c\x1d\x1e\x1f\x7f\x80\x85\xa0\u2027\u2028\u2029\u202a\ufeff\U0010ffff"


@given(st.text(st.sampled_from(LINE_ENDS_AND_NEIGHBORS)))
def test_a_server_sent_event_is_one_line_for_readers_that_split_as_unicode_does(text: str) -> None:
    for body in (message("note", text=text), json.dumps({"type": "note", "text": text}, ensure_ascii=False).encode()):
        event, data, *rest = SSE.message("note", body).decode().splitlines()
        assert (event, rest) == ("event: note", [""])
        assert json.loads(data.removeprefix("data: ")) == {"type": "note", "text": text}


@given(st.lists(st.binary(min_size=1), max_size=5))
def test_chunks_survive_a_round_trip(parts: list[bytes]) -> None:
    data = b"".join(map(chunk, parts))
    read = []
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        read.append(data[:length])
        assert data[length : length + 2] == b"\r\n"
        data = data[length + 2 :]
    assert read == parts


def test_chunked_sse_is_sse_in_chunks() -> None:
    for cursor in (None, "c.1"):
        assert SSE_CHUNKED.events(_events(3), cursor) == chunk(SSE.events(_events(3), cursor))
        assert SSE_CHUNKED.heartbeat(cursor) == chunk(SSE.heartbeat(cursor))
        assert SSE_CHUNKED.message("x", b"{}", cursor) == chunk(SSE.message("x", b"{}", cursor))
    assert SSE_CHUNKED.goodbye(b"{}", 5) == chunk(SSE.goodbye(b"{}", 5))
