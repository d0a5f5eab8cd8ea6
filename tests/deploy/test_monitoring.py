"""Checks the dashboard and the alerts against the existing metrics, and each alert against its condition."""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import httpx
import promql_parser as promql
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.database import Database
from tests.support.services import Serve

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy/grafana/boardcast.json").read_text())
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
RULES = {rule["alert"]: rule for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]}
SCRAPES = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
PROMTOOL = shutil.which("promtool")

TARGET_LABELS = {"instance", "job"}
"""Labels that Prometheus adds to each target."""
GRAFANA = {"$instance": ".*", "$__rate_interval": "1m"}
"""The values of Grafana's variables."""

Samples = dict[str, dict[str, set[str]]]
"""The labels of each sample, and their values."""


@cache
def expressions() -> list[tuple[str, str]]:
    """Return all expressions of the dashboard and the alerts, with their panel or alert."""
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    dashboard = [(panel["title"], fill_in(target["expr"])) for panel in panels for target in panel["targets"]]
    return dashboard + [(name, rule["expr"]) for name, rule in RULES.items()]


def fill_in(text: str) -> str:
    for name, value in GRAFANA.items():
        text = text.replace(name, value)
    return text


def nodes(expression: promql.Expr) -> Iterator[promql.Expr]:
    found: list[promql.Expr] = []
    promql.walk(expression, pre_visit=found.append)
    return iter(found)


def selectors(text: str) -> list[tuple[str, list[promql.Matcher]]]:
    """Return the samples that an expression selects, with their matchers."""
    found = [node for node in nodes(promql.parse(text)) if isinstance(node, promql.VectorSelector)]
    return [(node.name or "", node.matchers.matchers) for node in found]


def labels_of(text: str, samples: Samples) -> set[str]:
    return {label for name, _ in selectors(text) for label in samples[name]} | TARGET_LABELS


@pytest.fixture
async def samples(serve: Serve, database: Database) -> Samples:
    """The samples of both services after one request of each kind. The replica URL points to the primary."""
    services = await serve(replica_url=database.url)
    await services.open("websocket")
    await services.open("api-events")
    async with services.api_client() as client:
        await client.patch("/api/opportunities/o1", json={"title": "B"}, headers={"If-Match": "*"})
        await client.get("/api/boards/b1")
        await client.get("/nowhere")
        (await services.runtime("api-events")).drain()
        assert (await client.get("/readyz")).status_code == 503
    samples: Samples = defaultdict(lambda: defaultdict(set))
    samples["up"] = {}  # Prometheus adds it for each target
    for port in (await services.feed(), await services.api()):
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                for label, value in sample.labels.items():
                    samples[sample.name][label].add(value)
                samples[sample.name].setdefault("le" if sample.name.endswith("_bucket") else "instance", set())
    return samples


async def test_expressions_use_existing_metrics_and_label_values(samples: Samples) -> None:
    for where, text in expressions():
        for name, matchers in selectors(text):
            assert name in samples, f"{where}: no metric {name}"
            for matcher in matchers:
                _check_matcher(matcher, samples[name], f"{where}: {name}{{{matcher.name}}}")


def _check_matcher(matcher: promql.Matcher, labels: dict[str, set[str]], where: str) -> None:
    if matcher.name == "instance":
        assert matcher.value == GRAFANA["$instance"], where
        return
    values = {scrape["job_name"] for scrape in SCRAPES} if matcher.name == "job" else labels.get(matcher.name)
    assert values, f"{where}: no such label"
    if matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual):
        assert matcher.value in values, f"{where}: {matcher.value}"
        return
    for pattern in matcher.value.split("|"):
        assert any(re.fullmatch(pattern, value) for value in values), f"{where}: {pattern}"


async def test_grouped_and_displayed_labels_exist(samples: Samples) -> None:
    for where, text in expressions():
        for node in nodes(promql.parse(text)):
            if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
                assert set(node.modifier.labels) <= labels_of(text, samples), where
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            dashboard = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert dashboard <= labels_of(fill_in(target["expr"]), samples), panel["title"]
    for name, rule in RULES.items():
        labels = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert labels <= labels_of(rule["expr"], samples), name


