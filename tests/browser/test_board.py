"""Work on the board by mouse, touch, menu and keyboard, and what other users see of it."""

import re

import psycopg
import pytest
from playwright.sync_api import expect

from tests.browser.people import SETTLED, People, card, column, drag, last_announcement, opener
from tests.support.until import wait_until

RECORD_ARRIVAL = """
([title, phase]) => {
  const cards = () => [...document.querySelectorAll(`[data-phase="${phase}"] [data-open]`)];
  const isShown = () => cards().some((each) => each.textContent === title);
  window.shownAt = new Promise((resolve) => {
    const check = () => isShown() && (observer.disconnect(), resolve(Date.now()));
    const observer = new MutationObserver(check);
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
    check();
  });
}
"""
RECORD_DROP = "addEventListener('mouseup', () => { window.droppedAt = Date.now() }, { capture: true })"


MARK_AVATARS = (
    """document.querySelectorAll('ul[aria-label$="aqui"] > li').forEach((each) => each.dataset.marked = "")"""
)


def presence_of(psql: psycopg.Connection, user: str) -> list[str]:
    rows = psql.execute(
        "SELECT CASE WHEN board_id IS NULL THEN 'card' ELSE 'board' END FROM feed.user_presence WHERE user_id = %s",
        [user],
    )
    return [str(place) for (place,) in rows]


def titles(psql: psycopg.Connection, phase: str) -> list[str]:
    rows = psql.execute(
        "SELECT title FROM opportunities WHERE board_id = 'vendas' AND phase = %s ORDER BY position COLLATE \"C\", id",
        [phase],
    )
    return [str(title) for (title,) in rows]


def test_a_drag_is_shown_in_another_browser(people: People, psql: psycopg.Connection) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    ana.evaluate(RECORD_DROP)
    bruno.evaluate(RECORD_DROP)
    title = titles(psql, "prospecting")[0]
    times = []
    for number, phase in enumerate(("qualification", "proposal", "negotiation", "won", "lost")):
        mover, watcher = (ana, bruno) if number % 2 else (bruno, ana)
        expect(column(mover, phase)).to_be_visible()
        watcher.evaluate(RECORD_ARRIVAL, [title, phase])
        drag(mover, title, phase)
        mover.mouse.up()
        times.append(watcher.evaluate("shownAt") - mover.evaluate("droppedAt"))
    print(f"\ndrop to the other browser's page: {times} ms")  # noqa: T201 - measured here, asserted nowhere: the machine may be busy
    wait_until(lambda: titles(psql, "lost")[0] == title, timeout=5, what="the drop in the table")


