"""The report: docs/benchmarks.md, its charts and raw.json.

Invariant: everything comes from raw.json, so `python -m tests.bench.report` writes the report of the last run again.
"""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from tests.bench.plots import draw
from tests.bench.scenarios import NAMES
from tests.bench.scenarios.peers import TITLES

DOCS = Path(__file__).parents[2] / "docs"
RAW = DOCS / "benchmarks/raw.json"
_SCENARIOS = Path(__file__).parent / "scenarios"
_ALT = {
    "efficiency": "Deliveries per CPU-second of boardcast and its peers, with 100 and 1,000 clients",
    "latency": "Time from commit to client at 500 writes a second, of boardcast and its peers",
    "low_rate": "Time from commit to client at 20 writes a second, and of a bare LISTEN",
    "writers": "Committed updates per second with NOTIFY off, with adaptive, and with always",
    "growth": "CPU time per delivery by clients, and per read pass by rows in the log",
}
_WHY = {
    "writers_unread": "The feed and the writers share two cores, and the writers lack the CPU time that the feed uses. Relative to "
    "the same feed with NOTIFY off, the rate meets its target.",
    "capture": "An UPDATE with capture also writes two images of the row to a log with three indexes. This halves the rate. "
    "With row-level triggers generated for each table, the ratio was 0.57×. That gain is not worth a function per table.",
    "low_rate_median": "The median client is the fiftieth of a hundred. Each send takes 8 µs, so this client waits 0.4 ms for "
    "the sends to the clients before it. The rest of the difference is the query that follows the notification.",
}
"""Why a figure misses its target."""
_METHOD = """\
Everything runs on one machine, over loopback. The server process has a core to itself, and the clients and writers share the other
core. PostgreSQL uses both cores, with its default durability. Absolute figures therefore apply only to this machine, and waiting
for a core is a large part of each latency. Ratios carry over to other machines, because both sides of a ratio are measured in turns
in the same run.

A delivery is one event at one client. Latency is measured until the client has received the event. At a scheduled rate, it is
measured from the time when the write was due, so a stall counts for every write that it delays. Every client is checked: it must
get every write exactly once, not before it was written and not long after. If boardcast fails this check, the run has no figures
and is reported as failed."""


def report(raw: Mapping[str, Any]) -> None:
    """Write the page, the charts and raw.json."""
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
    yield _wrapped(
        f"In a run of `make bench` on {raw['date']}, {met} of {len(figures)} figures met their target. It took "
        f"{raw['took_s'] / 60:.0f} minutes on one machine, which also ran the load: {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, {machine['kernel']}.\n"
    )
    yield _wrapped(
        "All figures are in [raw.json](benchmarks/raw.json). The [notes](benchmarks/notes.md) contain the measurements that led to "
        "the [decisions](decisions/README.md).\n"
    )
    yield "## Results\n"
    yield from _table(figures)
    missed = [figure for figure in figures if not figure["met"]]
    if missed:
        yield "\nWhy these figures missed their target:\n"
        for figure in missed:
            yield _wrapped(f"- **{figure['what']}.** {_WHY.get(figure['name'], 'Not explained yet.')}", indent="  ")
    for failed in raw["failed"]:
        yield f"\n**{failed['scenario']} failed**: {failed['error']}"
    if "peers" in details:
        yield "\n## Comparison\n"
        yield from _peers(details["peers"])
    for name in drawn:
        yield f"\n{picture(name, 'benchmarks')}"
    yield "\n## Method\n"
    yield _METHOD
    yield "\n## Running the benchmarks\n"
    yield "`make bench` needs no preparation, and writes this page. `.venv/bin/python -m tests.bench NAME…` runs only these"
    yield "scenarios and writes no file. `--seconds N` sets how long each load lasts."
    yield "\n`.venv/bin/python -m tests.bench.hostile` prints how long other clients wait during each attack of `tests/hostile`."
    yield "\n## Scenarios\n"
    for name in NAMES:
        yield f"**{name}**: {_summary(name)}\n"
    yield "## Versions and credits\n"
    yield "Each peer runs as its documentation describes. The programs are in `tests/bench/peers`.\n"
    yield _wrapped(", ".join(f"{name} {version}" for name, version in raw["versions"].items()) + ".\n")


def _table(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| figure | target | result | |"
    yield "|---|---:|---:|---|"
    for figure in figures:
        bound = "≥" if figure["more"] else "≤"
        value, aim = quantity(figure["value"], figure["unit"]), quantity(figure["aim"], figure["unit"])
        yield f"| {figure['what']} | {bound} {aim} | {value} | {'met' if figure['met'] else '**not met**'} |"


def _peers(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| | deliveries per CPU-second, 100 clients | 1,000 clients | 500 writes/s: median | p99 | CPU time of helpers | faults |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    for name, row in rows.items():
        steady = row["steady_ms"]
        beside = f"{row['beside_per_serving_cpu']:.0%} of the server's" if row["beside_per_serving_cpu"] else "none"
        yield (
            f"| {TITLES[name]} | {row['deliveries_per_cpu_s_100']:,} | {row['deliveries_per_cpu_s_1000']:,} "
            f"| {steady['median']:.1f} ms | {steady['p99']:.1f} ms | {beside} | {'; '.join(row['faults']) or 'none'} |"
        )


def quantity(value: float, unit: str) -> str:
    """Format a value with its unit."""
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{shown}{unit}" if unit in {"×", "%", ""} else f"{shown} {unit}"


def picture(name: str, place: str) -> str:
    """The chart for the light or the dark theme of the page."""
    return (
        f'<picture>\n  <source media="(prefers-color-scheme: dark)" srcset="{place}/{name}-dark.svg">\n'
        f'  <img src="{place}/{name}-light.svg" alt="{_ALT[name]}">\n</picture>'
    )


def _wrapped(text: str, indent: str = "") -> str:
    """Wrap the text like the other pages, and keep a line break at its end."""
    wrapped = fill(text, 132, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return wrapped + "\n" * text.endswith("\n")


def _summary(name: str) -> str:
    module = _SCENARIOS / f"{name}.py"
    return ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""


if __name__ == "__main__":
    report(json.loads(RAW.read_text(encoding="utf-8")))
