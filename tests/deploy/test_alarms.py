"""Alarms and dashboard: each figure they name is published, and each alarm has its entry in the run book."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from voicebot.telemetry import metrics
from voicebot.telemetry.process_figures import ProcessFigures

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "deploy" / "prometheus" / "voicebot.rules.yaml"
BOARD = REPOSITORY / "deploy" / "grafana" / "voicebot.json"
BOOK = REPOSITORY / "docs" / "how-to" / "run-book.md"
_NAME = re.compile(r"\bvoicebot_[a-z_]+")
UNIT_TESTS = """
rule_files: [{rules}]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {{series: 'voicebot_database_up{{instance="a"}}', values: '1 1 1 1 0 0 0 0 0 0'}}
      - {{series: 'voicebot_control_leads{{control="c1"}}', values: '1x20'}}
      - {{series: 'voicebot_control_leads{{control="c2"}}', values: '0x8 1x12'}}
      - {{series: 'voicebot_calendar_days_left', values: '12x400'}}
      - {{series: 'voicebot_disk_free_bytes{{instance="a"}}', values: '900x20'}}
      - {{series: 'voicebot_disk_reserve_bytes{{instance="a"}}', values: '500x20'}}
      - {{series: 'voicebot_clock_ahead_seconds{{process="w"}}', values: '-3x20'}}
    alert_rule_test:
      - {{eval_time: 30s, alertname: VoicebotDatabaseAway}}
      - eval_time: 2m
        alertname: VoicebotDatabaseAway
        exp_alerts: [{{exp_labels: {{instance: a, severity: page}}, exp_annotations: {away}}}]
      - {{eval_time: 1m, alertname: VoicebotNobodyDials}}
      - eval_time: 4m
        alertname: VoicebotNobodyDials
        exp_alerts: [{{exp_labels: {{severity: page}}, exp_annotations: {leads}}}]
      - eval_time: 3m
        alertname: VoicebotDiskFull
        exp_alerts: [{{exp_labels: {{instance: a, severity: page}}, exp_annotations: {disk}}}]
      - eval_time: 3m
        alertname: VoicebotClockWrong
        exp_alerts: [{{exp_labels: {{process: w, severity: page}}, exp_annotations: {clock}}}]
"""


def alarms() -> list[dict[str, object]]:
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return list(group["rules"])


def published(tmp_path: Path) -> set[str]:
    """Every series of the program by the names Prometheus stores."""
    registry = CollectorRegistry()
    registry.register(ProcessFigures(tmp_path))
    names: set[str] = set()
    for family in [*metrics.REGISTRY.collect(), *registry.collect()]:
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
        names |= {family.name + ending for ending in endings}
    return names


def test_every_figure_of_alarms_and_dashboard_is_published(tmp_path: Path) -> None:
    known = published(tmp_path)
    board = json.loads(BOARD.read_text("utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    wanted = {name for text in [*queries, *(str(rule["expr"]) for rule in alarms())] for name in _NAME.findall(text)}
    assert len(queries) > 15 and len(wanted) > 20
    assert wanted <= known, f"nobody publishes {sorted(wanted - known)}"


def test_every_alarm_has_its_entry_in_the_run_book_and_no_entry_is_left_over() -> None:
    entries = set(re.findall(r"^## (\S+)$", BOOK.read_text("utf-8"), re.MULTILINE))
    linked = set()
    for rule in alarms():
        page, _, anchor = str(rule["annotations"]["runbook"]).partition("#")  # type: ignore[index]
        assert REPOSITORY / page == BOOK and rule["annotations"]["summary"]  # type: ignore[index]
        assert rule["labels"]["severity"] in ("page", "ticket") and rule["for"]  # type: ignore[index]
        linked.add(anchor)
    assert linked == entries and len(entries) >= 10
    text = BOOK.read_text("utf-8")
    for rule in alarms():
        assert f"*{rule['alert']}" in text


def test_links_within_the_run_book_lead_somewhere() -> None:
    text = BOOK.read_text("utf-8")
    anchors = set(re.findall(r"^## (\S+)$", text, re.MULTILINE))
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        assert (BOOK.parent / path).exists() if path else anchor in anchors, target


def test_every_series_stands_in_the_reference(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "reference" / "metrics.md").read_text("utf-8")
    ours = {name for name in published(tmp_path) if name.startswith("voicebot_")}
    bare = {re.sub(r"_(bucket|count|sum)$", "", name) for name in ours}
    assert {name for name in bare if name not in page} == set()


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    panels = json.loads(BOARD.read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells


def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("!!! NO promtool: rules are not evaluated. Install it with: apt-get install prometheus")
    return found


def test_prometheus_takes_the_rules() -> None:
    done = subprocess.run([promtool(), "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alarms_go_off_when_they_should_and_not_before(tmp_path: Path) -> None:
    values = {"away": ("VoicebotDatabaseAway", {"instance": "a"}, ""), "leads": ("VoicebotNobodyDials", {}, "2"),
              "disk": ("VoicebotDiskFull", {"instance": "a"}, "900"),
              "clock": ("VoicebotClockWrong", {"process": "w"}, "3")}  # fmt: skip
    told = {key: json.dumps(_annotations(*wanted)) for key, wanted in values.items()}
    file = tmp_path / "tests.yaml"
    file.write_text(UNIT_TESTS.format(rules=RULES, **told))
    done = subprocess.run([promtool(), "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _annotations(alarm: str, labels: dict[str, str], value: str) -> dict[str, str]:
    """The annotations of an alarm as they read with these labels and this value."""
    (rule,) = [rule for rule in alarms() if rule["alert"] == alarm]
    filled = {}
    for name, text in rule["annotations"].items():  # type: ignore[attr-defined]
        for label, shown in labels.items():
            text = text.replace(f"{{{{ $labels.{label} }}}}", shown)
        filled[name] = re.sub(r"\{\{ \$value[^}]*\}\}", value, text)
    return filled