async def test_each_metric_is_used_in_the_dashboard_or_an_alert(samples: Samples) -> None:
    used = {name for _, text in expressions() for name, _ in selectors(text)}
    assert {_family(name) for name in samples} - {_family(name) for name in used} == set()


def _family(sample: str) -> str:
    """Return the metric of a sample; all process_* metrics of the client library count as one."""
    return re.sub("_(total|bucket|sum|count|created)$", "", re.sub("^process_.*", "process", sample))


def test_each_alert_is_documented() -> None:
    text = (ROOT / "docs/operations.md").read_text().split("\n## Alerts\n")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.MULTILINE)
    assert documented == [(name, rule["labels"]["severity"]) for name, rule in RULES.items()]


def test_the_dashboard_can_be_imported() -> None:
    assert [entry["name"] for entry in DASHBOARD["__inputs"]] == ["DS_PROMETHEUS"]
    panels = DASHBOARD["panels"]
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "At a glance",
        "Latency",
        "Fan-out",
        "Database",
        "Clients in trouble",
    ]
    assert len({panel["id"] for panel in panels}) == len(panels)
    sources = re.findall(r'"uid": "([^"]*)"', json.dumps([panels, DASHBOARD["templating"]]))
    assert set(sources) == {"${DS_PROMETHEUS}"}
    covered: set[tuple[int, int]] = set()
    for panel in panels:
        where = panel["gridPos"]
        cells = set(product(range(where["x"], where["x"] + where["w"]), range(where["y"], where["y"] + where["h"])))
        assert not cells & covered, panel["title"]
        assert where["x"] + where["w"] <= 24
        covered |= cells


def promtool(*arguments: str | Path) -> None:
    assert PROMTOOL, "this needs promtool: `make test` installs it on Debian, as root"
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_accepts_its_configuration() -> None:
    promtool("check", "config", ROOT / "deploy/prometheus/prometheus.yml")


_UP = 'boardcast_build_info{instance="a"}'
_NANS = " ".join(["NaN"] * 35)

CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "BoardcastGone": ({"nothing": "0x30"}, {_UP: "1x30"}),
    "BoardcastInstanceDown": (
        {'up{job="boardcast-feed", instance="a"}': "1x5 0x30"},
        {'up{job="boardcast-feed", instance="a"}': "1x30", 'up{job="another", instance="b"}': "0x30"},
    ),
    "BoardcastListenerDown": (
        {'boardcast_listener_up{instance="a"}': "1x5 0x30"},
        {'boardcast_listener_up{instance="a"}': "1x5 0 1x30", 'boardcast_listener_age_seconds{instance="a"}': "12x30"},
    ),
    "BoardcastDatabaseDown": (
        {'boardcast_log_idle_seconds{instance="a"}': "1x5 10+60x30"},
        {'boardcast_database_up{instance="a"}': "1x30", 'boardcast_log_idle_seconds{instance="a"}': "1x30"},
    ),
    "BoardcastNoPacer": (
        {
            'boardcast_pacer{boardcast_pacer="inactive", instance="a"}': "1x30",
            'boardcast_pacer{boardcast_pacer="direct", instance="a"}': "0x30",
        },
        {
            'boardcast_pacer{boardcast_pacer="inactive", instance="a"}': "1x30",
            'boardcast_pacer{boardcast_pacer="always", instance="b"}': "1x30",
        },
    ),
    "BoardcastLate": (
        {
            'boardcast_delivery_seconds_bucket{job="j", le="1.0"}': "0+90x30",
            'boardcast_delivery_seconds_bucket{job="j", le="2.0"}': "0+100x30",
            'boardcast_delivery_seconds_bucket{job="j", le="+Inf"}': "0+100x30",
        },
        {
            'boardcast_delivery_seconds_bucket{job="j", le="1.0"}': "0+100x30",
            'boardcast_delivery_seconds_bucket{job="j", le="+Inf"}': "0+100x30",
        },
    ),
    "BoardcastLoopBlocked": (
        {
            'boardcast_loop_lag_seconds_bucket{instance="a", le="0.2"}': "0+40x30",
            'boardcast_loop_lag_seconds_bucket{instance="a", le="0.5"}': "0+60x30",
            'boardcast_loop_lag_seconds_bucket{instance="a", le="+Inf"}': "0+60x30",
        },
        {
            'boardcast_loop_lag_seconds_bucket{instance="a", le="0.2"}': "0+59x30",
            'boardcast_loop_lag_seconds_bucket{instance="a", le="+Inf"}': "0+60x30",
        },
    ),
    "BoardcastNotifyQueue": (
        {
            'boardcast_notify_queue_usage{instance="a"}': "0.2x5 0.3x30",
            'boardcast_notify_queue_usage{instance="b"}': _NANS,
        },
        {
            'boardcast_notify_queue_usage{instance="a"}': "0.01x30",
            'boardcast_notify_queue_usage{instance="b"}': _NANS,
        },
    ),
    "BoardcastPoolExhausted": (
        {'boardcast_pool_waiting{instance="a"}': "0x5 4x30"},
        {'boardcast_pool_waiting{instance="a"}': "0x5 4 0x30"},
    ),
    "BoardcastSlowClients": (
        {'boardcast_slow_clients_total{job="j", outcome="dropped"}': "0+5x30"},
        {
            'boardcast_slow_clients_total{job="j", outcome="dropped"}': "0x5 3x30",
            'boardcast_slow_clients_total{job="j", outcome="behind"}': "0+50x30",
        },
    ),
    "BoardcastResets": (
        {'boardcast_resets_total{reason="diverged"}': "0x18 1x12"},
        {
            'boardcast_resets_total{reason="malformed"}': "0+5x30",
            'boardcast_resets_total{reason="pruned"}': "0x18 1x12",
        },
    ),
    "BoardcastGaps": (
        {'boardcast_gaps_total{cause="unlogged"}': "0x10 1x20"},
        {'boardcast_gaps_total{cause="unlogged"}': "7x30"},
    ),
    "BoardcastTaskFailed": (
        {'boardcast_task_failures_total{instance="a", task="maintenance"}': "0x10 1x20"},
        {'boardcast_task_failures_total{instance="a", task="maintenance"}': "7x30"},
    ),
    "BoardcastFull": (
        {
            'boardcast_refused_total{job="j", instance="a", problem="overloaded"}': "0+9x30",
            'boardcast_closed_total{job="j", instance="a", reason="overloaded"}': "0x30",
        },
        {
            'boardcast_refused_total{job="j", instance="a", problem="overloaded"}': "0x30",
            'boardcast_closed_total{job="j", instance="a", reason="overloaded"}': "0x30",
            'boardcast_closed_total{job="j", instance="a", reason="restart"}': "0+9x30",
        },
    ),
    "BoardcastApiErrors": (
        {
            'boardcast_http_requests_total{job="j", status="200"}': "0+90x30",
            'boardcast_http_requests_total{job="j", status="503"}': "0+10x30",
        },
        {
            'boardcast_http_requests_total{job="j", status="200"}': "0+60x30",
            'boardcast_http_requests_total{job="j", status="412"}': "0+40x30",
            'boardcast_http_requests_total{job="j", status="500"}': "0+1x30",
        },
    ),
    "BoardcastDrainStuck": (
        {'boardcast_draining{instance="a"}': "0x5 1x30"},
        {'boardcast_draining{instance="a"}': "0x18 1x2"},
    ),
    "BoardcastReplicaUnused": (
        {'boardcast_replica_used{instance="a"}': "1x5 0x30"},
        {'boardcast_replica_used{instance="a"}': _NANS, 'boardcast_replica_used{instance="b"}': "1x30"},
    ),
}
"""For each alert, series that make it fire and series that must not. One value per minute, evaluated after 20 minutes."""


def test_each_alert_fires_only_for_its_condition(tmp_path: Path) -> None:
    assert list(CASES) == list(RULES)
    tests = [
        {
            "name": f"{alert} {'fires' if number else 'does not fire'}",
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in entry.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})',
                    "eval_time": "20m",
                    "exp_samples": [{"labels": "{}", "value": number}] if number else [],
                }
            ],
        }
        for alert, cases in CASES.items()
        for number, entry in zip((1, 0), cases, strict=True)
    ]
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}))
    promtool("test", "rules", file)
