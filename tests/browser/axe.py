"""Whether everybody can use what a page shows, as far as axe can tell."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.people import SETTLED

_AXE = (Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text()


def faults(page: Page) -> list[Any]:
    """What axe finds that is serious, with the elements."""
    page.evaluate(_AXE)
    # Nothing is judged while it fades in or moves.
    page.evaluate(SETTLED)
    found = page.evaluate("axe.run()")["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
