"""`voicebot models`: what is said when models come, when they don't, and when none are here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicebot.catalogue.entries import Entry, read_catalogue
from voicebot.catalogue.pull import PullError
from voicebot.cli.commands import app
from voicebot.config import models_dir

run = CliRunner().invoke
KNOWN = "sherpa-paraformer-zh-en"
UNKNOWN = "sherpa-zipformer-zh"
"""One whose hashes are all stated by its source, and one without any."""


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Pulls come at once, without a network; which ones."""
    pulled: list[str] = []

    def pull(entry: Entry, folder: Path, progress: object, mirror: str | None = None) -> Path:
        pulled.append(entry.name)
        return folder / entry.name

    monkeypatch.setattr("voicebot.catalogue.pull.pull", pull)
    return pulled


def test_what_is_listed_is_the_catalogue(tmp_path: Path) -> None:
    listed = json.loads(run(app, ["models", "list", "--into", str(tmp_path), "--json"]).stdout)
    assert [row["name"] for row in listed] == list(read_catalogue(models_dir() / "models.toml"))
    assert not any(row["pulled"] for row in listed)


def test_it_is_said_against_what_a_model_was_held(tmp_path: Path, network: list[str]) -> None:
    known = run(app, ["models", "pull", KNOWN, "--into", str(tmp_path)])
    unknown = run(app, ["models", "pull", UNKNOWN, "--into", str(tmp_path)])
    assert (known.exit_code, unknown.exit_code, network) == (0, 0, [KNOWN, UNKNOWN])
    assert "that its source states" in known.stderr and f"VOICEBOT_RECOGNIZER=sherpa:{KNOWN}" in known.stderr
    assert "no public source states the SHA-256 of encoder" in unknown.stderr and "recorded" in unknown.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PullError("huggingface.co can't be reached: check the network"), "check the network"),
        (PermissionError(13, "Permission denied", "/srv/models"), "--into"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    def pull(*_: object) -> Path:
        raise error

    monkeypatch.setattr("voicebot.catalogue.pull.pull", pull)
    answered = run(app, ["models", "pull", KNOWN, "--into", str(tmp_path)])
    assert answered.exit_code == 2 and said in answered.stderr
    assert "Traceback" not in answered.stderr


def test_a_name_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    for verb in ("pull", "check"):
        answered = run(app, ["models", verb, "whisper-tiny", "--into", str(tmp_path)])
        assert answered.exit_code == 2 and KNOWN in answered.stderr
    assert run(app, ["models", "pull"]).exit_code == 2


def test_checking_says_when_there_is_nothing_to_check(tmp_path: Path) -> None:
    answered = run(app, ["models", "check", "--into", str(tmp_path)])
    assert (answered.exit_code, answered.stdout) == (0, "")
    assert "voicebot models pull" in answered.stderr
    named = run(app, ["models", "check", KNOWN, "--into", str(tmp_path), "--json"])
    assert named.exit_code == 1
    assert {fault["what"] for fault in json.loads(named.stdout)["faults"]} == {"missing"}
