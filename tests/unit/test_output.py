"""Command output: tables for people, JSON for programs, and no control sequence that a terminal would run."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli import formatting, output

ROWS = [
    {"name": "a\x1b[31m\nb", "n": 7, "well": True, "at": None},
    {"name": "ü \u202egnp.exe", "n": 1234, "well": False, "at": datetime(2026, 11, 24, 12, tzinfo=UTC)},
]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    def lines() -> list[str]:
        return capsys.readouterr().out.splitlines()

    return lines


def test_a_table(printed: Callable[[], list[str]]) -> None:
    output.print_table(ROWS, json=False, columns=["n", "name", "well"])
    assert printed() == [
        "   n  name             well",
        "   7  a\\x1b[31m\\nb     yes",
        "1234  ü \\u202egnp.exe  no",
    ]


def test_json_has_all_columns(printed: Callable[[], list[str]]) -> None:
    output.print_table(ROWS, json=True, columns=["n"])
    first, second = (json.loads(line) for line in printed())
    assert first == ROWS[0]
    assert second["at"] == "2026-11-24T12:00:00Z"


def test_an_empty_result(printed: Callable[[], list[str]]) -> None:
    output.print_table([], json=False, empty="no partition is that old")
    output.print_table([], json=True, empty="no partition is that old")
    output.print_table([], json=False)
    assert printed() == ["no partition is that old"]


def test_a_long_line_is_not_truncated_in_a_file(printed: Callable[[], list[str]]) -> None:
    output.print_table([{"what": "x" * 5000}], json=False)
    assert printed()[1] == "x" * 5000


def test_the_result_of_an_action(printed: Callable[[], list[str]]) -> None:
    output.print_result("kept for 30 days", json=False, kept=timedelta(days=30))
    output.print_result("kept for 30 days", json=True, kept=timedelta(days=30), by=None)
    output.print_result("", json=False, kept=1)
    text, result = printed()
    assert text == "kept for 30 days"
    assert json.loads(result) == {"kept": 30 * 86400.0, "by": None}


def test_a_change_is_always_one_line() -> None:
    change: dict[str, Any] = dict.fromkeys(
        ("board", "source", "application", "client_addr", "origin", "step", "relation", "key", "title", "changes")
    )
    change |= {
        "at": "2026-11-24T12:00:00+00:00",
        "seq": 7,
        "actor": "a\r\x07na",
        "op": "update",
        "changes": "x: \x9b2J\n → y",
    }
    line = formatting.format_change(change, json=False)
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert "a\\r\\x07na" in line
    assert "x: \\x9b2J\\n → y" in line
    change |= {"title": "a\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029\x9b2J\u202e"}
    line = formatting.format_change(change, json=True)
    assert len(line.splitlines()) == 1
    assert not re.search("[\x7f-\x9f\u2028-\u202e]", line)
    assert json.loads(line) == change
