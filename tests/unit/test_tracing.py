"""Trace contexts as they are read, and a service without OpenTelemetry."""

import sys

import pytest
from starlette.datastructures import Headers

from api import tracing as request_tracing
from feed.telemetry import tracing

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def given(*values: str) -> str | None:
    return request_tracing.read_traceparent(Headers(raw=[(b"traceparent", value.encode()) for value in values]))


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (TRACE, TRACE),
        (f" {TRACE} ", TRACE),
        (f"cc{TRACE[2:]}", TRACE),
        (f"cc{TRACE[2:]}-more", TRACE),
        (f"cc{TRACE[2:]}more", None),
        (f"{TRACE}-more", None),
        (f"ff{TRACE[2:]}", None),
        (TRACE.upper(), None),
        (TRACE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32), None),
        (TRACE.replace("b7ad6b7169203331", "0" * 16), None),
        (TRACE[:-1], None),
        ("", None),
        ("00-" + "é" * 52, None),
    ],
)
def test_a_trace_context(said: str, read: str | None) -> None:
    assert given(said) == read


def test_two_are_none() -> None:
    assert given() is None
    assert given(TRACE, TRACE) is None


def test_without_opentelemetry_there_are_no_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("feed.telemetry.spans", "starlette.middleware.opentelemetry"):
        monkeypatch.setitem(sys.modules, name, None)
    assert tracing.delivery_spans("feed-1") is None
    assert tracing.current_traceparent()() is None
    assert request_tracing.middleware() == []


def test_without_opentelemetry_set_up_there_is_no_trace() -> None:
    assert tracing.current_traceparent()() is None
