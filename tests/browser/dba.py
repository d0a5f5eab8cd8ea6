"""A DBA at the page, and how things are found on it."""

from typing import Any

import psycopg
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import NAMES, People

DEAL = "Contrato corporativo"


def enter(people: People, address: str = "", /, **options: Any) -> Page:
    """Sign in by the demo's login, and wait until the page is there."""
    page = people.browser(**{"locale": "en-GB"} | options)
    page.goto(f"{people.address}/dba{address}")
    page.get_by_role("button", name=NAMES["carla"]).click()
    expect(page.locator(".shell")).to_be_visible()
    return page


def state(page: Page, wanted: str, timeout: float = 30_000) -> None:
    """Wait until the log says of itself what is wanted."""
    expect(page.locator("[data-state]")).to_have_attribute("data-state", wanted, timeout=timeout)


def rows(page: Page) -> Locator:
    return page.locator(".scroller .row")


def write(psql: psycopg.Connection, notes: str, title: str = DEAL) -> None:
    psql.execute("UPDATE opportunities SET notes = %s WHERE title = %s", [notes, title])


def write_many(psql: psycopg.Connection, count: int) -> None:
    for nr in range(count):
        write(psql, f"many {nr}")
