"""Writes Grafana's dashboards (deploy/observability/dashboards/*.json) from dashboards.yml, in which a change can be read.

Usage: python tools/make_dashboards.py
"""

import json
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "observability"
SOURCE = {"type": "prometheus", "uid": "${source}"}
CHOSEN = 'service=~"$service"'


def dashboard(name: str, told: dict[str, Any]) -> dict[str, Any]:
    """Return one dashboard as Grafana imports it."""
    return {
        "uid": f"kandidatenbank-{name}",
        "title": told["title"],
        "tags": ["kandidatenbank"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_source(), _services()]},
        "links": [{"type": "dashboards", "title": "Kandidatenbank", "tags": ["kandidatenbank"], "asDropdown": True}],
        "panels": [_panel(number, panel) for number, panel in enumerate(told["panels"])],
    }


def _panel(number: int, panel: dict[str, Any]) -> dict[str, Any]:
    now = panel.get("now", False)
    return {
        "id": number + 1,
        "type": "stat" if now else "timeseries",
        "title": panel["title"],
        "datasource": SOURCE,
        "gridPos": {"x": number % 2 * 12, "y": number // 2 * 8, "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": panel["unit"], "min": 0}, "overrides": []},
        "options": {"textMode": "value_and_name"} if now else {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "expr": expression.replace("$S", CHOSEN),
                "legendFormat": legend,
                "instant": now,
            }
            for place, (expression, legend) in enumerate(panel["queries"].items())
        ],
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _services() -> dict[str, Any]:
    return {
        "name": "service",
        "type": "query",
        "datasource": SOURCE,
        "query": 'label_values(up{job="kandidatenbank"}, service)',
        "includeAll": True,
        "multi": True,
        "allValue": ".+",
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    }


def files() -> dict[Path, str]:
    """Return every dashboard's file with its text."""
    told = yaml.safe_load((FOLDER / "dashboards.yml").read_text())
    return {
        FOLDER / "dashboards" / f"{name}.json": json.dumps(dashboard(name, one), indent=1) + "\n" for name, one in told.items()
    }


def main() -> None:
    """Write the files."""
    for path, text in files().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
