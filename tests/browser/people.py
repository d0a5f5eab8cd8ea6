"""Users with their browsers; actions and locators for the board."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

NAMES = {"ana": "Ana Souza", "bruno": "Bruno Lima", "carla": "Carla Nunes", "diego": "Diego Alves"}
SETTLED = """
Promise.all(document.getAnimations().filter((each) => each.effect.getTiming().iterations !== Infinity)
  .map((each) => each.finished))
"""
"""Resolves when all animations have ended."""
_LOG_POLICY_VIOLATIONS = """
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
      console.error(`refused by policy: ${violatedDirective} ${blockedURI} ${sample}`), true);
"""


class People:
    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self.address = address
        self.errors: list[str] = []
        self._contexts: list[BrowserContext] = []

    def browser(self, **options: Any) -> Page:
        """Open a browser with an empty page; `script` runs before the scripts of each page.

        The board's service worker would hide its requests from `route`, so it is blocked unless a test is about it.
        """
        script = options.pop("script", "")
        size = {"width": options.pop("width", 1400), "height": options.pop("height", 900)}
        context = self._browser.new_context(
            **{"locale": "pt-BR", "viewport": size, "service_workers": "block", **options}
        )
        context.set_default_timeout(15_000)
        context.add_init_script(_LOG_POLICY_VIOLATIONS + script)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console", lambda message: self.errors.append(message.text) if "refused by policy" in message.text else None
        )
        return page

    def sign_in(self, user: str, **options: Any) -> Page:
        """Sign in on the login page and wait until the board is live."""
        page = self.browser(**options)
        page.goto(self.address)
        page.get_by_role("button", name=NAMES[user]).click()
        live(page)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def live(page: Page, timeout: float = 15_000) -> None:
    expect(page.locator("[data-status]")).to_have_attribute("data-status", "live", timeout=timeout)


def column(page: Page, phase: str) -> Locator:
    """The column of a phase, by the phase's id."""
    return page.locator(f'[data-phase="{phase}"]')


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("listitem").filter(has=opener(page, title))


def opener(page: Page, title: str) -> Locator:
    """The button of a card that takes the focus and opens it."""
    return page.get_by_role("button", name=title, exact=True)


def drag(page: Page, title: str, phase: str) -> None:
    """Pick up a card with the mouse and hold it over the top of another column."""
    opener(page, title).scroll_into_view_if_needed()
    start = opener(page, title).bounding_box()
    end = column(page, phase).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 24, start["y"] + 16, steps=3)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 70, steps=8)


def last_announcement(page: Page) -> str:
    """The last text announced to screen readers."""
    return "".join(page.locator("[data-announcer]").all_text_contents())
