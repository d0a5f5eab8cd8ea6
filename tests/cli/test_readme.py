"""Runs the commands of README.md unchanged and in order."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from db.embedded.binaries import find_binaries
from tests.cli.harness import READY, Commands
from tests.support.until import until

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
VENV = Path(sys.prefix)


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def start(line: str, env: dict[str, str], output: Path) -> subprocess.Popen[bytes]:
    """Run a line of the README in the background, in the clone's folder.

    It heeds SIGINT as in a terminal: tests that a shell runs in the background ignore it, and so would what they start.
    """
    command = ["env", "--default-signal=INT", "/bin/bash", "-c", f"exec {line}"]
    with output.open("w") as stdout:
        return subprocess.Popen(command, cwd=ROOT, env=env, stdout=stdout)


@pytest.mark.skipif(VENV != ROOT / ".venv", reason="README.md uses the virtual environment of `make setup`")
async def test_the_commands_work_as_documented(commands: Commands) -> None:
    up, write, stream = (block.strip() for block in blocks())
    env = commands.environment(BOARDCAST_DATA_DIR=str(commands.folder / "data"))
    env["PATH"] += f":{find_binaries()}"  # for psql, if it is not installed
    up_output, stream_output, write_output = (commands.folder / name for name in ("up", "stream", "write"))
    # Do not set up again: the tests run from this checkout.
    make = start(f"{up} -o .venv/.installed -o node_modules/.installed", env, up_output)
    try:
        await until(lambda: READY.search(up_output.read_text()), timeout=60, what="the ready line")
        curl = start(f"timeout 20 {stream.replace('8001', env['BOARDCAST_FEED_PORT'])}", env, stream_output)
        await until(lambda: "auth_success" in stream_output.read_text(), timeout=20)
        assert start(write, env, write_output).wait(10) == 0
        assert write_output.read_text() == "UPDATE 1\n"
        await until(lambda: '"toPhase":"won"' in stream_output.read_text(), timeout=5)
        assert stream_output.read_text().count("event: opportunity_moved") == 1
    finally:
        make.send_signal(signal.SIGTERM)
        make.wait(20)
    curl.wait(20)
    assert "event: goodbye" in stream_output.read_text()


def test_the_pictures_exist_and_are_small() -> None:
    pictures = re.findall(r"docs/images/[\w-]+\.png", README)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).stat().st_size < 200 * 1024
