"""The programs of docs/clients.md, run as they stand there: live, through a restart of everything, each event once."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.cli.harness import Commands, Service
from tests.cli.test_first_minute import move, sync
from tests.support.until import until

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "node_modules"
PAGE = (ROOT / "docs" / "clients.md").read_text()
NODE = f"""
const {{ EventSource }} = await import("{MODULES}/eventsource/dist/index.js");
const {{ default: WebSocket }} = await import("{MODULES}/ws/wrapper.mjs");
Object.assign(globalThis, {{ EventSource, WebSocket }});
"""
"""What a browser has and Node does not."""


def program(heading: str) -> tuple[str, str]:
    """The language and the text of the program under a heading."""
    match = re.search(rf"^## {re.escape(heading)}$.*?^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert match, heading
    return match[1], match[2]


PROGRAMS = [
    "JavaScript: boardcast's own client",
    "A page elsewhere: EventSource with a ticket",
    "JavaScript: WebSocket",
    "Python: websockets",
    "Python: httpx-sse",
]


def _client(folder: Path) -> Path:
    """feed/client in one file."""
    target = folder / "client.mjs"
    if not target.exists():
        source = ROOT / "feed" / "client" / "src" / "index.ts"
        command: list[str | Path] = [MODULES / ".bin" / "esbuild", source, "--bundle", "--format=esm"]
        subprocess.run([*command, "--log-level=warning", f"--outfile={target}"], check=True)
    return target


@contextmanager
def running(folder: Path, heading: str, up: Service, token: str) -> Iterator[Path]:
    """Run a program; the file that it prints to."""
    language, text = program(heading)
    assert '"…"' in text
    text = text.replace('"…"', f'"{token}"')
    for service, port in ((up.api, 8000), (up.feed, 8001)):
        text = text.replace(f"127.0.0.1:{port}", service.removeprefix("http://"))
    text = text.replace('"@boardcast/client"', f'"{_client(folder)}"')
    name = re.sub(r"\W+", "-", heading)
    source = folder / (f"{name}.mjs" if language == "js" else f"{name}.py")
    source.write_text(NODE + text if language == "js" else text)
    said = folder / f"{name}.out"
    command: list[str | Path] = [shutil.which("node") or "node" if language == "js" else sys.executable, source]
    with said.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield said
        assert process.poll() is None, said.read_text()
    finally:
        process.kill()
        process.wait()


def moves(text: str) -> list[str]:
    """The phases that a program has told of."""
    return re.findall(r"^opportunity_moved (\w+)$", text, re.MULTILINE)


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
    language, lines = program("curl")
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
    _, text = program("JavaScript: boardcast's own client")
    assert text in (ROOT / "feed" / "client" / "README.md").read_text()
