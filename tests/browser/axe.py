"""Accessibility checks of a page with axe."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.people import SETTLED

_AXE = (Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text()


def violations(page: Page) -> list[Any]:
    """The serious and critical violations that axe finds, with their elements."""
    page.evaluate(_AXE)
    # axe misjudges contrast and position during animations.
    page.evaluate(SETTLED)
    found = page.evaluate("axe.run()")["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
