"""Chart: Helm takes and renders it, its values fit its schema, and it sets only what the program reads."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from voicebot import __version__
from voicebot.config import Settings
from voicebot.config_names import strangers

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "voicebot"
TEMPLATES = sorted((CHART / "templates").glob("*.yaml"))


def test_the_values_fit_their_schema_and_wrong_ones_do_not() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    jsonschema.validate(values, schema)
    wrong = ({"worker": {"replicas": -1}}, {"settings": {"max_calls": 3}}, {"worker": {"rtpPorts": "30000"}})
    for change in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**values, **change}, schema)


def test_every_value_a_template_asks_for_is_there() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    for file in [*TEMPLATES, CHART / "templates" / "_names.tpl"]:
        for path in re.findall(r"\.Values\.([A-Za-z.]+)", file.read_text("utf-8")):
            place = values
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


def test_helm_renders_it() -> None:
    if (helm := shutil.which("helm")) is not None:
        done = subprocess.run([helm, "lint", "--strict", str(CHART)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    elif importlib.util.find_spec("helm_sdkpy") is not None:
        import helm_sdkpy

        linting = helm_sdkpy.Lint(helm_sdkpy.Configuration(namespace="default"))
        told = asyncio.run(linting.run(str(CHART)))
        assert told["TotalChartsLinted"] == 1 and not told["Errors"], told
    else:
        pytest.skip("!!! NO helm: the chart is not rendered. Install helm, or helm-sdkpy with Python 3.12 or newer")
