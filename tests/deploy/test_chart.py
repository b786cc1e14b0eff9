"""Chart: Helm takes and renders it, its values fit its schema, and it sets only what the program reads."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.deploy import helm
from voicebot import __version__
from voicebot.config import Settings
from voicebot.config_names import strangers

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "voicebot"
TEMPLATES = sorted((CHART / "templates").glob("*.yaml"))
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
EVERYTHING: dict[str, Any] = {
    "worker": {"hostNetwork": False, "storage": {"className": "fast"}, "nodeSelector": {"telephony": "true"},
               "tolerations": [{"key": "calls", "operator": "Exists", "effect": "NoSchedule"}]},
    "control": {"storage": {"className": "fast"}},
    "sip": {"allowedPeers": "203.0.113.10/32"},
    "trunk": "203.0.113.10:5060",
    "settings": {"VOICEBOT_RETENTION_DAYS": "730", "VOICEBOT_OBJECT_STORE": "s3://recordings"},
    "secretSettings": "voicebot-secrets",
    "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "voicebot-tls"},
    "prometheusRule": {"enabled": True},
}  # fmt: skip


def test_the_values_fit_their_schema_and_wrong_ones_do_not() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    jsonschema.validate(VALUES, schema)
    jsonschema.validate(_merged(VALUES, EVERYTHING), schema)
    wrong = ({"worker": {"replicas": -1}}, {"settings": {"max_calls": 3}}, {"worker": {"rtpPorts": "30000"}})
    for change in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**VALUES, **change}, schema)


def test_every_value_a_template_asks_for_is_there() -> None:
    for file in [*TEMPLATES, CHART / "templates" / "_names.tpl"]:
        for path in re.findall(r"\.Values\.([A-Za-z.]+)", file.read_text("utf-8")):
            place = VALUES
            for key in path.split("."):
                assert key in place, f"{file.name}: .Values.{path}"
                place = place[key]


def test_every_variable_is_a_setting() -> None:
    text = "".join(file.read_text("utf-8") for file in [*TEMPLATES, CHART / "templates" / "_names.tpl"])
    names = set(re.findall(r"VOICEBOT_[A-Z_]+", text))
    assert len(names) > 8 and strangers(names, (), Settings.model_fields) == []


def test_the_chart_is_of_this_version_and_carries_the_same_alarms() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["appVersion"] == chart["version"] == __version__
    alarms = CHART.parents[1] / "prometheus" / "voicebot.rules.yaml"
    assert (CHART / "voicebot.rules.yaml").read_bytes() == alarms.read_bytes(), f"cp {alarms} {CHART}"


@pytest.fixture(params=["as it is", "with everything"])
def chart(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the chart, whose values are the defaults or such that every branch of every template is taken."""
    copy = shutil.copytree(CHART, tmp_path / "voicebot")
    if request.param == "with everything":
        (copy / "values.yaml").write_text(yaml.safe_dump(_merged(VALUES, EVERYTHING)), "utf-8")
    return copy


def test_helm_has_nothing_against_it(chart: Path) -> None:
    told = helm.lint(chart)
    assert told == [], told


def test_kubernetes_takes_what_helm_makes_of_it(chart: Path) -> None:
    from kubernetes_validate import validate

    made = helm.render(chart)
    names = {(one["kind"], one["metadata"]["name"]) for one in made}
    assert len(names) == len(made) and sum(kind == "StatefulSet" for kind, _ in names) == 2
    by_choice = {"Ingress", "PrometheusRule"}
    assert by_choice & {kind for kind, _ in names} in (set(), by_choice)
    for one in made:
        if one["kind"] != "PrometheusRule":  # the operator's own
            for version in ("1.25", "1.34"):
                validate(one, version, strict=True)


def test_what_is_set_arrives_in_the_pods(chart: Path) -> None:
    values = yaml.safe_load((chart / "values.yaml").read_text("utf-8"))
    made = [one for one in helm.render(chart) if one["kind"] == "StatefulSet"]
    sets = {one["metadata"]["name"].rpartition("-")[2]: one for one in made}
    for part in ("worker", "control"):
        pod = sets[part]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        given = {one["name"]: one.get("value") for one in container["env"]}
        assert len(given) == len(container["env"]), "a variable is set twice"
        assert values["settings"].items() <= given.items()
        assert container["args"][0] == part and container["resources"] == values[part]["resources"]
        assert pod["terminationGracePeriodSeconds"] > values["worker"]["drainSeconds"]
        assert [one["mountPath"] for one in container["volumeMounts"]] == ["/var/lib/voicebot"]
        assert bool(container.get("envFrom")) == bool(values["secretSettings"])
    worker = sets["worker"]["spec"]["template"]["spec"]
    assert bool(worker.get("hostNetwork")) == values["worker"]["hostNetwork"]
    assert worker.get("nodeSelector", {}) == values["worker"]["nodeSelector"]
    assert worker.get("tolerations", []) == values["worker"]["tolerations"]


def _merged(values: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return values | {
        name: _merged(values[name], new) if isinstance(new, dict) and name != "settings" else new
        for name, new in change.items()
    }
