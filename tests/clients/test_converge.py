"""Four pages of three users make random changes through network faults: all end with the rows of the table, and every lost edit is
reported to its author.

BOARDCAST_TEST_SECONDS: how long they work (default 20). BOARDCAST_TEST_SEED: repeats a run; a failure prints it.
"""

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.clients.boards import PHASES, Boards, cards, prepare_board, table
from tests.clients.people import FINAL, Person
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.services import Serve
from tests.support.until import until

SECONDS = float(os.environ.get("BOARDCAST_TEST_SECONDS", "20"))
PAGES = {
    "ana": ("ana", "websocket"),
    "ana 2": ("ana", "sse"),
    "bruno": ("bruno", "websocket"),
    "dora": ("dora", "polling"),
}
"""The user of each page, and its first transport."""
SETTLE_TIMEOUT = 40.0
FAULTS = ("cut", "cut the feed", "offline", "lose responses", "pause", "reload")

_MORE = """
INSERT INTO users (id, name) VALUES ('dora', 'Dora');
INSERT INTO feed.board_members (board_id, user_id, role) VALUES ('b1', 'dora', 'editor');
INSERT INTO opportunities (id, board_id, title, phase, position, notes)
SELECT 'c' || n, 'b1', 'Card ' || n, 'new', 'a' || n, E'one\\ntwo\\nthree' FROM generate_series(1, 5) AS n;
"""


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("BOARDCAST_TEST_SEED", random.SystemRandom().randrange(10**9)))


async def _inject_fault(person: Person, faults: Iterator[str]) -> None:
    """End the person's running network fault, or start the next fault."""
    if person.offline:
        person.offline = False
        for proxy in person.proxies:
            await proxy.resume()
        return
    fault = next(faults)
    if fault == "reload":
        await person.client.close()
        await person.client.open()
    elif fault == "lose responses":
        await person.client.lose_responses(2)
    elif fault == "pause":
        person.offline = True
        for proxy in person.proxies:
            proxy.pause()
    else:
        for proxy in person.proxies[: 1 if fault == "cut the feed" else 2]:
            if fault == "offline":
                person.offline = True
                proxy.refuse()
            proxy.cut()


def _faults(rng: random.Random) -> Iterator[str]:
    """All kinds equally often, in random order."""
    while True:
        yield from rng.sample(FAULTS, len(FAULTS))


async def _write_from_another_program(database: Database, rng: random.Random, number: int) -> None:
    """Write to the table like a program that does not use versions."""
    await database.execute(
        "UPDATE opportunities SET title = %(title)s WHERE id = (SELECT id FROM opportunities ORDER BY id OFFSET %(at)s LIMIT 1)",
        {"title": f"program {number}", "at": rng.randrange(6)},
    )


async def _administer(database: Database, rng: random.Random, number: int) -> None:
    """Change the board or its members, as another page of an admin does."""
    kind = rng.choice(("name", "phases", "member"))
    if kind == "name":
        await database.execute("UPDATE feed.boards SET name = %(name)s WHERE id = 'b1'", {"name": f"Board {number}"})
    elif kind == "phases":
        await database.execute(
            "UPDATE feed.boards SET phases = (SELECT jsonb_agg(p ORDER BY p ->> 'id' COLLATE \"C\" <> %(first)s, p ->> 'id')"
            " FROM jsonb_array_elements(phases) AS p) WHERE id = 'b1'",
            {"first": rng.choice(PHASES)},
        )
    else:
        await database.execute("DELETE FROM feed.board_members WHERE user_id = 'guest'")
        await database.execute(
            "INSERT INTO feed.board_members (board_id, user_id, role) VALUES ('b1', 'guest', %(role)s)",
            {"role": rng.choice(("viewer", "editor", "admin"))},
        )


async def _board(database: Database) -> tuple[Any, ...]:
    """Return the name, version, and phases of the board, and its members."""
    (board,) = await database.execute("SELECT name, version_number, phases FROM feed.boards WHERE id = 'b1'")
    members = await database.execute(
        "SELECT user_id, role FROM feed.board_members WHERE board_id = 'b1' ORDER BY user_id COLLATE \"C\""
    )
    return (*board.values(), [(row["user_id"], row["role"]) for row in members])


def _shown_board(state: dict[str, Any]) -> tuple[Any, ...]:
    board = state["board"]
    members = sorted((member["userId"], member["role"]) for member in state["members"])
    return board["name"], board["version"], board["phases"], members