def test_a_card_is_dropped_at_the_previewed_position(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    first, second = titles(psql, "negotiation")[:2]
    moved = titles(psql, "proposal")[0]
    drag(ana, moved, "negotiation")
    expect(column(ana, "negotiation").locator("[data-open]")).to_have_text([moved, first, second])
    ana.evaluate(SETTLED)
    below = opener(ana, second).bounding_box()
    assert below
    ana.mouse.move(below["x"] + 20, below["y"] + 10, steps=4)
    expect(column(ana, "negotiation").locator("[data-open]")).to_have_text([first, moved, second])
    ana.mouse.up()
    wait_until(lambda: titles(psql, "negotiation") == [first, moved, second], timeout=5, what="the order in the table")
    assert moved in last_announcement(ana)


def test_touch_drags_a_card(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana", width=800, height=700, has_touch=True, is_mobile=True)
    title = titles(psql, "prospecting")[0]
    start, end = opener(ana, title).bounding_box(), column(ana, "qualification").bounding_box()
    assert start
    assert end
    finger = ana.context.new_cdp_session(ana)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    touch("touchStart", (start["x"] + 8, start["y"] + 8))
    expect(ana.locator("[data-announcer]").filter(has_text=f"{title} selecionado")).to_be_attached()
    touch("touchMove", (start["x"] + 40, start["y"] + 30))
    touch("touchMove", (end["x"] + 60, end["y"] + 70))
    expect(column(ana, "qualification").locator("[data-open]").first).to_have_text(title)
    touch("touchEnd")
    wait_until(lambda: titles(psql, "qualification")[0] == title, timeout=5, what="the drop in the table")


def test_escape_cancels_a_drag(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    before = titles(psql, "proposal")
    drag(ana, before[0], "lost")
    expect(column(ana, "lost").locator("[data-open]").filter(has_text=before[0])).to_be_visible()
    ana.keyboard.press("Escape")
    expect(column(ana, "proposal").locator("[data-open]")).to_have_text(before)
    ana.mouse.up()
    assert titles(psql, "proposal") == before


def test_the_keyboard_moves_a_card(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    title, other = titles(psql, "qualification")[:2]
    opener(ana, title).focus()
    ana.keyboard.press("ArrowDown")
    expect(opener(ana, other)).to_be_focused()
    ana.keyboard.press("ArrowUp")
    expect(opener(ana, title)).to_be_focused()
    ana.keyboard.press("Space")
    expect(ana.locator("[data-announcer]").filter(has_text=f"{title} selecionado")).to_be_attached()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        ana.keyboard.press(key)
    expect(ana.locator("[data-announcer]").filter(has_text="Negociação, posição 2 de 3")).to_be_attached()
    expect(opener(ana, title)).to_be_focused()
    ana.keyboard.press("Space")
    wait_until(lambda: titles(psql, "negotiation")[1:2] == [title], timeout=5, what="the move in the table")
    expect(opener(ana, title)).to_be_focused()


def test_the_menu_moves_a_card_and_its_focus(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    title = titles(psql, "prospecting")[1]
    opener(ana, title).focus()
    ana.keyboard.press("m")
    expect(ana.get_by_role("menuitemradio", name="Prospecção")).to_be_focused()
    ana.keyboard.press("End")
    ana.keyboard.press("Enter")
    expect(column(ana, "lost").locator("[data-open]").last).to_have_text(title)
    wait_until(lambda: titles(psql, "lost")[-1] == title, timeout=5, what="the move in the table")
    expect(ana.get_by_role("dialog", name=re.compile("foi perdido"))).to_be_visible()
    ana.keyboard.press("Escape")
    expect(card(ana, title).locator(":focus")).to_be_attached()


def test_the_focus_follows_a_card_moved_by_others_and_survives_its_deletion(
    people: People, psql: psycopg.Connection
) -> None:
    ana = people.sign_in("ana")
    title, after = titles(psql, "proposal")[:2]
    opener(ana, title).focus()
    psql.execute("UPDATE opportunities SET phase = 'won' WHERE title = %s", [title])
    expect(column(ana, "won").get_by_role("button", name=title, exact=True)).to_be_focused()
    opener(ana, after).focus()
    psql.execute("DELETE FROM opportunities WHERE title = %s", [after])
    expect(column(ana, "proposal").locator("[data-open]").first).to_be_focused()


def test_a_write_of_psql_is_shown_and_announced(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    title = titles(psql, "prospecting")[0]
    psql.execute("SELECT set_config('feed.actor', 'bruno', false)")
    psql.execute("UPDATE opportunities SET phase = 'won' WHERE title = %s", [title])
    expect(column(ana, "won").get_by_role("button", name=title, exact=True)).to_be_visible()
    expect(ana.locator("[data-announcer]").filter(has_text=f"Bruno Lima moveu {title} para Ganho.")).to_be_attached()
    psql.execute("UPDATE opportunities SET value = value + 1 WHERE board_id = 'vendas'")
    expect(ana.locator("[data-announcer]").filter(has_text=re.compile("alterações no quadro"))).to_be_attached()


def test_counts_and_sums_are_updated(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    psql.execute("DELETE FROM opportunities WHERE board_id = 'vendas' AND phase = 'won'")
    psql.execute(
        "INSERT INTO opportunities (board_id, title, phase, position, value) VALUES"
        " ('vendas', 'Um', 'won', 'a0', 0.10), ('vendas', 'Dois', 'won', 'a1', 0.20)"
    )
    expect(column(ana, "won")).to_contain_text("R$\u00a00,30")
    expect(column(ana, "won").get_by_role("heading", level=2)).to_contain_text("2")


def test_editing_users_are_shown_on_the_card_until_they_stop(people: People, psql: psycopg.Connection) -> None:
    ana, bruno, carla = (people.sign_in(user) for user in ("ana", "bruno", "carla"))
    title = titles(psql, "negotiation")[0]
    for page in (bruno, carla):
        opener(page, title).click()
        page.get_by_role("dialog").locator("[name=notes]").fill("Ligar na segunda")
    expect(card(ana, title)).to_contain_text("2 pessoas editando")
    opener(ana, title).hover()
    expect(card(ana, title).get_by_text("Editando: Bruno Lima e Carla Nunes")).to_be_visible()
    expect(ana.get_by_role("list", name="2 pessoas aqui")).to_be_visible()
    carla.keyboard.press("Escape")
    expect(card(ana, title)).to_contain_text("1 pessoa editando")
    bruno.context.close()
    expect(card(ana, title).locator("[data-editing]")).to_have_count(0)


def test_viewers_are_shown_until_they_leave(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    here = ana.get_by_role("list", name="1 pessoa aqui")
    expect(ana.get_by_role("list", name=re.compile("aqui"))).to_have_count(0)
    bruno = people.sign_in("bruno")
    expect(here.get_by_role("img", name="Bruno Lima")).to_be_visible()
    expect(bruno.get_by_role("list", name="1 pessoa aqui").get_by_role("img", name="Ana Souza")).to_be_visible()
    # Opening and closing a card must not remove and re-add the avatar.
    ana.evaluate(MARK_AVATARS)
    title = titles(psql, "negotiation")[0]
    opener(bruno, title).click()
    wait_until(lambda: presence_of(psql, "bruno") == ["card"], timeout=5, what="bruno's presence at the card")
    bruno.keyboard.press("Escape")
    wait_until(lambda: presence_of(psql, "bruno") == ["board"], timeout=5, what="bruno's presence at the board")
    expect(here.locator("li[data-marked]")).to_have_count(1)
    bruno.get_by_role("button", name="Quadro: Vendas. Trocar").click()
    bruno.get_by_role("menuitemradio", name="Parcerias").click()
    expect(here).to_have_count(0)
    bruno.go_back()
    expect(here).to_be_visible()
    bruno.close()
    expect(here).to_have_count(0)
    wait_until(lambda: presence_of(psql, "bruno") == [], timeout=5, what="the end of bruno's leases")


def test_search_and_owner(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    ana.keyboard.press("/")
    expect(ana.get_by_role("searchbox")).to_be_focused()
    ana.keyboard.type("HOTEL mare")  # accents and case are ignored
    expect(ana.locator("[data-open]")).to_have_text(["Suporte premium 24h"])
    expect(ana.get_by_text("1 negócio encontrado")).to_be_visible()
    ana.keyboard.press("Escape")
    ana.get_by_role("button", name="Responsável: Todos").click()
    ana.get_by_role("menuitemradio", name="Bruno Lima").click()
    row = psql.execute("SELECT count(*) FROM opportunities WHERE board_id = 'vendas' AND owner_id = 'bruno'").fetchone()
    assert row
    expect(ana.locator("[data-open]")).to_have_count(row[0])
    ana.get_by_role("searchbox").fill("inexistente")
    expect(ana.get_by_text("Nenhum negócio encontrado")).to_be_visible()
    ana.get_by_role("button", name="Limpar filtros").last.click()
    expect(ana.locator("[data-open]")).not_to_have_count(0)


def test_a_card_deleted_while_dragged_is_reported_and_can_be_created_again(
    people: People, psql: psycopg.Connection
) -> None:
    ana = people.sign_in("ana")
    title = titles(psql, "proposal")[0]
    drag(ana, title, "won")
    total = ana.locator('[data-total="totalOpen"]')  # the columns show the card where it would be dropped
    before = total.inner_text()
    psql.execute("DELETE FROM opportunities WHERE title = %s", [title])
    expect(total).not_to_have_text(before)
    ana.mouse.up()
    expect(ana.get_by_text(f"“{title}” foi excluído enquanto você o arrastava.")).to_be_visible()
    ana.get_by_role("button", name="Criar novamente").click()
    wait_until(lambda: title in titles(psql, "won"), timeout=15, what="the new card")


@pytest.mark.parametrize("width", [360, 1400])
def test_switching_boards(people: People, width: int) -> None:
    ana = people.sign_in("ana", width=width)
    ana.get_by_role("button", name="Quadro: Vendas. Trocar").click()
    ana.get_by_role("menuitemradio", name="Parcerias").click()
    expect(ana).to_have_title("Parcerias · boardcast")
    expect(ana.locator("[data-open]").first).to_be_visible()
    ana.go_back()
    expect(ana).to_have_title("Vendas · boardcast")
    ana.reload()
    expect(ana).to_have_title("Vendas · boardcast")
