"""`python -m tests.bench` runs all; `python -m tests.bench NAME…` runs some and prints their table.

Invariant: a scenario that fails is told as failed, the others run, and the exit status is 1.
"""

import argparse
import sys
import traceback
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tests.bench.figure import Figure
from tests.bench.perform import perform
from tests.bench.scenarios import NAMES

console = Console(highlight=False, markup=False)


def run(names: Sequence[str], seconds: int | None) -> tuple[list[Figure], list[str]]:
    """The figures, and the names of what failed."""
    figures: list[Figure] = []
    failed: list[str] = []
    for place, name in enumerate(names, 1):
        console.print(f"[{place}/{len(names)}] {name}")
        try:
            figures += perform(name, seconds)
        except Exception:  # noqa: BLE001 - whatever it was, the next one is not to suffer
            traceback.print_exc()
            failed.append(name)
    return figures, failed


def table(figures: Sequence[Figure]) -> Table:
    shown = Table("what", "aim", "figure", "")
    for figure in figures:
        bound = "≥" if figure.more else "≤"
        shown.add_row(
            figure.what,
            f"{bound} {figure.aim:,g} {figure.unit}",
            f"{figure.value:,.4g} {figure.unit}",
            "met" if figure.met else "NOT MET",
        )
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--seconds", type=int, help="how long each part is to last, instead of its own time")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.names if name not in NAMES]:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(NAMES)}")
    figures, failed = run(chosen.names or NAMES, chosen.seconds)
    console.print(table(figures))
    if failed:
        console.print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
