"""Units: systemd takes them, and what they run and set is what the program knows."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicebot.cli.commands import app
from voicebot.config import Settings
from voicebot.config_names import strangers

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
FILES = sorted([*UNITS.glob("*.service"), *UNITS.glob("*.timer")])


@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda file: file.stem)
def test_a_unit_runs_a_command_that_there_is(unit: Path) -> None:
    text = unit.read_text("utf-8")
    commands = re.findall(r"^ExecStart(?:Post)?=/opt/voicebot/bin/voicebot (.+)$", text, re.MULTILINE)
    assert commands
    for command in commands:
        words = [word for word in command.split() if not word.startswith(("/", "-")) and not word.isdigit()]
        answered = CliRunner().invoke(app, [*words, "--help"])
        assert answered.exit_code == 0, answered.output
        for option in re.findall(r"--[a-z-]+", command):
            assert option in answered.output


def test_every_variable_of_the_example_is_a_setting() -> None:
    text = (UNITS / "voicebot.env").read_text("utf-8")
    names = re.findall(r"^#? ?(VOICEBOT_[A-Z_]+)=", text, re.MULTILINE)
    assert len(names) >= 5 and strangers(names, (), Settings.model_fields) == []


def test_calls_may_end_before_a_unit_is_killed() -> None:
    longest = Settings.model_fields["drain_seconds"].default + 30
    for unit in ("voicebot", "voicebot-worker", "voicebot-control"):
        (stop,) = re.findall(r"^TimeoutStopSec=(\d+)$", (UNITS / f"{unit}.service").read_text("utf-8"), re.MULTILINE)
        assert int(stop) > longest


def test_systemd_takes_them(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("!!! NO systemd-analyze: the units are not verified. Run this where systemd is installed")
    for file in FILES:  # the program may not be installed here
        text = file.read_text("utf-8").replace("/opt/voicebot/bin/voicebot", shutil.which("true") or "/bin/true")
        (tmp_path / file.name).write_text(text, "utf-8")
    units = [str(tmp_path / file.name) for file in FILES]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "voicebot" in line]
    assert ours == [], "\n".join(ours)
