"""The programs of docs/clients.md, run as they stand there: live, through a restart of everything, each event once."""

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
"""Those that begin by themselves."""


@contextmanager
def running(folder: Path, heading: str, up: Service, token: str) -> Iterator[Path]:
    """Run a program as it stands there, against these services; the file that it prints to."""
    addresses = {"api": up.api.removeprefix("http://"), "feed": up.feed.removeprefix("http://")}
    with documented.running(documented.write(folder, heading, token, **addresses, changes={})) as output:
        yield output


def moves(text: str) -> list[str]:
    """The phases that a program has told of."""
    return re.findall(r"^opportunity_moved (?:\d+ )?(\w+)$", text, re.MULTILINE)


async def says(said: Path, condition: Callable[[str], bool]) -> None:
    await until(lambda: condition(said.read_text()), timeout=30, what=said.name)


async def test_each_program_goes_on_where_it_was(commands: Commands) -> None:
    with ExitStack() as stack:
        with commands.serving("up") as up:
            token = commands.output("token", "ana")
            said = [stack.enter_context(running(commands.folder, heading, up, token)) for heading in PROGRAMS]
            for each in said:
                await says(each, lambda text: "auth_success" in text or "status live" in text)
            move(up, "won")
            for each in said:
                await says(each, lambda text: moves(text) == ["won"])
        with commands.serving("up") as up:
            move(up, "lost")
            for each in said:
                await says(each, lambda text: len(moves(text)) > 1)
            move(up, "proposal")
            for each in said:
                await says(each, lambda text: moves(text)[-1] == "proposal")
                assert moves(each.read_text()) == ["won", "lost", "proposal"]


def test_the_curl_lines(commands: Commands) -> None:
    language, lines = documented.program(documented.CURL)
    assert language == "sh"
    stream, board, polled = lines.strip().splitlines()
    with commands.serving("up") as up:
        token = commands.output("token", "ana")
        cursor = sync(up, token, "")["lastSync"]
        move(up, "won")

        def said(line: str) -> str:
            for service, port in ((up.api, 8000), (up.feed, 8001)):
                line = line.replace(f"127.0.0.1:{port}", service.removeprefix("http://"))
            done = subprocess.run(
                ["/bin/bash", "-c", line.replace("curl ", "curl -sS --max-time 2 ")],
                check=False,
                capture_output=True,
                text=True,
                env=commands.environment(TOKEN=token, CURSOR=cursor),
            )
            return done.stdout

        assert "event: auth_success" in said(stream)
        assert '"phases"' in said(board)
        assert '"phase":"won"' in said(polled).replace(" ", "")


def test_the_clients_own_page_shows_the_same_program() -> None:
    _, text = documented.program(documented.OWN)
    assert text in (documented.ROOT / "web" / "client" / "README.md").read_text()
