"""The systemd units are valid and agree with the services and the other files in `deploy`."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from boardcast import app
from cli.failures import USAGE
from db.settings import Settings
from tests.deploy.proxies import APIS, DEPLOY, FEEDS

UNITS = DEPLOY / "systemd"
SERVICES = {"feed": FEEDS, "api": APIS}
"""The services, and the addresses of their instances in the proxies' configurations."""
ANALYZE = shutil.which("systemd-analyze")
INSTALLED = "/opt/boardcast/bin/boardcast"

needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
each_service = pytest.mark.parametrize("service", SERVICES)


def text(service: str) -> str:
    return (UNITS / f"boardcast-{service}@.service").read_text()


def directives(service: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in re.findall(r"^(\w+)=(.*)$", text(service), re.MULTILINE):
        found[name].append(value)
    return found


def variables() -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (UNITS / "boardcast.env").read_text(), re.MULTILINE))


def installed(folder: Path, service: str) -> Path:
    """Write an instance of the unit with the paths of this machine."""
    settings = folder / "boardcast.env"
    settings.touch()
    unit = folder / f"boardcast-{service}@{SERVICES[service][0].rpartition(':')[2]}.service"
    command = Path(sys.executable).with_name("boardcast")
    unit.write_text(
        text(service).replace(INSTALLED, str(command)).replace("/etc/boardcast/boardcast.env", str(settings))
    )
    return unit


def analyze(*arguments: str | Path) -> str:
    done = subprocess.run(
        [str(ANALYZE), *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"SYSTEMD_COLORS": "0"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_systemd
@each_service
def test_systemd_accepts_the_unit(tmp_path: Path, service: str) -> None:
    unit = installed(tmp_path, service)
    assert [line for line in analyze("verify", "--man=no", unit).splitlines() if "boardcast" in line] == []


@needs_systemd
@each_service
def test_the_unit_is_sandboxed(tmp_path: Path, service: str) -> None:
    """systemd rates the exposure from 0 to 10; a unit without any of its restrictions has 9.6."""
    analyze("security", "--offline=yes", "--threshold=20", installed(tmp_path, service))


@each_service
def test_the_unit_runs_an_existing_command_on_the_port_in_its_name(service: str) -> None:
    (command,) = directives(service)["ExecStart"]
    assert shlex.split(command) == [INSTALLED, service]
    assert service in {registered.callback.__name__ for registered in app.registered_commands if registered.callback}
    (environment,) = directives(service)["Environment"]
    variables_set = dict(each.split("=") for each in environment.split())
    assert variables_set == {"BOARDCAST_HOST": Settings().host, f"BOARDCAST_{service.upper()}_PORT": "%i"}


@each_service
def test_the_example_starts_the_instances_that_the_proxies_list(service: str) -> None:
    example = text(service).splitlines()[0]
    assert re.findall(r"@(\d+)", example) == [address.rpartition(":")[2] for address in SERVICES[service]]
    for name in ("nginx.conf", "haproxy.cfg"):
        listed = re.findall(r"^\s*server .*?([\d.]+:\d+)", (DEPLOY / name).read_text(), re.MULTILINE)
        assert listed == [*FEEDS, *APIS], name


@each_service
def test_the_stop_timeout_exceeds_the_drain_timeout(service: str) -> None:
    (seconds,) = directives(service)["TimeoutStopSec"]
    assert float(seconds) > Settings().drain_timeout
    assert float(variables()["BOARDCAST_DRAIN_TIMEOUT"]) == Settings().drain_timeout


@each_service
def test_the_unit_restarts_except_after_a_usage_error(service: str) -> None:
    found = directives(service)
    assert found["Restart"] == ["always"]
    assert found["RestartPreventExitStatus"] == [str(USAGE)]


def test_the_two_units_differ_only_in_the_service() -> None:
    assert directives("feed").keys() == directives("api").keys()
    restrictions = [re.split("^LimitNOFILE", text(service), flags=re.MULTILINE)[1] for service in SERVICES]
    assert restrictions[0] == restrictions[1]


def test_the_example_environment_file_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        str(field.validation_alias or f"BOARDCAST_{name}").upper() for name, field in Settings.model_fields.items()
    }
    assert set(variables()) <= names
    for name, value in variables().items():
        monkeypatch.setenv(name, value)
    assert Settings().allowed_origins == {Settings().public_feed_url}
