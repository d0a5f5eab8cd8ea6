"""Actions and locators for the DBA's page."""

from typing import Any

import psycopg
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import NAMES, People

DEAL = "Contrato corporativo"


def sign_in(people: People, address: str = "", /, **options: Any) -> Page:
    """Sign in with the demo's login and wait until the page is visible."""
    page = people.browser(**{"locale": "en-GB"} | options)
    page.goto(f"{people.address}/dba{address}")
    page.get_by_role("button", name=NAMES["carla"]).click()
    expect(page.locator(".shell")).to_be_visible()
    return page


def wait_for_state(page: Page, state: str, timeout: float = 30_000) -> None:
    """Wait until the log reports this state."""
    expect(page.locator("[data-state]")).to_have_attribute("data-state", state, timeout=timeout)


def rows(page: Page) -> Locator:
    return page.locator(".scroller .row")


def write(psql: psycopg.Connection, notes: str, title: str = DEAL) -> None:
    psql.execute("UPDATE opportunities SET notes = %s WHERE title = %s", [notes, title])


def write_many(psql: psycopg.Connection, count: int) -> None:
    for number in range(count):
        write(psql, f"many {number}")
