"""The report: docs/benchmarks.md, its pictures and raw.json.

Invariant: all of it is made of raw.json, so `python -m tests.bench.report` makes it anew from a run that was.
"""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.plots import draw
from tests.bench.scenarios import NAMES
from tests.bench.scenarios.peers import TITLES

DOCS = Path(__file__).parents[2] / "docs"
RAW = DOCS / "benchmarks/raw.json"
_SCENARIOS = Path(__file__).parent / "scenarios"
_ALT = {
    "efficiency": "Deliveries per CPU-second of boardcast and its peers, with 100 and with 1,000 clients",
    "latency": "Time from commit to client at 500 writes a second, of boardcast and its peers",
    "calm": "Time from commit to client when it is calm, beside a bare LISTEN",
    "writers": "Committed updates per second with and without the doorbell",
    "growth": "Cost per delivery by clients, and cost per sweep by rows in the log",
}
_WHY = {
    "writers_unread": "The feed and the writers share two cores, and the feed's share is what is missing. Against the same feed "
    "without NOTIFY the rate meets its aim.",
    "capture": "An UPDATE with capture also writes two images of the row into a log with three indexes. Half of the rate is what "
    "that leaves; a trigger function generated for each table reached 0.57× and was not worth it.",
    "calm_median": "The median client is the fiftieth of a hundred, and each send takes 8 µs, so it waits 0.4 ms for the others. "
    "The rest is the query that follows the notification.",
}
"""Why a figure misses its aim."""
_HOW_TO_READ = """\
Everything is on loopback on one machine: the process that serves has a core to itself, clients and writers share the other, and
PostgreSQL, durable as it comes, uses both. So absolute figures are this machine's, and much of a latency is the wait for a core;
what carries over are the ratios, each of two things measured in turn in the same run.

Writers keep to a schedule and a write is timed from when it was due, so a stall counts for every write that it held up. A delivery
is one event at one client. Every client is checked to have been told of every write once, not before it was written and not long
after; a run of boardcast in which that does not hold has no figure, and counts as failed."""


def report(raw: Mapping[str, Any]) -> None:
    """Write all of it."""
    RAW.parent.mkdir(parents=True, exist_ok=True)
    RAW.write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    details: dict[str, Any] = {}
    for figure in raw["figures"]:
        details |= figure["detail"]
    drawn = draw(details, RAW.parent)
    (DOCS / "benchmarks.md").write_text("\n".join(_page(raw, details, drawn)), encoding="utf-8")


def _page(raw: Mapping[str, Any], details: Mapping[str, Any], drawn: Sequence[str]) -> Iterator[str]:
    machine = raw["machine"]
    figures = raw["figures"]
    met = sum(figure["met"] for figure in figures)
    yield "# Benchmarks\n"
    yield (
        f"One run of `make bench` on {raw['date']}, of {raw['took_s'] / 60:.0f} minutes: {met} of {len(figures)} figures reach "
        f"their aim. {machine['cpu']}, {machine['cores']} cores and {machine['memory_gb']} GB for everything together, the load "
        f"too; {machine['kernel']}. Measurements behind the [decisions](decisions/README.md) are in the "
        "[notes](benchmarks/notes.md), all figures in [raw.json](benchmarks/raw.json).\n"
    )
    yield "## What is to be reached, and what was\n"
    yield from _table(figures)
    missed = [figure for figure in figures if not figure["met"] and figure["name"] in _WHY]
    if missed:
        yield "\nWhy the figures that missed their aim did:\n"
        yield from (f"- {figure['what']}: {_WHY[figure['name']]}" for figure in missed)
    for failed in raw["failed"]:
        yield f"\n**{failed['scenario']} failed**: {failed['error']}"
    if "peers" in details:
        yield "\n## Beside its peers\n"
        yield from _peers(details["peers"])
    for name in drawn:
        yield f"\n{picture(name, 'benchmarks')}"
    yield "\n## How to read it\n"
    yield _HOW_TO_READ
    yield "\n## How to run it\n"
    yield "`make bench` does all its own set-up and writes this page. `.venv/bin/python -m tests.bench NAME…` runs single parts and"
    yield "writes nothing; `--seconds N` makes their loads shorter or longer."
    yield "\n## What each part does\n"
    for name in NAMES:
        yield f"**{name}** {_told(name)}\n"
    yield "## Versions and credits\n"
    yield "The peers are the work of others, each run as its documentation says; the programs are in `tests/bench/peers`.\n"
    yield ", ".join(f"{name} {version}" for name, version in raw["versions"].items()) + ".\n"


def _table(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| what | aim | figure | |"
    yield "|---|---:|---:|---|"
    for figure in figures:
        bound = "≥" if figure["more"] else "≤"
        value, aim = quantity(figure["value"], figure["unit"]), quantity(figure["aim"], figure["unit"])
        yield f"| {figure['what']} | {bound} {aim} | {value} | {'met' if figure['met'] else '**not met**'} |"


def _peers(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| | deliveries per CPU-second, 100 clients | 1,000 clients | 500 writes/s: median | p99 | needed beside it | faults |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    for name, row in rows.items():
        steady = row["steady_ms"]
        beside = (
            f"{row['beside_per_serving_cpu']:.0%} of its CPU time again" if row["beside_per_serving_cpu"] else "nothing"
        )
        yield (
            f"| {TITLES[name]} | {row['deliveries_per_cpu_s_100']:,} | {row['deliveries_per_cpu_s_1000']:,} "
            f"| {steady['median']:.1f} ms | {steady['p99']:.1f} ms | {beside} | {'; '.join(row['faults']) or 'none'} |"
        )


def quantity(value: float, unit: str) -> str:
    """The number as people read it."""
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{shown}{unit}" if unit in {"×", "%"} else f"{shown} {unit}"


def picture(name: str, place: str) -> str:
    """It in the colours of the page."""
    return (
        f'<picture>\n  <source media="(prefers-color-scheme: dark)" srcset="{place}/{name}-dark.svg">\n'
        f'  <img src="{place}/{name}-light.svg" alt="{_ALT[name]}">\n</picture>'
    )


def _told(name: str) -> str:
    module = _SCENARIOS / f"{name}.py"
    return ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""


if __name__ == "__main__":
    report(json.loads(RAW.read_text(encoding="utf-8")))
