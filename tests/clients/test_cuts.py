"""The programs of docs/clients.md, disconnected after every message of a stream, handle each change once and in order.

A round of changes is written while nothing is connected. Then each program resumes, is disconnected after N messages, and resumes
from another instance, which splits the batch differently. It must handle the same events as a client that was never disconnected.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import count, product
from pathlib import Path
from typing import Protocol

import pytest

from tests.clients import documented
from tests.clients.cutting_proxy import Cut, CuttingProxy
from tests.clients.running_programs import (
    SHORT_BACKOFF,
    TIMEOUT,
    Environment,
    RunningBoardsProgram,
    RunningProgram,
    changes,
    printed,
)
from tests.clients.scenario import phases, prepare, write_round
from tests.support.database import Database
from tests.support.services import Serve
from tests.support.until import until

EVENTS = tuple(heading for heading in documented.PROGRAMS if heading not in {documented.OWN, documented.BOARDS})

WEBSOCKET = "status live websocket"


class StartPrograms(Protocol):
    def __call__(self, *headings: str, quick: bool = False) -> AbstractAsyncContextManager[Environment]: ...


@pytest.fixture
def start_programs(database: Database, serve: Serve, node: str, tmp_path: Path) -> StartPrograms:
    """Start programs, each behind a proxy, on two instances with different chunk sizes; `quick` shortens heartbeats."""
    assert node

    @asynccontextmanager
    async def start_programs(*headings: str, quick: bool = False) -> AsyncIterator[Environment]:
        settings = {
            "resync_threshold": 30,
            "heartbeat_interval": 0.2 if quick else 1.0,
            "read_interval": 0.1,
            "max_user_connections": 100,
        }
        environment = Environment(database, (await serve(**settings), await serve(**settings, chunk_rows=4)))
        await prepare(database)
        feeds = [await services.feed() for services in environment.instances]
        apis = [await services.api() for services in environment.instances]
        token = environment.instances[0].token()
        async with AsyncExitStack() as stack:
            for heading in headings:
                proxy = await stack.enter_async_context(CuttingProxy(feeds, apis))
                addresses = {"api": proxy.address, "feed": proxy.address}
                command = documented.write(tmp_path, heading, token, **addresses, changes=changes(heading, quick=quick))
                output = stack.enter_context(documented.running(command, os.environ | SHORT_BACKOFF))
                kind = RunningBoardsProgram if heading == documented.BOARDS else RunningProgram
                environment.programs.append(kind(heading, proxy, output))
                proxy.observe = lambda running=environment.programs[-1]: running.handled  # type: ignore[misc]
            for running in environment.programs:
                await _wait_for_streams(running, 1)
            client = await environment.instances[0].open("websocket")
            environment.cursor = client.cursor or ""
            await client.close()
            yield environment

    return start_programs


async def _wait_for_streams(running: RunningProgram, times: int) -> None:
    await until(
        lambda: running.proxy.started >= times, timeout=TIMEOUT, what=f"{running.heading}: {running.read_output()}"
    )


async def test_each_change_is_handled_once_wherever_the_stream_is_cut(start_programs: StartPrograms) -> None:
    async with start_programs(*EVENTS, documented.BOARDS) as environment:
        longest = 1
        for number in count():
            if number > longest:
                break
            environment.disconnect()
            seq = await write_round(environment.database, number)
            await environment.wait_until_read(seq)
            events = await environment.reference_events(seq)
            longest = len(events) + 2  # plus auth_success and presence_state
            for place, running in enumerate(environment.programs):
                running.schedule_cut(Cut(number, torn=(number + place) % 2 == 1))
            for running in environment.programs:
                if isinstance(running, RunningBoardsProgram):
                    await running.wait_for_cards(environment.database, events)
                else:
                    await running.wait_for_events([printed(event) for event in events], events)


async def test_a_reset_and_the_changes_after_it_are_handled_once(
    start_programs: StartPrograms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.tailing.tailer._VERIFY_INTERVAL", 0.0)
    async with start_programs(*EVENTS, documented.BOARDS) as environment:
        for number, (after, torn) in enumerate(product(range(4), (False, True))):
            environment.disconnect()
            await write_round(environment.database, number)
            await environment.database.execute("SELECT feed.reset_feed('a test')")
            [feed] = await environment.database.execute("SELECT feed_id AS id FROM feed.identity")
            await environment.wait_for_feed(feed["id"])
            for running in environment.programs:
                running.schedule_cut(Cut(after, torn))
            for running in environment.programs:
                if isinstance(running, RunningBoardsProgram):
                    await running.wait_for_cards(environment.database)
                else:
                    await running.wait_for_events(["reset"])
            await environment.database.execute("UPDATE opportunities SET phase = 'r' || %s WHERE id = 'o1'", [number])
            [last] = await environment.database.execute("SELECT max(seq) AS seq FROM feed.log")
            for running in environment.programs:
                if isinstance(running, RunningBoardsProgram):
                    await running.wait_for_cards(environment.database)
                else:
                    await running.wait_for_events([f"opportunity_moved {last['seq']} r{number}"])


async def test_the_boardcast_client_continues_whichever_transport_is_cut(start_programs: StartPrograms) -> None:
    """It falls back to the next transport at once. If that is cut too, it polls and gets states."""
    async with start_programs(documented.OWN) as environment:
        [own] = environment.programs
        await until(lambda: own.read_output()[-1:] == [WEBSOCKET], timeout=TIMEOUT, what=str(own.lines))
        for number in range(16):
            after, second = divmod(number, 2)
            own.lines.clear()
            own.proxy.plans = {
                path: Cut(after, torn=bool(second)) for path in (("/ws", "/api/events") if second else ("/ws",))
            }
            await write_round(environment.database, number)
            expected = [f"opportunity_moved {phase}" for phase in phases(number)]
            await until(lambda: own.handled[-1:] == expected[-1:], timeout=TIMEOUT, what=str(own.lines))  # noqa: B023
            # The status follows the events: only after its return is it known whether the client has polled.
            await until(lambda: own.read_output()[-1:] == [WEBSOCKET], timeout=TIMEOUT, what=str(own.lines))
            if "status live polling" in own.lines:
                assert own.handled == [line for line in expected if line in own.handled]
            else:
                assert own.handled == expected


async def test_each_program_handles_a_card_of_2_mb(start_programs: StartPrograms) -> None:
    async with start_programs(*documented.PROGRAMS) as environment:
        streams = [running.proxy.started for running in environment.programs]
        for phase, size in (("small", 1), ("large", 2_000_000), ("later", 2_000_000)):
            await environment.database.execute(
                "UPDATE opportunities SET phase = %s, notes = repeat('ã', %s) WHERE id = 'o1'", [phase, size]
            )
            for running in environment.programs:
                await until(
                    lambda running=running, phase=phase: any(line.endswith(phase) for line in running.handled),  # type: ignore[arg-type, misc]
                    timeout=TIMEOUT,
                    what=f"{running.heading}: {running.lines}",
                )
        assert [running.proxy.started for running in environment.programs] == streams


async def test_clients_reconnect_after_two_missing_heartbeats(start_programs: StartPrograms) -> None:
    async with start_programs(*documented.PROGRAMS, quick=True) as environment:
        for running in environment.programs:
            running.proxy.silent = True
        streams = [len(running.proxy.resumed) for running in environment.programs]
        for running, before in zip(environment.programs, streams, strict=True):
            await until(
                lambda running=running, before=before: len(running.proxy.resumed) > before,  # type: ignore[misc]
                timeout=TIMEOUT,
                what=f"{running.heading} to reconnect",
            )
        for running in environment.programs:
            running.proxy.silent = False
        await environment.database.execute("UPDATE opportunities SET phase = 'late' WHERE id = 'o1'")
        for running in environment.programs:
            await until(
                lambda running=running: running.handled[-1:] and running.handled[-1].endswith("late"),  # type: ignore[misc]
                timeout=TIMEOUT,
                what=f"{running.heading}: {running.lines}",
            )
            assert len(running.handled) == 1
