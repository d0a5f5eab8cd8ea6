"""Compares the tables of the documentation with the code, so that they cannot diverge."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ByteSize

from api import database_check
from api.http.problems import PROBLEMS
from api.metrics import ApiMetrics
from cli import connect, failures
from db import connection, engine
from db.settings import Settings
from feed import runtime, stream_request
from feed.access import issuer_keys
from feed.integrity import checkpoints, gap_reports
from feed.notify import pacer
from feed.presence import tracker
from feed.recovery import read_timeouts
from feed.registry import instance_registry
from feed.system import database
from feed.tailing import listener, log_reader, prefetch, replica
from feed.telemetry.metrics import Metrics
from feed.upkeep import maintenance, stage_reader
from feed.wire import close_codes, protocol
from feed.wire.cursor import Fault
from feed.wire.problems import STREAM_PROBLEMS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = ROOT / "docs" / "decisions"


@cache
def table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its header row and backquotes."""
    text = (ROOT / "docs" / page).read_text()
    section = re.split(r"^#+ ", text.split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]
    first = re.search(r"(?:^\|.*\|\n)+", section, re.MULTILINE)
    assert first, heading
    rows = re.findall(r"^\|(.*)\|$", first[0], re.MULTILINE)
    return [[cell.strip().replace("`", "") for cell in row.split("|")] for row in rows[2:]]


def column(page: str, heading: str, index: int = 0) -> list[str]:
    return [row[index] for row in table(page, heading)]


def test_close_codes() -> None:
    assert table("protocol.md", "Close codes") == [
        [str(each.code), each.name, "yes" if each.reconnect else "no", str(each.status), each.meaning]
        for each in close_codes.ALL
    ]


def test_reset_reasons() -> None:
    assert column("protocol.md", "Resets") == [str(fault) for fault in Fault]


def test_problems() -> None:
    rows = table("protocol.md", "Problems")
    assert sorted(rows) == sorted([slug, str(kind.status), kind.title] for slug, kind in PROBLEMS.items())


def test_streams_are_refused_with_documented_problems() -> None:
    tree = ast.parse(Path(stream_request.__file__).read_text())
    raised = {slug for node in _calls(tree, "StreamError") if (slug := _text(node.args[0]))}
    assert raised | set(stream_request.TOKEN_PROBLEMS.values()) | set(stream_request._REFUSAL_PROBLEMS.values()) == set(
        STREAM_PROBLEMS
    )
    assert all(each.status == STREAM_PROBLEMS[slug].status for each, slug in stream_request._REFUSAL_PROBLEMS.items())


def test_client_messages() -> None:
    documented = {
        model.model_fields["type"].annotation.__args__[0]: [
            f"{name}{'' if field.is_required() else '?'}"
            for name, field in model.model_fields.items()
            if name != "type"
        ]
        for model in get_args(protocol.Incoming)
    }
    rows = table("protocol.md", "Client messages")
    assert {row[0]: re.findall(r"\w+\??", row[1]) for row in rows} == documented
    assert [row[0] for row in rows] == list(protocol.TYPES)


def test_service_messages() -> None:
    sent = set()
    for path in (ROOT / "feed").rglob("*.py"):
        tree = ast.parse(path.read_text())
        for name in ("message", "send", "send_with_cursor", "send_to_board", "send_to_boards"):
            sent |= {value for node in _calls(tree, name) for value in map(_text, node.args) if value}
    events = re.findall(r'"((?:opportunity|row)_[a-z]+ed|resync)"', (ROOT / "feed" / "wire" / "event.py").read_text())
    known = set(column("protocol.md", "Service messages"))
    assert {word for word in sent if re.fullmatch(r"[a-z_]+", word)} - set(error_codes()) <= known
    assert set(events) <= known
    assert known <= sent | set(events) | {"error", "auth_error", "batch"}


def test_error_codes() -> None:
    assert sorted(column("protocol.md", "Error codes")) == sorted(set(error_codes()))


def error_codes() -> list[str]:
    """Return every code that the feed uses in an error or auth_error."""
    found = [close_codes.NO_AUTH.name, close_codes.TOO_MANY.name]
    for path in (ROOT / "feed").rglob("*.py"):
        tree = ast.parse(path.read_text())
        codes = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "code"]
        found += [value for node in codes if (value := _text(node))]
        for name in ("BadMessageError", "UnauthenticatedError", "TokenError"):
            found += [value for node in _calls(tree, name) if node.args and (value := _text(node.args[0]))]
        found += [value for node in _calls(tree, "reject") if len(node.args) > 3 and (value := _text(node.args[2]))]
    return found


