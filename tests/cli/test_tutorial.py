"""Runs the commands and the program of docs/tutorial.md unchanged and in order."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from db.embedded import binaries
from tests.cli.harness import READY, Commands
from tests.cli.test_readme import ROOT, VENV, start
from tests.support.until import until

PAGE = (ROOT / "docs" / "tutorial.md").read_text()
CARD = "Hotel Maré Alta"
NAMES = {"won": "Ganho", "proposal": "Proposta", "lost": "Perdido", "negotiation": "Negociação"}
"""The phases of the demo and their names on the board."""


def blocks(language: str) -> list[str]:
    return [block.strip() for block in re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


class Terminals:
    """Terminals of a reader who follows the page, on the ports of the test; `env` is the environment of their shells."""

    def __init__(self, commands: Commands) -> None:
        self.folder = commands.folder
        self.env = commands.environment(BOARDCAST_DATA_DIR=str(commands.folder / "data"), HOME=str(commands.folder))
        self.env["PATH"] += f":{binaries.find_binaries()}"  # psql, if none is installed
        self._ports = {8000: self.env["BOARDCAST_API_PORT"], 8001: self.env["BOARDCAST_FEED_PORT"]}
        self._outputs = 0

    def with_test_ports(self, text: str) -> str:
        for port, port_used in self._ports.items():
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{port_used}")
        return text

    def export(self, command: str) -> None:
        """Run `export NAME=…`, and keep the variable for the commands that follow."""
        name = re.match(r"export (\w+)=", command)
        assert name
        done = subprocess.run(
            ["/bin/bash", "-c", f'{command} && printf %s "${name[1]}"'],
            cwd=ROOT,
            env=self.env,
            check=True,
            capture_output=True,
            text=True,
        )
        self.env[name[1]] = done.stdout

    def output(self, command: str) -> str:
        done = subprocess.run(
            ["/bin/bash", "-c", self.with_test_ports(command)],
            cwd=ROOT,
            env=self.env,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    @contextmanager
    def running(self, command: str, sign: signal.Signals = signal.SIGINT) -> Iterator[Path]:
        """Run a command until the block ends, then send Ctrl-C; yield the file with its output."""
        self._outputs += 1
        output = self.folder / f"output-{self._outputs}"
        process = start(self.with_test_ports(command), self.env, output)
        try:
            yield output
            assert process.poll() is None, output.read_text()
        finally:
            process.send_signal(sign)
            process.wait(20)


def column(output: Path) -> str | None:
    """Return the column of the card on the last board that the program printed."""
    lines = [line for line in output.read_text().splitlines() if CARD in line]
    return lines[-1].split()[0] if lines else None


def cards(board: str) -> list[tuple[str, set[str]]]:
    """Return the name of each column with its cards: two with one position are in the order of their random IDs."""
    return [(line[:14].strip(), set(line[15:].split(", "))) for line in board.splitlines()]


def columns(output: Path) -> list[str]:
    """Return the columns of the card on all boards that the program printed."""
    return [line.split()[0] for line in output.read_text().splitlines() if CARD in line]


@pytest.mark.skipif(VENV != ROOT / ".venv", reason="docs/tutorial.md uses the virtual environment of `make setup`")
@pytest.mark.timeout(240)
async def test_the_tutorial(commands: Commands) -> None:
    up, export, snapshot, stream, won, program, proposal, lost, again, negotiation = blocks("sh")
    (source,) = blocks("python")
    message, printed = blocks("text")
    terminals = Terminals(commands)
    up = f"{up} -o .venv/.installed -o node_modules/.installed"  # no new setup: the tests run from this checkout

    async def wait_for_column(output: Path, phase: str) -> None:
        await until(lambda: column(output) == NAMES[phase], timeout=30, what=f"the card in {phase}")

    def move(command: str, phase: str) -> None:
        assert f"phase = '{phase}'" in command
        assert terminals.output(command) == "UPDATE 1\n"

    with terminals.running(up, signal.SIGTERM) as ready:
        await until(lambda: READY.search(ready.read_text()), timeout=60, what="the ready line")
        terminals.export(export)
        assert {"board", "opportunities", "cursor"} <= json.loads(terminals.output(snapshot)).keys()

        with terminals.running(stream) as streamed:
            await until(lambda: "auth_success" in streamed.read_text(), timeout=20)
            move(won, "won")
            await until(lambda: "opportunity_moved" in streamed.read_text(), timeout=20)
        check_message(message, streamed.read_text())

        (commands.folder / "board.py").write_text(terminals.with_test_ports(source))
        with terminals.running(program) as shown:
            await wait_for_column(shown, "won")
            await until(lambda: cards(shown.read_text()) == cards(printed), timeout=20, what="the board as documented")
            move(proposal, "proposal")
            await wait_for_column(shown, "proposal")
        move(lost, "lost")
        saved = json.loads((commands.folder / "board.json").read_text())
        with terminals.running(again) as shown:
            await wait_for_column(shown, "lost")
            assert columns(shown) == [NAMES["proposal"], NAMES["lost"]]
        current = json.loads((commands.folder / "board.json").read_text())
        assert saved["cursor"] != current["cursor"]

    with terminals.running(again) as shown:
        await until(lambda: "reconnecting" in shown.read_text(), timeout=20)
        with terminals.running(up, signal.SIGTERM) as ready:
            await until(lambda: READY.search(ready.read_text()), timeout=60, what="the ready line")
            move(negotiation, "negotiation")
            await wait_for_column(shown, "negotiation")
            assert set(columns(shown)) == {NAMES["lost"], NAMES["negotiation"]}


def check_message(shown: str, streamed: str) -> None:
    """Check that the documented event has the lines, and a part of the fields, of the real one."""
    kind, cursor, data = re.match(r"event: (.+)\nid: (.+)\ndata: (.+)", shown, re.DOTALL).groups()  # type: ignore[union-attr]
    (sent,) = re.findall(rf"^event: {kind}\nid: (.+)\ndata: (.+)$", streamed, re.MULTILINE)
    example, event = json.loads(data), json.loads(sent[1])
    assert (example["cursor"], event["cursor"]) == (cursor, sent[0])
    varying = {"cursor", "seq"}  # differ each time
    assert {
        name: value for name, value in example.items() if name not in varying | {"changes"}
    }.items() <= event.items()
    assert example["changes"].items() <= event["changes"].items()


def test_the_program_needs_no_packages() -> None:
    (source,) = blocks("python")
    imports = set(re.findall(r"^(?:from|import) (.+?)(?: import .*)?$", source, re.MULTILINE))
    names = {name.strip().partition(".")[0] for line in imports for name in line.split(",")}
    assert names <= sys.stdlib_module_names
    assert len([line for line in source.splitlines() if line]) <= 56
