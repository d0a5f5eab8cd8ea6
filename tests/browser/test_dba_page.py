"""The DBA's page around the log: charts, the state of the feed, sign-in."""

import re
from itertools import product

import psycopg
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.axe import violations
from tests.browser.dba import rows, sign_in, wait_for_state, write, write_many
from tests.browser.people import NAMES, People
from tests.cli.harness import Commands

WAIT = 30_000


def test_charts_show_data_and_link_to_the_log(people: People, psql: psycopg.Connection) -> None:
    carla = people.sign_in("carla")
    write_many(psql, 40)
    maria = sign_in(people, "?view=charts&range=15m")

    def chart(name: str) -> Locator:
        return maria.get_by_role("slider", name=name)

    # The current interval of ten seconds is not counted until it ends.
    expect(chart("Writes")).to_have_attribute("aria-valuetext", re.compile(r"changes [\d.]+/s"), timeout=WAIT)
    expect(chart("From write to delivery")).to_have_attribute(
        "aria-valuetext", re.compile(r"median [\d.]+ (ms|s), p95 [\d.]+"), timeout=WAIT
    )
    expect(chart("Connections")).to_have_attribute("aria-valuetext", re.compile("open streams [1-9]"), timeout=WAIT)
    expect(chart("Log size")).to_have_attribute("aria-valuetext", re.compile("[1-9][0-9.]* [kM]B"))
    expect(chart("NOTIFY queue")).to_have_attribute("aria-valuetext", re.compile("used 0%"))
    assert carla.locator("[data-status]").get_attribute("data-status") == "live"
    drawn = (
        "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((each) => each)"
    )
    for canvas in maria.locator("canvas").all():
        assert canvas.evaluate(drawn)
    plot = chart("Writes").bounding_box()
    assert plot
    maria.mouse.move(plot["x"] + plot["width"] - 400, plot["y"] + 60)
    maria.mouse.down()
    maria.mouse.move(plot["x"] + plot["width"] - 12, plot["y"] + 60, steps=4)
    maria.mouse.up()
    maria.get_by_role("link", name="show these changes").click()
    expect(rows(maria).filter(has_text="many 38 -> many 39")).to_be_visible()
    wait_for_state(maria, "fixed")


def test_the_state_of_the_feed_shows_problems_and_fixes(people: People, psql: psycopg.Connection) -> None:
    maria = sign_in(people, "?view=feed")
    expect(maria.get_by_role("link", name="No problems")).to_be_visible()
    for name, row in (("Instances", "feed-"), ("Triggers", "feed_capture_update"), ("Retention", "feed.log_1")):
        expect(maria.get_by_role("table", name=name).get_by_role("row", name=row).first).to_be_visible()
    expect(maria.get_by_role("region", name="Gaps")).to_contain_text("No gaps were found")
    expect(maria.get_by_role("region", name="Flags")).to_contain_text("No flags are set")
    psql.execute("INSERT INTO feed.flags (flag, scope, percentage, value) VALUES ('realtime', 'percentage', 10, 'sse')")
    psql.execute("ALTER TABLE opportunities DISABLE TRIGGER feed_capture_update")
    psql.execute(
        "INSERT INTO feed.gap_reports (instance, board, cursor, expected_count, expected_hash, held_count, held_hash, cause, cards)"
        " VALUES ('feed-1', 'vendas', 'c', 8, 'a', 7, 'b', 'unlogged', '{o1}')"
    )
    expect(maria.get_by_role("link", name="1 problem")).to_be_visible(timeout=WAIT)
    worst = maria.get_by_role("table", name="Health").get_by_role("row").nth(1)
    expect(worst).to_contain_text("ALTER TABLE opportunities ENABLE TRIGGER feed_capture_update;")
    expect(maria.get_by_role("table", name="Triggers").get_by_role("row", name="disabled")).to_have_count(1)
    flag = maria.get_by_role("table", name="Flags").get_by_role("row").nth(1)
    expect(flag).to_contain_text("10% of users")
    gap = maria.get_by_role("table", name="Gaps").get_by_role("row").nth(1)
    expect(gap).to_contain_text("a write bypassed the triggers")
    gap.get_by_role("link", name="o1").click()
    expect(maria.get_by_label("Opportunity")).to_have_value("o1")


