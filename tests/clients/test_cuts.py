"""The programs of docs/clients.md, cut after every message of a stream: each change is handled once, in order, by its cursor.

A round is written while nothing is connected. Then each program resumes, is cut after so many messages, resumes from another
instance that makes other parts of the same batch, and has to have handled what came to one that was not cut.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import count, product
from pathlib import Path
from typing import Protocol

import pytest

from tests.clients import documented
from tests.clients.cut_world import PATIENCE, QUICK, KeepsBoards, Running, World, changes, shown
from tests.clients.cutter import Cut, Cutter
from tests.clients.scenario import moves, play, prepare
from tests.support.database import Database
from tests.support.services import Serve
from tests.support.until import until

EVENTS = tuple(heading for heading in documented.PROGRAMS if heading not in {documented.OWN, documented.BOARDS})


class Begin(Protocol):
    def __call__(self, *headings: str, quick: bool = False) -> AbstractAsyncContextManager[World]: ...


@pytest.fixture
def begin(database: Database, serve: Serve, node: str, tmp_path: Path) -> Begin:
    """Programs, live on two instances that read the log in parts of different sizes, each behind a proxy; `quick`: heartbeats."""
    assert node

    @asynccontextmanager
    async def begin(*headings: str, quick: bool = False) -> AsyncIterator[World]:
        settings = {
            "resync_threshold": 30,
            "heartbeat_interval": 0.2 if quick else 1.0,
            "read_interval": 0.1,
            "max_user_connections": 100,
        }
        world = World(database, (await serve(**settings), await serve(**settings, chunk_rows=4)))
        await prepare(database)
        feeds = [await services.feed() for services in world.instances]
        apis = [await services.api() for services in world.instances]
        token = world.instances[0].token()
        async with AsyncExitStack() as stack:
            for heading in headings:
                cutter = await stack.enter_async_context(Cutter(feeds, apis))
                addresses = {"api": cutter.address, "feed": cutter.address}
                command = documented.write(tmp_path, heading, token, **addresses, changes=changes(heading, quick=quick))
                output = stack.enter_context(documented.running(command, os.environ | QUICK))
                kind = KeepsBoards if heading == documented.BOARDS else Running
                world.programs.append(kind(heading, cutter, output))
                cutter.note = lambda running=world.programs[-1]: running.handled  # type: ignore[misc]
            for running in world.programs:
                await _begun(running, 1)
            client = await world.instances[0].open("websocket")
            world.cursor = client.cursor or ""
            await client.close()
            yield world

    return begin


async def _begun(running: Running, times: int) -> None:
    await until(lambda: running.cutter.begun >= times, timeout=PATIENCE, what=f"{running.heading}: {running.look()}")


async def test_each_change_is_handled_once_whichever_message_is_the_last_before_a_cut(begin: Begin) -> None:
    async with begin(*EVENTS, documented.BOARDS) as world:
        longest = 1
        for number in count():
            if number > longest:
                break
            world.disconnect()
            seq = await play(world.database, number)
            await world.reached(seq)
            events = await world.refer(seq)
            longest = len(events) + 2  # and auth_success and presence_state
            for place, running in enumerate(world.programs):
                running.plan(Cut(number, torn=(number + place) % 2 == 1))
            for running in world.programs:
                if isinstance(running, KeepsBoards):
                    await running.has(world.database, events)
                else:
                    await running.handles([shown(event) for event in events], events)


async def test_a_reset_is_handled_once_and_what_comes_after_it(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feed.tailing.tailer._VERIFY_INTERVAL", 0.0)
    async with begin(*EVENTS, documented.BOARDS) as world:
        for number, (after, torn) in enumerate(product(range(4), (False, True))):
            world.disconnect()
            await play(world.database, number)
            await world.database.execute("SELECT feed.reset_feed('a test')")
            [feed] = await world.database.execute("SELECT feed_id AS id FROM feed.identity")
            await world.renewed(feed["id"])
            for running in world.programs:
                running.plan(Cut(after, torn))
            for running in world.programs:
                if isinstance(running, KeepsBoards):
                    await running.has(world.database)
                else:
                    await running.handles(["reset"])
            await world.database.execute("UPDATE opportunities SET phase = 'r' || %s WHERE id = 'o1'", [number])
            [last] = await world.database.execute("SELECT max(seq) AS seq FROM feed.log")
            for running in world.programs:
                if isinstance(running, KeepsBoards):
                    await running.has(world.database)
                else:
                    await running.handles([f"opportunity_moved {last['seq']} r{number}"])


async def test_boardcasts_own_client_goes_on_whichever_way_is_cut(begin: Begin) -> None:
    """Live, since it falls back to the next transport at once. If that is cut too, it polls, and gets states."""
    async with begin(documented.OWN) as world:
        [own] = world.programs
        for number in range(16):
            after, both = divmod(number, 2)
            await until(lambda: own.look()[-1:] == ["status live websocket"], timeout=PATIENCE, what=str(own.lines))
            own.lines.clear()
            own.cutter.plans = {
                path: Cut(after, torn=bool(both)) for path in (("/ws", "/api/events") if both else ("/ws",))
            }
            await play(world.database, number)
            wanted = [f"opportunity_moved {phase}" for phase in moves(number)]
            await until(lambda: own.handled[-1:] == wanted[-1:], timeout=PATIENCE, what=str(own.lines))  # noqa: B023
            if "status live polling" in own.lines:
                assert own.handled == [line for line in wanted if line in own.handled]
            else:
                assert own.handled == wanted
            own.lines = own.lines[-1:]


async def test_silence_of_two_heartbeats_is_a_cut(begin: Begin) -> None:
    async with begin(*documented.PROGRAMS, quick=True) as world:
        for running in world.programs:
            running.cutter.silent = True
        streams = [len(running.cutter.resumed) for running in world.programs]
        for running, before in zip(world.programs, streams, strict=True):
            await until(
                lambda running=running, before=before: len(running.cutter.resumed) > before,  # type: ignore[misc]
                timeout=PATIENCE,
                what=f"{running.heading} to come back",
            )
        for running in world.programs:
            running.cutter.silent = False
        await world.database.execute("UPDATE opportunities SET phase = 'heard' WHERE id = 'o1'")
        for running in world.programs:
            await until(
                lambda running=running: running.handled[-1:] and running.handled[-1].endswith("heard"),  # type: ignore[misc]
                timeout=PATIENCE,
                what=f"{running.heading}: {running.lines}",
            )
            assert len(running.handled) == 1
