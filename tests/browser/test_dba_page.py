"""The DBA's page around the log: charts, the state of the feed, who may see it, and by what means."""

import re
from itertools import product

import psycopg
from playwright.sync_api import Locator, expect

from tests.browser.axe import faults
from tests.browser.dba import enter, rows, state, write, write_many
from tests.browser.people import NAMES, People
from tests.cli.harness import Commands

WAIT = 30_000


def test_charts_have_data_and_lead_to_the_log(people: People, psql: psycopg.Connection) -> None:
    carla = people.enter("carla")
    write_many(psql, 40)
    maria = enter(people, "?view=charts&range=15m")

    def told(name: str) -> Locator:
        return maria.get_by_role("slider", name=name)

    # A piece that is not over is not counted yet: ten seconds.
    expect(told("Writes")).to_have_attribute("aria-valuetext", re.compile(r"changes [\d.]+/s"), timeout=WAIT)
    expect(told("From write to delivery")).to_have_attribute(
        "aria-valuetext", re.compile(r"median [\d.]+ (ms|s), 95 % [\d.]+"), timeout=WAIT
    )
    expect(told("Connections")).to_have_attribute("aria-valuetext", re.compile("open streams [1-9]"), timeout=WAIT)
    expect(told("Log size")).to_have_attribute("aria-valuetext", re.compile("[1-9][0-9.]* [kM]B"))
    expect(told("NOTIFY queue")).to_have_attribute("aria-valuetext", re.compile("used 0%"))
    assert carla.locator("[data-status]").get_attribute("data-status") == "live"
    drawn = (
        "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((each) => each)"
    )
    for canvas in maria.locator("canvas").all():
        assert canvas.evaluate(drawn)
    plot = told("Writes").bounding_box()
    assert plot
    maria.mouse.move(plot["x"] + plot["width"] - 400, plot["y"] + 60)
    maria.mouse.down()
    maria.mouse.move(plot["x"] + plot["width"] - 12, plot["y"] + 60, steps=4)
    maria.mouse.up()
    maria.get_by_role("link", name="show these changes").click()
    expect(rows(maria).filter(has_text="many 38 -> many 39")).to_be_visible()
    state(maria, "fixed")


def test_the_state_of_the_feed_names_what_is_wrong_and_its_cure(people: People, psql: psycopg.Connection) -> None:
    maria = enter(people, "?view=feed")
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
    expect(flag).to_contain_text("10 % of the users")
    gap = maria.get_by_role("table", name="Gaps").get_by_role("row").nth(1)
    expect(gap).to_contain_text("a write bypassed the triggers")
    gap.get_by_role("link", name="o1").click()
    expect(maria.get_by_label("Opportunity")).to_have_value("o1")


def test_without_the_role_it_says_what_is_missing(people: People) -> None:
    ana = people.enter("ana", locale="en-GB")
    ana.goto(f"{people.address}/dba?actor=ana")
    expect(ana.get_by_role("heading", name="Ana Souza, this page is for DBAs")).to_be_visible()
    assert faults(ana) == []
    ana.get_by_role("button", name="Continue as Ana Souza, with the role dba").click()
    state(ana, "live")
    expect(ana.get_by_label("Actor")).to_have_value("ana")
    ana.get_by_role("button", name="Language, appearance, session").click()
    ana.get_by_role("button", name="Sign out").click()
    expect(ana.get_by_role("heading", name="Sign in as a DBA")).to_be_visible()


def test_a_token_that_was_printed_leads_in_and_a_bad_one_does_not(people: People, commands: Commands) -> None:
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
    state(maria, "live")


def test_a_session_that_has_ended_leads_to_the_sign_in_and_back(people: People, psql: psycopg.Connection) -> None:
    maria = enter(people, "?actor=demo")
    state(maria, "live")
    maria.context.clear_cookies()
    rows(maria).first.click()
    expect(maria.get_by_role("alert")).to_contain_text("Your session has expired")
    maria.get_by_role("button", name=NAMES["carla"]).click()
    expect(maria.get_by_role("dialog")).to_be_visible()
    expect(maria.get_by_label("Actor")).to_have_value("demo")
    state(maria, "live")


def test_axe_finds_no_serious_fault(people: People, psql: psycopg.Connection) -> None:
    for scheme, width in product(("light", "dark"), (1400, 360)):
        maria = enter(people, color_scheme=scheme, width=width)
        state(maria, "live")
        write(psql, f"{scheme} {width}")
        expect(rows(maria).first).to_contain_text(f"-> {scheme} {width}")
        assert faults(maria) == []
        rows(maria).first.click()
        expect(maria.get_by_role("dialog").get_by_role("table").first).to_be_visible()
        assert faults(maria) == []
        for view, there in (("charts", ".charts[aria-busy=false]"), ("feed", ".health table")):
            maria.goto(f"{people.address}/dba?view={view}")
            expect(maria.locator(there)).to_be_visible()
            assert faults(maria) == []
        maria.get_by_role("button", name="Language, appearance, session").click()
        assert faults(maria) == []
        assert maria.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_long_names_stay_in_their_places(people: People, psql: psycopg.Connection) -> None:
    long = "Nome-muito-comprido-sem-espaço-" * 6
    psql.execute("SELECT set_config('feed.actor', %s, false)", [long[:200]])
    psql.execute(
        "UPDATE opportunities SET title = %s, notes = repeat('x', 100000) WHERE title = 'Contrato corporativo'", [long]
    )
    for width in (1400, 360):
        maria = enter(people, width=width)
        expect(rows(maria).first).to_contain_text("Nome-muito-comprido")
        rows(maria).first.click()
        expect(maria.get_by_role("dialog").get_by_role("button", name="Show all 97.7 kB")).to_be_visible()
        assert maria.evaluate("document.documentElement.scrollWidth <= innerWidth")
        body = maria.locator(".panel-body")
        assert body.evaluate("(node) => node.scrollWidth <= node.clientWidth")


def test_portuguese_dark_and_kept(people: People, psql: psycopg.Connection) -> None:
    maria = enter(people, locale="pt-BR")
    expect(maria.get_by_role("link", name="Gráficos")).to_be_visible()
    maria.get_by_role("button", name="Idioma, aparência, sessão").click()
    maria.get_by_role("radio", name="Escura").check()
    assert maria.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    maria.get_by_role("radio", name="English").click()
    expect(maria.get_by_role("link", name="Charts")).to_be_visible()
    assert maria.evaluate("document.documentElement.lang") == "en"
    assert maria.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
