"""Runs the programs of docs/clients.md unchanged, live and through a restart: they get each event once."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.cli.harness import Commands, Service
from tests.cli.test_first_minute import move, sync
from tests.clients import documented
from tests.support.until import until

PROGRAMS = [heading for heading in documented.PROGRAMS if heading != documented.COOKIE]
"""The programs that start without further steps."""


@contextmanager
def running(folder: Path, heading: str, up: Service, token: str) -> Iterator[Path]:
    """Run a documented program against these services; yield the file with its output."""
    addresses = {"api": up.api.removeprefix("http://"), "feed": up.feed.removeprefix("http://")}
    with documented.running(documented.write(folder, heading, token, **addresses, changes={})) as output:
        yield output


def moves(text: str) -> list[str]:
    """Return the phases of the moves that a program printed."""
    return re.findall(r"^opportunity_moved (?:\d+ )?(\w+)$", text, re.MULTILINE)


async def output_satisfies(output: Path, condition: Callable[[str], bool]) -> None:
    await until(lambda: condition(output.read_text()), timeout=30, what=output.name)


async def test_each_program_resumes_after_a_restart(started_before: Commands) -> None:
    with ExitStack() as stack:
        with started_before.serving("up") as up:
            up.database = started_before.output("database")
            token = started_before.output("token", "ana")
            outputs = [stack.enter_context(running(started_before.folder, heading, up, token)) for heading in PROGRAMS]
            for each in outputs:
                await output_satisfies(each, lambda text: "auth_success" in text or "status live" in text)
            move(up, "won")
            for each in outputs:
                await output_satisfies(each, lambda text: moves(text) == ["won"])
        with started_before.serving("up") as up:
            up.database = started_before.output("database")
            move(up, "lost")
            for each in outputs:
                await output_satisfies(each, lambda text: len(moves(text)) > 1)
            move(up, "proposal")
            for each in outputs:
                await output_satisfies(each, lambda text: moves(text)[-1] == "proposal")
                assert moves(each.read_text()) == ["won", "lost", "proposal"]


def test_the_curl_commands(started_before: Commands) -> None:
    language, lines = documented.program(documented.CURL)
    assert language == "sh"
    stream, board, polled = lines.strip().splitlines()
    with started_before.serving("up") as up:
        up.database = started_before.output("database")
        token = started_before.output("token", "ana")
        cursor = sync(up, token, "")["lastSync"]
        move(up, "won")

        def run_line(line: str) -> str:
            for service, port in ((up.api, 8000), (up.feed, 8001)):
                line = line.replace(f"127.0.0.1:{port}", service.removeprefix("http://"))
            done = subprocess.run(
                ["/bin/bash", "-c", line.replace("curl ", "curl -sS --max-time 2 ")],
                check=False,
                capture_output=True,
                text=True,
                env=started_before.environment(TOKEN=token, CURSOR=cursor),
            )
            return done.stdout

        assert "event: auth_success" in run_line(stream)
        assert '"phases"' in run_line(board)
        assert '"phase":"won"' in run_line(polled).replace(" ", "")


def test_the_readme_of_the_client_has_the_same_program() -> None:
    _, text = documented.program(documented.OWN)
    assert text in (documented.ROOT / "web" / "client" / "README.md").read_text()
