"""Rules, dashboards and runbooks speak only of metrics, labels, logs and settings that exist; an alert has its test and page."""

import importlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from chassis import metrics
from contracts.topics import SERVICES
from localstack.downloads import promtool
from localstack.layout import ROOT, services, stack

for service in SERVICES:
    importlib.import_module(f"{service}.app")

FOLDER, PAGES = ROOT / "deploy" / "observability", ROOT / "docs" / "operations"
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
SCRAPERS = {"service", "process", "instance", "job"}
"""The labels that Prometheus itself gives."""
CLOSED = {
    "method": "of the route",
    "route": "its template",
    "status": "1xx to 5xx",
    "reason": "named where it is counted",
    "topic": "the service's subscriptions",
    "outcome": "named where it is counted",
    "name": "the service's jobs",
    "task": "the process's tasks",
    "dependency": "the checks of readiness",
    "source": "the readings",
    "template": "notifications' mails",
    "scope": "a recruiter's or an organisation's budget",
}
"""Every label that we give, and what bounds it: an id or an address among them would make a series per person."""
RULES = [rule for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
RUNBOOKS = sorted({PAGES.parents[1] / alert["annotations"]["runbook"] for alert in ALERTS.values()})


def families() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Name, type and labels of all that is kept."""
    for collector in metrics.REGISTRY._collector_to_names:
        describe = getattr(collector, "describe", collector.collect)
        for family in describe():
            labels = getattr(collector, "_labelnames", getattr(collector, "labels", ()))
            yield family.name, family.type, frozenset(labels if isinstance(labels, tuple) else ())


FAMILIES = {name: (kind, labels) for name, kind, labels in families()}
SERIES = {f"{name}{suffix}": labels for name, (kind, labels) in FAMILIES.items() for suffix in SUFFIXES[kind]}
KNOWN = {**SERIES, **dict.fromkeys(RECORDED, frozenset[str]()), "up": frozenset[str](), "ALERTS": frozenset[str]()}


def queries() -> Iterator[tuple[str, str]]:
    """Every expression of a rule or a dashboard, and where it stands."""
    for rule in RULES:
        yield rule.get("alert") or rule["record"], rule["expr"]
    for path in sorted((FOLDER / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"]


QUERIES = list(queries())


def metrics_in(expression: str) -> set[str]:
    """The metrics that an expression reads: every word that is no label, function or keyword."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\b(by|on|ignoring|without)\s*\([^)]*\)", " ", re.sub(r"\{[^}]*\}", " ", bare))
    return set(re.findall(r"(?<![\w:])[a-zA-Z_:][\w:]*(?![\w:]*\s*\()", re.sub(r"\[[^\]]*\]", " ", bare))) - {
        "and",
        "or",
        "unless",
        "le",
    }


def matchers_in(expression: str) -> Iterator[tuple[str, str, str]]:
    """(metric, label, what it must be) of every selector."""
    for metric, inside in re.findall(r"([\w:]+)\{([^}]*)\}", expression):
        for label, value in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"', inside):
            yield metric, label, value


def test_there_is_something_to_check() -> None:
    assert len(ALERTS) > 20
    assert len(QUERIES) > 70
    assert len(SERIES) > 45


@pytest.mark.parametrize(("where", "expression"), QUERIES, ids=[where for where, _ in QUERIES])
def test_a_query_names_only_metrics_and_labels_that_exist(where: str, expression: str) -> None:
    named = metrics_in(expression)
    assert named, where
    assert named <= KNOWN.keys()
    for metric, label, _ in matchers_in(expression):
        if metric in SERIES:
            assert label in SERIES[metric] | SCRAPERS, f"{metric} has no label {label}"
    for group in re.findall(r"\b(?:by|on|ignoring)\s*\(([^)]*)\)", expression):
        labels = {label.strip() for label in group.split(",")}
        possible = set().union(*(SERIES.get(metric, CLOSED.keys()) for metric in named))
        assert labels <= possible | SCRAPERS | {"le", "alertname"}


@pytest.mark.parametrize(
    "query",
    ["kandidatenbank_outbox_size", "rate(kandidatenbank_relay_events[5m])", "sum by (topic) (kandidatenbank_outbox_rows)",
     'kandidatenbank_outbox_rows{topic="x"}', 'max(kandidatenbank_unread{sources="x"})'],
)  # fmt: skip
def test_the_check_sees_what_does_not_exist(query: str) -> None:
    with pytest.raises(AssertionError):
        test_a_query_names_only_metrics_and_labels_that_exist("x", query)


