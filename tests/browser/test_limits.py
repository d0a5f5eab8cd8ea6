"""The board at its limits: accessibility, hostile input, thousands of cards, long texts and narrow screens."""

import psycopg
import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.people import NAMES, People, card, column, drag, live, opener
from tests.support.until import wait_until

OVERFLOWING = """
[...document.querySelectorAll("[data-face], header, section")].filter((e) => e.scrollWidth > e.clientWidth + 1)
  .concat([...document.querySelectorAll("header button, header input")].filter((e) => e.getBoundingClientRect().right > innerWidth))
  .map((each) => each.outerHTML.slice(0, 200))
"""
HOSTILE = (
    "<script>pwned()</script>",
    "<img src=x onerror=pwned()>",
    "<svg onload=pwned()>",
    "<svg><script>pwned()</script></svg>",
    '"><script>pwned()</script>',
    "'><img src=x onerror=pwned()>",
    "</textarea><script>pwned()</script>",
    "</title><script>pwned()</script>",
    "</style><script>pwned()</script>",
    "<style>*{display:none!important}</style>",
    "<iframe src=javascript:parent.pwned()></iframe>",
    "<a href=javascript:pwned()>x</a>",
    "javascript:pwned()",
    "{{constructor.constructor('pwned()')()}}",
    "${pwned()}",
    "<details open ontoggle=pwned()>x</details>",
    "<input autofocus onfocus=pwned()>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=pwned()>",
    "__proto__",
    "\u202egnp.exe\u202c & \u0000".replace("\u0000", "") + "<b onmouseover=pwned()>x</b>",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(people: People, psql: psycopg.Connection, scheme: str) -> None:
    psql.execute("UPDATE opportunities SET expected_close_date = current_date - 3 WHERE phase = 'proposal'")
    psql.execute(
        "UPDATE opportunities SET phase = 'on hold' WHERE id = (SELECT min(id) FROM opportunities WHERE phase = 'won')"
    )
    login = people.browser(color_scheme=scheme)
    login.goto(people.address)
    expect(login.get_by_role("button", name=NAMES["ana"])).to_be_visible()
    assert violations(login) == []
    ana, bruno = people.sign_in("ana", color_scheme=scheme), people.sign_in("bruno")
    title = "Contrato corporativo"
    opener(bruno, title).click()
    bruno.get_by_role("dialog").locator("[name=notes]").fill("Ligar na segunda")
    expect(card(ana, title)).to_contain_text("1 pessoa editando")
    assert violations(ana) == []
    ana.get_by_role("button", name=f"{NAMES['ana']}: menu").click()
    assert violations(ana) == []
    ana.keyboard.press("Escape")
    ana.get_by_role("searchbox").fill("inexistente")
    expect(ana.get_by_text("Nenhum negócio encontrado")).to_be_visible()
    assert violations(ana) == []


def test_hostile_text_is_shown_as_text(people: People, psql: psycopg.Connection) -> None:
    for number, text in enumerate(HOSTILE):
        psql.execute(
            "INSERT INTO opportunities (id, board_id, title, company, contact, notes, phase, position, owner_id, currency)"
            " VALUES (%s, 'vendas', %s, %s, %s, %s, 'lost', %s, 'bruno', 'BRL')",
            [f"hostile-{number}", text, text, text, text, f"z{number:02}V"],
        )
    psql.execute("UPDATE users SET name = %s WHERE id = 'bruno'", [HOSTILE[1]])
    psql.execute("UPDATE feed.boards SET name = %s WHERE id = 'parcerias'", [HOSTILE[0]])
    psql.execute("UPDATE opportunities SET phase = %s WHERE id = 'hostile-0'", [HOSTILE[2]])
    ana = people.browser(height=1400)
    ana.add_init_script("window.pwned = () => { document.title = 'pwned' }; window.alert = window.pwned")
    ana.goto(people.address)
    ana.get_by_role("button", name=NAMES["ana"]).click()
    live(ana)
    expect(ana.get_by_role("heading", name=HOSTILE[2], level=2)).to_be_visible()
    for text in HOSTILE:
        search = ana.get_by_role("searchbox")
        search.fill(text)
        expect(opener(ana, text)).to_be_visible()
        opener(ana, text).click()
        expect(ana.get_by_role("dialog")).to_be_visible()
        ana.keyboard.press("Escape")
        expect(ana.get_by_role("dialog")).to_have_count(0)
    psql.execute("UPDATE opportunities SET title = title || ' ' WHERE id LIKE 'hostile-%'")
    ana.get_by_role("button", name="Quadro: Vendas. Trocar").click()
    expect(ana.get_by_role("menuitemradio", name=HOSTILE[0])).to_be_visible()
    assert ana.title() == "Vendas · boardcast"


def test_two_thousand_cards_render_only_the_visible_ones(people: People, psql: psycopg.Connection) -> None:
    psql.execute(
        "INSERT INTO opportunities (id, board_id, title, company, value, phase, position, owner_id)"
        " SELECT 'big-' || n, 'vendas', 'Negócio ' || n, 'Empresa ' || n % 50, n,"
        " (ARRAY['prospecting', 'qualification', 'proposal', 'negotiation', 'won', 'lost'])[1 + n % 6],"
        " 'b' || lpad(n::text, 5, '0') || 'V', 'ana' FROM generate_series(1, 2000) AS n"
    )
    psql.execute("SELECT feed.read_stage_changes(100000, true)")  # or the closed cards grow in a moment
    ana = people.sign_in("ana")
    expect(column(ana, "won").get_by_role("heading", level=2)).to_contain_text("335")
    assert ana.locator("[data-card]").count() < 120
    first = column(ana, "won").locator("[data-open]").first
    first.focus()
    ana.keyboard.press("End")
    expect(opener(ana, "Negócio 1996")).to_be_focused()
    expect(opener(ana, "Negócio 1996")).to_be_in_viewport()
    ana.keyboard.press("Space")
    ana.keyboard.press("ArrowUp")
    ana.keyboard.press("ArrowRight")
    ana.keyboard.press("Home")
    expect(opener(ana, "Negócio 1996")).to_be_in_viewport()
    ana.keyboard.press("Space")
    expect(column(ana, "lost").locator("[data-open]").first).to_have_text("Negócio 1996")
    assert ana.locator("[data-card]").count() < 120
    ana.get_by_role("button", name="Sem motivo").click()
    # A card dragged to the edge scrolls the column.
    drag(ana, column(ana, "won").locator("[data-open]").first.inner_text(), "qualification")
    box = column(ana, "qualification").bounding_box()
    assert box
    ana.mouse.move(box["x"] + 60, box["y"] + box["height"] - 20, steps=5)
    scrolled = column(ana, "qualification").locator("[data-scroller]")
    wait_until(lambda: scrolled.evaluate("(each) => each.scrollTop") > 500, timeout=15, what="the column to scroll")
    ana.mouse.up()


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_overflows(people: People, psql: psycopg.Connection, width: int) -> None:
    psql.execute("UPDATE opportunities SET title = repeat('Empreendimento', 700) WHERE title = 'Contrato corporativo'")
    psql.execute(
        "UPDATE opportunities SET company = repeat('Um nome comprido ', 17), value = 999999999999.99 WHERE phase = 'won'"
    )
    psql.execute("UPDATE feed.boards SET name = repeat('Quadro', 30) WHERE id = 'vendas'")
    psql.execute("UPDATE opportunities SET title = '👩‍👩‍👧‍👦 família 🏳️‍🌈' WHERE phase = 'lost'")
    ana = people.sign_in("ana", width=width, height=740)
    assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for phase in ("prospecting", "proposal", "won", "lost"):
        column(ana, phase).scroll_into_view_if_needed()
        box = column(ana, phase).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert ana.evaluate(OVERFLOWING) == []
