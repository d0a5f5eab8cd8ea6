"""`python -m tests.bench` runs all scenarios and writes the report; with names, it runs these and prints their results.

Invariant: a scenario that fails is reported as failed, the others run, and the exit status is 1.
"""

import argparse
import dataclasses
import re
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from tests.bench.figure import Figure
from tests.bench.perform import perform
from tests.bench.scenarios import NAMES

console = Console(highlight=False, markup=False)

_ERROR = 300
"""Characters of an error that are reported."""

Figures = dict[str, list[Figure]]
"""By scenario."""


def run(names: Sequence[str], seconds: int | None) -> tuple[Figures, dict[str, str]]:
    """Return the figures, and the error of each scenario that failed."""
    figures: Figures = {}
    failed: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        console.print(f"[{place}/{len(names)}] {name}")
        try:
            figures[name] = perform(name, seconds)
        except Exception as error:  # noqa: BLE001 - the other scenarios still run
            traceback.print_exc()
            message = " ".join(f"{type(error).__name__}: {error}".split())[:_ERROR]
            failed[name] = re.sub(r"/[^\s'\"]+", "…", message)  # no paths of this machine
        else:
            console.print(table(figures[name]))
    return figures, failed


def table(figures: Sequence[Figure]) -> Table:
    shown = Table("figure", "target", "result", "")
    for figure in figures:
        bound = "≥" if figure.more else "≤"
        shown.add_row(
            figure.what,
            f"{bound} {figure.aim:,g} {figure.unit}",
            f"{figure.value:,.4g} {figure.unit}",
            "met" if figure.met else "NOT MET",
        )
    return shown


def raw(figures: Figures, failed: dict[str, str], took: float) -> dict[str, object]:
    """Return the contents of raw.json."""
    from tests.bench.machine import machine, versions  # noqa: PLC0415 - only the report needs these packages

    return {
        "date": datetime.now(UTC).date().isoformat(),
        "took_s": round(took),
        "machine": machine(),
        "versions": versions(),
        "failed": [{"scenario": name, "error": error} for name, error in failed.items()],
        "figures": [
            {"scenario": name, **dataclasses.asdict(figure), "met": figure.met}
            for name, its in figures.items()
            for figure in its
        ],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--seconds", type=int, help="seconds that each load lasts")
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.names if name not in NAMES]:
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(NAMES)}")
    begin = time.monotonic()
    figures, failed = run(chosen.names or NAMES, chosen.seconds)
    if not chosen.names:
        from tests.bench.report import report  # noqa: PLC0415 - as above

        report(raw(figures, failed, time.monotonic() - begin))
        console.print("wrote docs/benchmarks.md")
    if len(figures) > 1:
        console.print(table([figure for its in figures.values() for figure in its]))
    for name, error in failed.items():
        console.print(f"{name} failed: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
