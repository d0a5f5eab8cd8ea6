"""Four pages of three people, at random and through disconnections: all end with the rows of the table, and nobody loses an edit
without being told.

BOARDCAST_TEST_SECONDS: how long they work (default 20). BOARDCAST_TEST_SEED: repeats a run; a failure prints it.
"""

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.clients.boards import PHASES, Boards, cards, furnish, table
from tests.clients.people import FINAL, Person
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import Serve
from tests.support.until import until

SECONDS = float(os.environ.get("BOARDCAST_TEST_SECONDS", "20"))
PAGES = {
    "ana": ("ana", "websocket"),
    "ana too": ("ana", "sse"),
    "bruno": ("bruno", "websocket"),
    "dora": ("dora", "polling"),
}
"""The user of each page, and its first transport."""
SETTLING = 40.0
TROUBLES = ("cut", "cut the feed", "away", "lose answers", "stand still", "page")

_MORE = """
INSERT INTO users (id, name) VALUES ('dora', 'Dora');
INSERT INTO board_members (board_id, user_id, role) VALUES ('b1', 'dora', 'editor');
INSERT INTO opportunities (id, board_id, title, phase, position, notes)
SELECT 'c' || n, 'b1', 'Card ' || n, 'new', 'a' || n, E'one\\ntwo\\nthree' FROM generate_series(1, 5) AS n;
"""


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("BOARDCAST_TEST_SEED", random.SystemRandom().randrange(10**9)))


async def _network(person: Person, troubles: Iterator[str]) -> None:
    """Something happens to somebody's network or page."""
    if person.away:
        person.away = False
        for proxy in person.proxies:
            await proxy.resume()
        return
    what = next(troubles)
    if what == "page":
        await person.client.close()
        await person.client.open()
    elif what == "lose answers":
        await person.client.lose(2)
    elif what == "stand still":
        person.away = True
        for proxy in person.proxies:
            proxy.pause()
    else:
        for proxy in person.proxies[: 1 if what == "cut the feed" else 2]:
            if what == "away":
                person.away = True
                proxy.refuse()
            proxy.cut()


def _troubles(chance: random.Random) -> Iterator[str]:
    """Each kind as often as the others, in any order."""
    while True:
        yield from chance.sample(TROUBLES, len(TROUBLES))


async def _another_program(database: Database, chance: random.Random, number: int) -> None:
    """A program that knows nothing of versions writes straight into the table."""
    await database.execute(
        "UPDATE opportunities SET title = %(title)s WHERE id = (SELECT id FROM opportunities ORDER BY id OFFSET %(at)s LIMIT 1)",
        {"title": f"program {number}", "at": chance.randrange(6)},
    )


async def _work(people: list[Person], database: Database, chance: random.Random) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS
    step = 0
    troubles = _troubles(chance)
    while loop.time() < end:
        step += 1
        person = chance.choice(people)
        kind = chance.random()
        if kind < 0.08:
            await _network(person, troubles)
        elif kind < 0.12:
            await _another_program(database, chance, step)
        else:
            await asyncio.gather(*(one.act() for one in {person, chance.choice(people)}))


async def _settle(people: list[Person], database: Database) -> None:
    """Everybody is back online and decides their conflicts."""
    for person in people:
        for proxy in person.proxies:
            await proxy.resume()

    async def equal() -> bool:
        states = [await person.client.state() for person in people]
        for person, state in zip(people, states, strict=True):
            await person.answer(state)
        quiet = not any(state["pendingCount"] or state["rejectedWrites"] for state in states)
        rows = await table(database)
        return quiet and all(cards(state) == rows for state in states)

    await until(equal, timeout=SETTLING, what="the boards and the table to be equal")


async def _check_columns(people: list[Person], database: Database) -> None:
    for phase in PHASES:
        ordered = 'SELECT id FROM opportunities WHERE phase = %(phase)s ORDER BY position COLLATE "C", id COLLATE "C"'
        ids = [row["id"] for row in await database.execute(ordered, {"phase": phase})]
        for person in people:
            state = await person.client.state()
            assert [card["id"] for card in state["columns"][phase]] == ids


async def _check_outcomes(person: Person, log: dict[str, list[dict[str, Any]]]) -> None:
    """Every mutation has a final result. A saved one is in the log, and replaced the values that its author saw."""
    for mutation in (set(person.edits) | person.others) - person.taken_back:
        ends = [result for result in person.client.outcomes(mutation) if result in FINAL]
        assert ends, f"{person.client.name} got no result of {mutation}: {person.client.outcomes(mutation)}"
    for mutation, edit in person.edits.items():
        if edit.card in person.asked or "saved" not in person.client.outcomes(mutation):
            continue
        assert log.get(mutation), f"{mutation} of {person.client.name} is reported as saved, but nothing was written"
        for name in edit.seen.keys() - {"notes"}:
            before = log[mutation][0]["old"]
            if before is not None:
                seen = edit.seen[name] + [person.typed[value] for value in edit.seen[name] if value in person.typed]
                assert before[name] in seen, f"{person.client.name} replaced a {name} that they had not seen"


async def _check_made(person: Person, log: dict[str, list[dict[str, Any]]]) -> None:
    known = {row["key"] for rows in log.values() for row in rows}
    lost = person.made - known - person.asked
    assert not lost, f"{person.client.name} made {lost}, and nothing came of it"


@pytest.mark.timeout(SECONDS * 2 + SETTLING + 60)
async def test_all_boards_end_as_the_table(serve: Serve, database: Database, node: str, bundle: str, seed: int) -> None:
    services = await serve(checkpoint_interval=0.001)
    await furnish(database)
    async with await database.connect() as conn:
        await conn.execute(_MORE)
    chance = random.Random(seed)
    addresses = {
        "feed": f"http://127.0.0.1:{await services.feed()}",
        "api": f"http://127.0.0.1:{await services.api()}",
    }
    try:
        async with AsyncExitStack() as stack:
            boards = await stack.enter_async_context(Boards().start(node, bundle))
            people = []
            for name, (user, transport) in PAGES.items():
                ways = [await stack.enter_async_context(Proxy.before(address)) for address in addresses.values()]
                options = {key: proxy.through(addresses[key]) for key, proxy in zip(addresses, ways, strict=True)}
                options["firstTransport"] = transport
                people.append(Person(await boards.client(name, options, user), ways, chance))
            await _work(people, database, chance)
            await _settle(people, database)
            await _check_columns(people, database)
            # A checkpoint came with every read, and nobody mistook anything for a loss.
            assert await database.execute("SELECT * FROM feed.gaps") == []
            log: dict[str, list[dict[str, Any]]] = {}
            for row in await database.execute(
                "SELECT origin, key, old, new FROM feed.log WHERE relation = 'opportunities' ORDER BY seq"
            ):
                log.setdefault(row["origin"], []).append(row)
            for person in people:
                await _check_outcomes(person, log)
                await _check_made(person, log)
    except BaseException as error:
        error.add_note(f"BOARDCAST_TEST_SEED={seed} BOARDCAST_TEST_SECONDS={SECONDS:g}")
        raise
