"""The status chip turns amber when what is shown may be behind, and red when the service does not answer."""

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.people import NAMES, People, column, live, opener
from tests.cli.harness import Service

WAIT = 30_000
RECORD_TONES = """
    window.tones = [];
    new MutationObserver(() => {
      const tone = document.querySelector("[data-tone]")?.dataset.tone;
      if (tone && tone !== tones.at(-1)) tones.push(tone);
    }).observe(document, { subtree: true, childList: true, attributeFilter: ["data-tone"] });
"""


@contextmanager
def frozen(service: Service) -> Iterator[None]:
    """Stop all of a service's threads; its sockets stay open."""
    service.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        service.process.send_signal(signal.SIGCONT)


def move_to_the_last_stage(page: Page, title: str) -> None:
    opener(page, title).focus()
    page.keyboard.press("m")
    expect(page.locator("[role=menuitemradio]:focus")).to_be_visible()
    page.keyboard.press("End")
    page.keyboard.press("Enter")


def test_a_frozen_service_is_red_until_it_answers(people: People, up: Service) -> None:
    ana = people.sign_in("ana", script=RECORD_TONES)
    with frozen(up):
        expect(ana.locator("[data-tone=bad]")).to_have_attribute("data-status", "offline", timeout=WAIT)
        assert ana.evaluate("tones").index("wait") < ana.evaluate("tones").index("bad")
    live(ana, timeout=WAIT)
    expect(ana.locator("[data-tone=good]")).to_be_visible(timeout=WAIT)


def test_a_black_hole_is_amber_and_then_red(people: People) -> None:
    """The WebSocket and all requests are open, and carry nothing any more."""
    hole = threading.Event()

    def swallow(socket: WebSocketRoute) -> None:
        if hole.is_set():
            return
        server = socket.connect_to_server()
        socket.on_message(lambda data: None if hole.is_set() else server.send(data))
        server.on_message(lambda data: None if hole.is_set() else socket.send(data))

    def hang(route: Route) -> None:
        if not hole.is_set():
            route.continue_()

    ana = people.browser(script=RECORD_TONES)
    ana.context.route_web_socket(re.compile("/ws$"), swallow)
    ana.context.route("**/api/**", hang)
    ana.goto(people.address)
    ana.get_by_role("button", name=NAMES["ana"]).click()
    live(ana)
    hole.set()
    expect(ana.locator("[data-tone=bad]")).to_have_attribute("data-status", "offline", timeout=WAIT)
    assert ana.evaluate("tones").index("wait") < ana.evaluate("tones").index("bad")


def test_a_write_without_an_answer_is_red_although_the_feed_is_live(people: People) -> None:
    ana = people.sign_in("ana")
    held: list[Route] = []
    ana.route("**/api/opportunities/*", lambda route: held.append(route))  # noqa: PLW0108 - not a builtin
    move_to_the_last_stage(ana, "Contrato corporativo")
    chip = ana.locator("[data-tone=bad]")
    expect(chip).to_contain_text("sem resposta, 1 alteração pendente", timeout=WAIT)
    expect(chip).to_have_attribute("data-status", "live")
    for route in held:
        route.continue_()
    expect(ana.locator("[data-tone=good]")).to_be_visible(timeout=WAIT)


def test_a_frozen_tab_does_not_leave_the_others_green_and_behind(people: People, psql: psycopg.Connection) -> None:
    """The tab that holds the connection is frozen by the browser; another one notices, and takes over."""
    first = people.sign_in("ana")
    second = first.context.new_page()
    second.add_init_script(RECORD_TONES)
    second.goto(people.address)
    live(second)
    devtools = first.context.new_cdp_session(first)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    second.bring_to_front()
    psql.execute("UPDATE opportunities SET phase = 'lost' WHERE title = 'Contrato corporativo'")
    moved = column(second, "lost").get_by_role("button", name="Contrato corporativo", exact=True)
    expect(moved).to_be_visible(timeout=WAIT)
    live(second, timeout=WAIT)
    assert "wait" in second.evaluate("tones")
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    first.bring_to_front()
    expect(column(first, "lost").get_by_role("button", name="Contrato corporativo", exact=True)).to_be_visible(
        timeout=WAIT
    )