async def _work(people: list[Person], database: Database, rng: random.Random) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS
    step = 0
    faults = _faults(rng)
    while loop.time() < end:
        step += 1
        person = rng.choice(people)
        kind = rng.random()
        if kind < 0.08:
            await _inject_fault(person, faults)
        elif kind < 0.1:
            await _administer(database, rng, step)
        elif kind < 0.14:
            await _write_from_another_program(database, rng, step)
        else:
            await asyncio.gather(*(one.act() for one in {person, rng.choice(people)}))


async def _settle(people: list[Person], database: Database) -> None:
    """Bring everyone online, and resolve conflicts until all are equal."""
    for person in people:
        for proxy in person.proxies:
            await proxy.resume()

    async def equal() -> bool:
        states = [await person.client.state() for person in people]
        for person, state in zip(people, states, strict=True):
            await person.resolve(state)
        quiet = not any(state["pendingCount"] or state["rejectedWrites"] for state in states)
        rows = await table(database)
        board = await _board(database)
        return quiet and all(cards(state) == rows and _shown_board(state) == board for state in states)

    await until(equal, timeout=SETTLE_TIMEOUT, what="the boards and the table to be equal")


async def _check_columns(people: list[Person], database: Database) -> None:
    for phase in PHASES:
        ordered = 'SELECT id FROM opportunities WHERE phase = %(phase)s ORDER BY position COLLATE "C", id COLLATE "C"'
        ids = [row["id"] for row in await database.execute(ordered, {"phase": phase})]
        for person in people:
            state = await person.client.state()
            assert [card["id"] for card in state["columns"][phase]] == ids


async def _check_outcomes(person: Person, log: dict[str, list[dict[str, Any]]]) -> None:
    """Every mutation has a final result. A saved one is in the log and replaced the values that its author saw."""
    for mutation in (set(person.edits) | person.other_mutations) - person.undone:
        results = [result for result in person.client.outcomes(mutation) if result in FINAL]
        assert results, f"{person.client.name} got no final result of {mutation}: {person.client.outcomes(mutation)}"
    for mutation, edit in person.edits.items():
        if edit.card in person.contested or "saved" not in person.client.outcomes(mutation):
            continue
        assert log.get(mutation), f"{mutation} of {person.client.name} is reported as saved, but nothing was written"
        for name in edit.seen.keys() - {"notes"}:
            before = log[mutation][0]["old"]
            if before is not None:
                seen = edit.seen[name] + [person.typed[value] for value in edit.seen[name] if value in person.typed]
                assert before[name] in seen, f"{person.client.name} replaced a {name} that they had not seen"


async def _check_created(person: Person, log: dict[str, list[dict[str, Any]]]) -> None:
    logged = {row["key"] for rows in log.values() for row in rows}
    lost = person.created - logged - person.contested
    assert not lost, f"{person.client.name} created {lost}, but they are neither in the log nor rejected"


@pytest.mark.timeout(SECONDS * 2 + SETTLE_TIMEOUT + 60)
async def test_all_boards_converge_to_the_table(
    serve: Serve, database: Database, node: str, bundle: str, seed: int
) -> None:
    services = await serve(checkpoint_interval=0.001)
    await prepare_board(database)
    async with await database.connect() as conn:
        await conn.execute(_MORE)
    rng = random.Random(seed)
    addresses = {
        "feed": f"http://127.0.0.1:{await services.feed()}",
        "api": f"http://127.0.0.1:{await services.api()}",
    }
    try:
        async with AsyncExitStack() as stack:
            boards = await stack.enter_async_context(Boards().start(node, bundle))
            people = []
            for name, (user, transport) in PAGES.items():
                proxies = [await stack.enter_async_context(Proxy.for_url(address)) for address in addresses.values()]
                options = {
                    key: proxy.rewrite_url(addresses[key]) for key, proxy in zip(addresses, proxies, strict=True)
                }
                options["firstTransport"] = transport
                people.append(Person(await boards.client(name, options, user), proxies, rng))
            await _work(people, database, rng)
            await _settle(people, database)
            await _check_columns(people, database)
            # Every read pass sent a checkpoint, and no client reported a false gap.
            assert await database.execute("SELECT * FROM feed.gaps") == []
            log: dict[str, list[dict[str, Any]]] = {}
            for row in await database.execute(
                "SELECT origin, key, old, new FROM feed.log WHERE relation = 'opportunities' ORDER BY seq"
            ):
                log.setdefault(row["origin"], []).append(row)
            for person in people:
                await _check_outcomes(person, log)
                await _check_created(person, log)
    except BaseException as error:
        error.add_note(f"BOARDCAST_TEST_SEED={seed} BOARDCAST_TEST_SECONDS={SECONDS:g}")
        raise