def test_settings() -> None:
    rows = {row[0]: row[1] for row in table("operations.md", "Settings")}
    fields = {
        str(field.validation_alias or f"BOARDCAST_{name.upper()}"): field
        for name, field in Settings.model_fields.items()
    }
    assert list(rows) == list(fields)
    for name, field in fields.items():
        assert rows[name] == _shown(field.default) or rows[name].endswith("own"), name


def _shown(default: Any) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, ByteSize):
        return default.human_readable().replace(".0", "")
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_metrics() -> None:
    registry = Metrics().registry
    ApiMetrics(registry)
    collectors: list[Any] = list(registry._collector_to_names)
    rows = {row[0]: row[1:] for row in table("operations.md", "Metrics")}
    families = [(next(iter(each.collect())), getattr(each, "_labelnames", ())) for each in collectors]
    families = [(each, labels) for each, labels in families if not each.name.startswith("process_")]
    assert rows == {each.name: [each.type, ", ".join(labels), each.documentation] for each, labels in families}


DEADLINES = {
    "Resolving the names of the hosts": connection.RESOLVE_TIMEOUT,
    "Connecting to each host, authentication included": connection.CONNECT_TIMEOUT,
    "An answer on any connection of the feed, unless listed below": connection.READ_TIMEOUT,
    "An answer, or the next rows, from the replica; after that, the instance reads the primary": replica.READ_TIMEOUT,
    "The next rows of the log, read by the tailer; twice as long after each timeout": log_reader.PROGRESS_TIMEOUT - 1,
    "The next rows for a client that catches up; twice as long after each timeout of the same read": read_timeouts.INITIAL_TIMEOUT,
    "The longest of these timeouts": read_timeouts.MAX_TIMEOUT,
    "The answer to the query that a notification triggers; after that, the tailer reads": prefetch._TIMEOUT,
    "A notification to the listener; after that, the listener tests itself": listener._PROBE_AFTER,
    "The listener's test": listener._PROBE_TIMEOUT,
    "A statement of the pacer": pacer._STATEMENT_TIMEOUT,
    "A connection of the feed's pool": database.POOL_TIMEOUT,
    "Counting a board for a checkpoint": checkpoints.COUNT_TIMEOUT,
    "Finding the cause of a gap": gap_reports.REPORT_TIMEOUT,
    "Redeeming a ticket": runtime._REDEEM_TIMEOUT,
    "A step of feed.maintain()": maintenance.STEP_TIMEOUT,
    "Copying the next changes of stages from the log": stage_reader.STEP_TIMEOUT,
    "An answer to a request of the API": engine.READ_TIMEOUT,
    "Checking that a connection of the API's pool works, before a request gets it": engine.PING_TIMEOUT,
    "A connection of the API's pool": engine.POOL_TIMEOUT,
    "The API's check of the database for /readyz": database_check.CHECK_TIMEOUT,
    "The server's answer to the cancellation of a statement; after that, the connection is closed": connection.CANCEL_TIMEOUT,
    "The keys of the issuer behind JWT_JWKS_URL": issuer_keys.FETCH_TIMEOUT,
    "At a stop: releasing presence leases": tracker.RELEASE_TIMEOUT,
    "At a stop: removing the instance from feed.instances": instance_registry.LEAVE_TIMEOUT,
    "At a stop: closing a pool that is still connecting": database.CLOSE_TIMEOUT,
    "An answer to a command": connect.READ_TIMEOUT,
    "An answer to verify, prune, log, attach, detach, flags capture": connect.WORK_TIMEOUT,
}


def test_deadlines() -> None:
    rows = table("operations.md", "Deadlines")
    assert [(wait, float(seconds)) for wait, seconds in rows] == list(DEADLINES.items())


def test_exit_statuses() -> None:
    assert table("operations.md", "Exit statuses") == [list(status) for status in failures.STATUSES]
    numbers = [getattr(failures, status.name.upper()) for status in failures.STATUSES[:-1]]
    assert [str(number) for number in numbers] == [status.number for status in failures.STATUSES[:-1]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_have_targets(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        assert ":" not in path or path.startswith("http"), target
        if path.startswith("http"):
            continue
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}, target


def test_the_index_of_decisions_lists_each_page_by_title() -> None:
    listed = re.findall(r"^- \[(.+?)\]\((.+?)\)", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    assert listed == [(page.read_text().splitlines()[0].removeprefix("# "), page.name) for page in pages]


@pytest.mark.parametrize("page", sorted(DECISIONS.glob("[0-9]*.md")), ids=lambda page: page.stem)
def test_a_decision_has_its_number_and_three_parts(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def _calls(tree: ast.AST, name: str) -> list[Any]:
    """Return the calls of a function or method with this name."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and name in {getattr(node.func, "id", ""), getattr(node.func, "attr", "")}
    ]


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
