"""compose.yaml and the files beside it use only settings and files that exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from db.settings import Settings

ROOT = Path(__file__).parents[2]
SETTINGS = {str(field.validation_alias or f"BOARDCAST_{name}").upper() for name, field in Settings.model_fields.items()}
BOARDCAST_SERVICES = ("migrate", "feed", "api")


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_compose_follows_the_compose_specification(compose: Any) -> None:
    documented = dict(re.findall(r"^(\w+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))

    def value(variable: re.Match[str]) -> str:
        name, form, default = variable.groups()
        return str(documented.get(name, default if form == "-" else "secret"))

    text = re.sub(r"\$\{(\w+):([-?])([^}]*)\}", value, (ROOT / "compose.yaml").read_text())
    parsed = PyCompose.from_json(json.dumps(yaml.safe_load(text)))
    parsed.validate()
    assert set(parsed.service_names()) == set(compose["services"])
    waits = [name for service in compose["services"].values() for name in service.get("depends_on", ())]
    assert set(waits) <= set(compose["services"])
    with pytest.raises(ValueError, match="inti"):
        PyCompose.from_json(json.dumps(yaml.safe_load(text.replace("  init: true", "  inti: true", 1))))


@pytest.mark.parametrize("service", BOARDCAST_SERVICES)
def test_each_service_sets_only_known_settings(compose: Any, service: str) -> None:
    assert set(compose["services"][service]["environment"]) <= SETTINGS


def test_the_default_settings_of_compose_are_valid(compose: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in compose["services"]["feed"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+(?::([-?])([^}]*))?\}", r"\2", value))
    settings = Settings()
    assert settings.allowed_origins == {settings.public_feed_url}
    assert settings.demo is False


def test_the_stop_grace_period_is_longer_than_the_drain_timeout(compose: Any) -> None:
    for service in BOARDCAST_SERVICES:
        definition = compose["services"][service]
        assert int(definition["stop_grace_period"].removesuffix("s")) > int(
            definition["environment"]["BOARDCAST_DRAIN_TIMEOUT"]
        )


def test_every_variable_of_compose_is_documented_or_has_a_default(compose: Any) -> None:
    text = (ROOT / "compose.yaml").read_text()
    documented = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    used = dict(re.findall(r"\$\{(\w+)(:[-?])?", text))
    assert documented <= set(used)
    assert {name for name, form in used.items() if form != ":-"} <= documented


def test_each_container_is_limited_and_hardened(compose: Any) -> None:
    for name, service in compose["services"].items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["pids_limit"] > 0, name


def test_each_service_has_a_role_of_its_own(compose: Any) -> None:
    urls = {name: compose["services"][name]["environment"]["DATABASE_URL"] for name in BOARDCAST_SERVICES}
    users = {name: url.partition("//")[2].partition(":")[0] for name, url in urls.items()}
    assert users == {name: f"boardcast_{name}" for name in BOARDCAST_SERVICES}
    superuser = compose["services"]["postgres"]["environment"]["POSTGRES_USER"]
    assert superuser not in users.values()
    assert not any("POSTGRES_PASSWORD" in url for url in urls.values())


def test_only_the_services_reach_the_database(compose: Any) -> None:
    assert compose["networks"]["database"]["internal"] is True
    reach = {name for name, service in compose["services"].items() if "database" in service["networks"]}
    assert reach == {"postgres", *BOARDCAST_SERVICES}


def test_https_is_published(compose: Any) -> None:
    assert {port.rpartition(":")[2] for port in compose["services"]["proxy"]["ports"]} == {"80", "443", "443/udp"}


def test_only_the_proxy_is_reachable_from_outside(compose: Any) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports.pop("proxy")
    assert set(ports) == {"prometheus", "grafana"}
    assert all(port.startswith("127.0.0.1:") for each in ports.values() for port in each)


def test_monitoring_starts_only_with_its_profile(compose: Any) -> None:
    assert {name for name, service in compose["services"].items() if "profiles" in service} == {"prometheus", "grafana"}


def test_each_mounted_file_exists(compose: Any) -> None:
    mounted = [volume for service in compose["services"].values() for volume in service.get("volumes", ())]
    files = [ROOT / volume.partition(":")[0] for volume in mounted if volume.startswith("./")]
    assert len(files) == 5
    assert all(file.exists() for file in files)


@pytest.mark.parametrize(
    "pattern", [r"proxy_(?:read|send)_timeout (\d+)s;", r"timeout (?:client|server|tunnel) +(\d+)s"]
)
def test_proxy_timeouts_are_longer_than_two_heartbeats(pattern: str) -> None:
    text = "".join((ROOT / "deploy" / name).read_text() for name in ("nginx.conf", "haproxy.cfg"))
    found = re.findall(pattern, text)
    assert found
    assert min(map(int, found)) > 2 * Settings().heartbeat_interval
