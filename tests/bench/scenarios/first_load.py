"""The first load of the board in Chromium with an empty cache: the bytes of the files, and the times until anything and until the
cards are painted, on slow 4G (562 ms of latency, 1.44 Mbit/s) with a processor slowed down four times.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from playwright.sync_api import CDPSession

from tests.bench.browser import Setup, setup
from tests.bench.figure import Figure
from tests.bench.stage import Stage

SLOW_4G = {"offline": False, "latency": 562.5, "downloadThroughput": 180_000, "uploadThroughput": 84_375}
SLOWDOWN = 4
ROUNDS = 3


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    return await asyncio.to_thread(_run, on.url, say)


def _run(database: str, say: Callable[[str], None]) -> list[Figure]:
    with setup(database) as up:
        say("first loads, with an empty cache")
        loads = sorted((_load(up) for _ in range(ROUNDS)), key=lambda load: load["first_paint_ms"])
    load = loads[ROUNDS // 2]
    what = "First load of the board in Chromium"
    return [
        Figure(
            "first_load_size", f"{what}: files", load["files_kb"], "KB", 200, more=False, detail={"first_load": load}
        ),
        Figure(
            "first_paint",
            f"{what}: first contentful paint on slow 4G, 4× slower CPU",
            load["first_paint_ms"],
            "ms",
            2000,
            more=False,
        ),
    ]


def _load(up: Setup) -> dict[str, float]:
    with up.signed_in() as context:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        sizes = _count_bytes(devtools)
        devtools.send("Network.emulateNetworkConditions", SLOW_4G)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        page.goto(f"{up.address}/?board=deals", wait_until="commit")
        page.wait_for_selector("[data-card]", timeout=60_000)
        cards = page.evaluate("performance.now()")
        page.evaluate("document.fonts.ready.then(() => 0)")
        first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    data = sum(size for url, size in sizes.items() if "/api/" in url)
    return {
        "files_kb": (sum(sizes.values()) - data) / 1000,
        "data_kb": data / 1000,
        "first_paint_ms": first,
        "cards_ms": cards,
    }


def _count_bytes(devtools: CDPSession) -> dict[str, int]:
    """Bytes on the wire, with headers, by address."""
    addresses: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def sent(event: dict[str, Any]) -> None:
        addresses[event["requestId"]] = event["request"]["url"]

    def loaded(event: dict[str, Any]) -> None:
        sizes[addresses[event["requestId"]]] = event["encodedDataLength"]

    devtools.send("Network.enable")
    devtools.on("Network.requestWillBeSent", sent)
    devtools.on("Network.loadingFinished", loaded)
    return sizes
