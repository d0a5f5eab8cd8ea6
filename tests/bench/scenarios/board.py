"""The board in Chromium: 2,000 cards, and 100 changes a second by other programs. One change in ten carries the time of its
write, and the page notes when it is on the screen. For comparison, a bare list of the same rows follows the same changes: a line of
text for each card, without a framework. What is not on the screen a minute after the last write counts as that late.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import BrowserContext, TimeoutError  # noqa: A004 - it is not the built-in one

from tests.bench.browser import CARDS, Changes, Setup, metrics, setup
from tests.bench.figure import Figure
from tests.bench.quantile import summary
from tests.bench.stage import Stage

RATE = 100
PATIENCE = 60_000
"""Ms after the last write; what is not on the screen by then is as late as that."""
_PAGES = Path(__file__).parent.parent / "pages"


class Pace(NamedTuple):
    """What the changes cost a page, in ms."""

    behind: list[float]
    script: float
    """Per change."""
    main_thread: float
    """Per change: script, style, layout, and paint."""
    longest_task: float
    long_tasks: int
    elements: int


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    return await asyncio.to_thread(_run, on.url, on.lasting(30), say)


def _run(database: str, seconds: int, say: Callable[[str], None]) -> list[Figure]:
    with setup(database) as up:
        say(f"{CARDS:,} cards, {RATE} changes/s for {seconds} s: a bare list")
        bare = _measure(up, "/api/config", seconds, (_PAGES / "bare.js").read_text())
        say("the board")
        board = _measure(up, "/?board=deals", seconds)
    what = f"Board of {CARDS:,} cards in Chromium, {RATE} changes/s"
    detail = {"board": _detail(board), "bare": _detail(bare)}
    return [
        Figure(
            "board_behind",
            f"{what}: from write to screen, longest",
            max(board.behind),
            "ms",
            500,
            more=False,
            detail=detail,
        ),
        Figure("board_script", f"{what}: script per change", board.script, "ms", 5, more=False),
        Figure("board_task", f"{what}: longest task", board.longest_task, "ms", 100, more=False),
        Figure(
            "board_ratio",
            f"{what}: main thread, relative to a bare list",
            board.main_thread / bare.main_thread,
            "×",
            2,
            more=False,
        ),
    ]


def _detail(pace: Pace) -> dict[str, object]:
    return {
        "behind_ms": summary(pace.behind),
        "script_ms": pace.script,
        "main_thread_ms": pace.main_thread,
        "longest_task_ms": pace.longest_task,
        "long_tasks": pace.long_tasks,
        "elements": pace.elements,
    }


def _measure(up: Setup, path: str, seconds: int, script: str = "") -> Pace:
    with up.signed_in() as context:
        return _follow(up, context, path, seconds, script)


def _follow(up: Setup, context: BrowserContext, path: str, seconds: int, script: str = "") -> Pace:
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable")
    page.goto(up.address + path)
    if script:
        page.evaluate(f"() => {{ {script} }}")
    page.wait_for_selector('[data-status="live"]', state="attached")
    page.wait_for_selector('[data-card="beacon"]')
    elements = page.locator("*").count()
    # The policy of the page forbids scripts in it, but not those of the tools.
    page.evaluate(f"() => {{ {(_PAGES / 'probe.js').read_text()} }}")
    before = metrics(devtools)
    changes = Changes(up.database, RATE, seconds)
    changes.start()
    while changes.running:
        page.wait_for_timeout(500)
    took = changes.took
    with suppress(TimeoutError):
        page.wait_for_function("(last) => probe.last >= last", arg=changes.last_beacon, timeout=PATIENCE)
    after = metrics(devtools)
    probe = page.evaluate("({ ...probe, now: Date.now() })")
    if probe["last"] < changes.last_beacon:
        probe["behind"].append(probe["now"] - probe["last"])
    if took > seconds * 1.25:
        raise RuntimeError(f"the writer was too slow: {changes.count} changes in {took:.1f} s")

    def per_change(kind: str) -> float:
        return 1000 * (after[kind] - before[kind]) / changes.count

    return Pace(
        probe["behind"],
        per_change("ScriptDuration"),
        per_change("TaskDuration"),
        max(probe["tasks"], default=0.0),
        len(probe["tasks"]),
        elements,
    )
