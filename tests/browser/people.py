"""People at their browsers, and how they find things on the board."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

NAMES = {"ana": "Ana Souza", "bruno": "Bruno Lima", "carla": "Carla Nunes", "diego": "Diego Alves"}
SETTLED = """
Promise.all(document.getAnimations().filter((each) => each.effect.getTiming().iterations !== Infinity)
  .map((each) => each.finished))
"""
"""Resolves when nothing fades in or moves any more."""
_REFUSED = """
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
      console.error(`refused by policy: ${violatedDirective} ${blockedURI} ${sample}`), true);
"""


class People:
    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self.address = address
        self.faults: list[str] = []
        self._contexts: list[BrowserContext] = []

    def browser(self, **options: Any) -> Page:
        """Open a browser with an empty page; a `script` runs before those of any page."""
        script = options.pop("script", "")
        size = {"width": options.pop("width", 1400), "height": options.pop("height", 900)}
        context = self._browser.new_context(**{"locale": "pt-BR", "viewport": size, **options})
        context.set_default_timeout(15_000)
        context.add_init_script(_REFUSED + script)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if "refused by policy" in said.text else None)
        return page

    def enter(self, who: str, **options: Any) -> Page:
        """Sign in by the login page and wait until the board is live."""
        page = self.browser(**options)
        page.goto(self.address)
        page.get_by_role("button", name=NAMES[who]).click()
        live(page)
        return page

    def leave(self) -> None:
        for context in self._contexts:
            context.close()


def live(page: Page, timeout: float = 15_000) -> None:
    expect(page.locator("[data-status]")).to_have_attribute("data-status", "live", timeout=timeout)


def column(page: Page, phase: str) -> Locator:
    """A phase, by its id."""
    return page.locator(f'[data-phase="{phase}"]')


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("listitem").filter(has=opener(page, title))


def opener(page: Page, title: str) -> Locator:
    """What of a card has the focus, and opens it."""
    return page.get_by_role("button", name=title, exact=True)


def drag(page: Page, title: str, phase: str) -> None:
    """Take a card by the mouse and hold it over the top of another phase."""
    opener(page, title).scroll_into_view_if_needed()
    start = opener(page, title).bounding_box()
    end = column(page, phase).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 24, start["y"] + 16, steps=3)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 70, steps=8)


def said(page: Page) -> str:
    """What a screen reader was told last of the board."""
    return "".join(page.locator("[data-announcer]").all_text_contents())
