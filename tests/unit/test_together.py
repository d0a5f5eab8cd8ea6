"""`.ci/together`, with which `make test` runs two targets at a time."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.until import wait_until

SCRIPT = Path(__file__).parents[2] / ".ci" / "together"
MAKEFILE = """
a:
	@echo a1; sleep 0.2; echo a2
b:
	@echo b1; sleep 0.1; echo b2
fails:
	@echo f1; exit 3
waits-1 waits-2:
	@trap 'touch $@.stopped; exit 1' INT; touch $@.started; while :; do sleep 0.05; done
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / ".ci").mkdir()
    (tmp_path / "Makefile").write_text(MAKEFILE)
    return Path(shutil.copy(SCRIPT, tmp_path / ".ci" / "together"))


def _run(script: Path, *targets: str) -> tuple[int, list[str]]:
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    done = subprocess.run([script, *targets], capture_output=True, text=True, timeout=20, check=False, env=environment)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_the_second_output_is_not_mixed_into_the_first(script: Path) -> None:
    status, lines = _run(script, "a", "b")
    assert status == 0
    assert [line for line in lines if line.startswith("a")] == ["a1", "a2"]
    at = lines.index("make b:")
    assert lines[at : at + 3] == ["make b:", "b1", "b2"]


@pytest.mark.parametrize("targets", [("fails", "b"), ("b", "fails"), ("fails", "nothing")])
def test_a_failure_of_either_is_a_failure_and_the_other_is_finished(script: Path, targets: tuple[str, str]) -> None:
    status, lines = _run(script, *targets)
    assert status == 1
    assert "f1" in lines
    assert ("b2" in lines) == ("b" in targets)
    assert lines[-1].startswith("failed: ")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_both(script: Path, sign: signal.Signals) -> None:
    folder = script.parents[1]
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    command: list[str | Path] = ["env", "--default-signal=INT", script, "waits-1", "waits-2"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: len(list(folder.glob("*.started"))) == 2, timeout=20, what="both targets to run")
        process.send_signal(sign)
        assert process.wait(20) == 130
    assert len(list(folder.glob("*.stopped"))) == 2
