"""Parsing of trace contexts, and a service without OpenTelemetry."""

import sys

import pytest
from starlette.datastructures import Headers

from api import tracing as request_tracing
from feed.telemetry import tracing

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def parsed(*values: str) -> str | None:
    return request_tracing.read_traceparent(Headers(raw=[(b"traceparent", value.encode()) for value in values]))


@pytest.mark.parametrize(
    ("header", "expected"),
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
def test_a_trace_context(header: str, expected: str | None) -> None:
    assert parsed(header) == expected


def test_none_or_two_headers_give_no_trace_context() -> None:
    assert parsed() is None
    assert parsed(TRACE, TRACE) is None


def test_without_opentelemetry_there_are_no_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("feed.telemetry.spans", "starlette.middleware.opentelemetry"):
        monkeypatch.setitem(sys.modules, name, None)
    assert tracing.delivery_spans("feed-1") is None
    assert tracing.current_traceparent()() is None
    assert request_tracing.middleware() == []


def test_without_opentelemetry_configured_there_is_no_trace() -> None:
    assert tracing.current_traceparent()() is None