def test_a_value_that_a_query_asks_for_is_one_that_is_kept() -> None:
    began = {
        (sample.name, label, value)
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
        for label, value in sample.labels.items()
    }
    closed = {(name, label) for name, label, _ in began}
    asked = {
        (metric, label, value)
        for _, expression in QUERIES
        for metric, label, values in matchers_in(expression)
        for value in values.split("|")
        if (metric, label) in closed
    }
    assert ("kandidatenbank_sign_ins_total", "outcome", "credentials") in asked
    assert asked <= began


def test_every_label_is_from_a_closed_set() -> None:
    assert {label for _, labels in FAMILIES.values() for label in labels} == CLOSED.keys()


def test_every_name_says_whose_it_is_and_in_which_unit() -> None:
    ours = {name: kind for name, (kind, _) in FAMILIES.items() if not name.startswith("process_")}
    assert all(name.startswith("kandidatenbank_") for name in ours)
    durations = {name for name in ours if re.search(r"_(age|duration|interval|oldest|freshness|overdue|time)(_|$)", name)}
    assert all(name.endswith("_seconds") for name in durations)
    assert all(name.endswith("_seconds") for name, kind in ours.items() if kind == "histogram")


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_severity_a_page_that_names_it_and_a_test_that_fires_it(alert: str) -> None:
    rule = ALERTS[alert]
    page = ROOT / rule["annotations"]["runbook"]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert f"`{alert}`" in page.read_text()
    assert page.name in (PAGES / "README.md").read_text()
    fired = re.findall(r"labels: 'ALERTS\{alertname=\"(\w+)\"", (FOLDER / "rules_test.yml").read_text())
    assert alert in fired


@pytest.mark.parametrize("page", RUNBOOKS, ids=[page.stem for page in RUNBOOKS])
def test_a_runbook_names_metric_cause_and_command_and_only_what_exists(page: Path) -> None:
    text = page.read_text()
    named = set(re.findall(r"kandidatenbank[_:][\w:]+", text))
    assert named, "no metric"
    assert named <= KNOWN.keys() | FAMILIES.keys()
    assert re.search(r"\bcause\b", text)
    assert re.search(r"`(curl|grep|mongosh|kafka-|openssl|python -m|ss |dmesg|chronyc)", text) or "\n    python -m" in text
    assert "people" in text
    links = re.findall(r"\]\(([\w/.-]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_runbooks_name_only_log_events_and_settings_that_exist() -> None:
    text = "".join(page.read_text() for page in RUNBOOKS)
    code = "".join(path.read_text() for path in (*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")))
    variables = "".join((ROOT / "deploy" / "settings" / f"{one}.env").read_text() for one in services())
    events = set(re.findall(r"`grep (\w+)`", text)) | set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`(?= in the log| with type)", text))
    assert len(events) > 6
    assert [event for event in events if f'"{event}"' not in code] == []
    settings = {
        name.removesuffix("_FILE") for name in re.findall(r"\b(?:IDENTITY|PROFILES|NOTIFICATIONS|CONSENT)_[A-Z0-9_]+", text)
    }
    settings |= set(re.findall(r"…(_[A-Z_]+)`", text))
    assert len(settings) > 5
    assert [name for name in settings if name.removesuffix("_FILE") not in variables] == []


def test_the_dashboards_are_what_their_description_makes() -> None:
    spec = importlib.util.spec_from_file_location("make_dashboards", ROOT / "tools" / "make_dashboards.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    files = made.files()
    assert {path: path.read_text() for path in (FOLDER / "dashboards").iterdir()} == files


def test_every_metric_of_ours_is_shown_somewhere() -> None:
    shown = set().union(*(metrics_in(expression) for _, expression in QUERIES))
    unseen = {
        name for name, (kind, _) in FAMILIES.items()
        if name.startswith("kandidatenbank_") and not shown & {f"{name}{suffix}" for suffix in SUFFIXES[kind]}
    }  # fmt: skip
    assert unseen == set()


def test_the_example_scrapes_every_process_of_the_local_stack() -> None:
    (job,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    scraped = {(one["labels"]["service"], one["labels"]["process"], *one["targets"]) for one in job["static_configs"]}
    ports = stack()["services"]
    assert scraped == {
        (name, process, f"127.0.0.1:{ports[name][process]}") for name in services() for process in ("api", "worker")
    }


@pytest.mark.parametrize("command", [("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml")])
def test_prometheus_own_tool_agrees(command: tuple[str, ...]) -> None:
    done = subprocess.run([promtool(), *command], cwd=FOLDER, capture_output=True, text=True, check=False)  # noqa: S603 - our own files
    assert done.returncode == 0, done.stdout + done.stderr