def test_without_the_role_the_page_says_what_is_missing(people: People) -> None:
    ana = people.sign_in("ana", locale="en-GB")
    ana.goto(f"{people.address}/dba?actor=ana")
    expect(ana.get_by_role("heading", name="Ana Souza, this page is for DBAs")).to_be_visible()
    assert violations(ana) == []
    ana.get_by_role("button", name="Continue as Ana Souza, with the role dba").click()
    wait_for_state(ana, "live")
    expect(ana.get_by_label("Actor")).to_have_value("ana")
    ana.get_by_role("button", name="Language, appearance, session").click()
    ana.get_by_role("button", name="Sign out").click()
    expect(ana.get_by_role("heading", name="Sign in as a DBA")).to_be_visible()


def test_a_dba_can_sign_in_with_a_printed_token(people: People, commands: Commands) -> None:
    maria = people.browser(locale="en-GB")
    maria.goto(f"{people.address}/dba")
    maria.get_by_label("Token").fill("nonsense")
    maria.keyboard.press("Enter")
    expect(maria.get_by_role("alert")).to_be_visible()
    maria.get_by_label("Token").fill(commands.run("token", "ana").stdout.strip())
    maria.keyboard.press("Enter")
    expect(maria.get_by_role("heading", name="Ana Souza, this page is for DBAs")).to_be_visible()
    maria.get_by_label("Token").fill(commands.run("token", "ana", "--role", "dba").stdout.strip())
    maria.keyboard.press("Enter")
    wait_for_state(maria, "live")


def test_an_expired_session_leads_to_the_sign_in_and_back(people: People, psql: psycopg.Connection) -> None:
    maria = sign_in(people, "?actor=demo")
    wait_for_state(maria, "live")
    maria.context.clear_cookies()
    rows(maria).first.click()
    expect(maria.get_by_role("alert")).to_contain_text("Your session has expired")
    maria.get_by_role("button", name=NAMES["carla"]).click()
    expect(maria.get_by_role("dialog")).to_be_visible()
    expect(maria.get_by_label("Actor")).to_have_value("demo")
    wait_for_state(maria, "live")


@pytest.mark.timeout(300)  # axe looks at each page for ten seconds, and longer beside other tests
def test_axe_finds_no_serious_violation(people: People, psql: psycopg.Connection) -> None:
    for scheme, width in product(("light", "dark"), (1400, 360)):
        maria = sign_in(people, color_scheme=scheme, width=width)
        wait_for_state(maria, "live")
        write(psql, f"{scheme} {width}")
        expect(rows(maria).first).to_contain_text(f"-> {scheme} {width}")
        assert violations(maria) == []
        rows(maria).first.click()
        expect(maria.get_by_role("dialog").get_by_role("table").first).to_be_visible()
        assert violations(maria) == []
        for view, selector in (("charts", ".charts[aria-busy=false]"), ("feed", ".health table")):
            maria.goto(f"{people.address}/dba?view={view}")
            expect(maria.locator(selector)).to_be_visible()
            assert violations(maria) == []
        maria.get_by_role("button", name="Language, appearance, session").click()
        assert violations(maria) == []
        assert maria.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_long_names_do_not_overflow(people: People, psql: psycopg.Connection) -> None:
    long = "Nome-muito-comprido-sem-espaço-" * 6
    psql.execute("SELECT set_config('feed.actor', %s, false)", [long[:200]])
    psql.execute(
        "UPDATE opportunities SET title = %s, notes = repeat('x', 100000) WHERE title = 'Contrato corporativo'", [long]
    )
    for width in (1400, 360):
        maria = sign_in(people, width=width)
        expect(rows(maria).first).to_contain_text("Nome-muito-comprido")
        rows(maria).first.click()
        expect(maria.get_by_role("dialog").get_by_role("button", name="Show all 97.7 kB")).to_be_visible()
        assert maria.evaluate("document.documentElement.scrollWidth <= innerWidth")
        body = maria.locator(".panel-body")
        assert body.evaluate("(node) => node.scrollWidth <= node.clientWidth")


def test_language_and_theme_are_kept(people: People, psql: psycopg.Connection) -> None:
    maria = sign_in(people, locale="pt-BR")
    expect(maria.get_by_role("link", name="Gráficos")).to_be_visible()
    maria.get_by_role("button", name="Idioma, aparência, sessão").click()
    maria.get_by_role("radio", name="Escura").check()
    assert maria.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    maria.get_by_role("radio", name="English").click()
    expect(maria.get_by_role("link", name="Charts")).to_be_visible()
    assert maria.evaluate("document.documentElement.lang") == "en"
    assert maria.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
