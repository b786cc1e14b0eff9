"""The page of all settings is the code's own, and a name that nobody reads is told with the one that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicebot.cli.commands import app
from voicebot.config import Settings, load_settings, unread_settings
from voicebot.config_names import ELSEWHERE, strangers
from voicebot.config_reference import reference, section_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("VOICEBOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VOICEBOT_CONFIG", "")


def test_the_page_is_current() -> None:
    renew = "renew it: voicebot settings reference > docs/reference/configuration.md"
    assert PAGE.read_text("utf-8") == reference(), renew


def test_every_setting_stands_there_once_with_a_meaning() -> None:
    page = reference()
    for name, field in Settings.model_fields.items():
        assert page.count(f"| `VOICEBOT_{name.upper()}` |") == 1, name
        assert field.description, f"{name} says nothing of itself"
    assert all(f"| `{name}` |" in page for name in ELSEWHERE)
    assert section_of("smtp_url") == "Messages" and section_of("never_heard_of") == "Further"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("VOICEBOT_MAXCALLS", "VOICEBOT_MAX_CALLS"),
        ("VOICEBOT_SIP_LISTN", "VOICEBOT_SIP_LISTEN"),
        ("voicebot_database_ulr", "VOICEBOT_DATABASE_URL"),
        ("VOICEBOT_MODEL", "VOICEBOT_MODELS"),
    ],
)
def test_a_mistyped_variable_is_told_with_the_nearest(written: str, meant: str) -> None:
    (line,) = strangers([written, "PATH", "VOICEBOT_HOME", "VOICEBOT_CONFIG"], [], Settings.model_fields)
    assert line.startswith(written) and line.endswith(f"did you mean {meant}?")


def test_a_name_like_no_other_is_told_without_a_guess() -> None:
    (line,) = strangers(["VOICEBOT_ZZZZ"], [], Settings.model_fields)
    assert "did you mean" not in line


def test_keys_of_the_file_are_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "voicebot.toml"
    file.write_text('max_cals = 3\nworkers = 2\n[[trunks]]\nname = "a"\nhost = "192.0.2.1"\n')
    monkeypatch.setenv("VOICEBOT_WORKRES", "3")
    load_settings(file)
    variable, key = unread_settings()
    assert "VOICEBOT_WORKRES" in variable and "VOICEBOT_WORKERS" in variable
    assert key.startswith("max_cals") and "max_calls" in key


def test_show_blots_out_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_DATABASE_URL", "postgresql://bot:hunter2@db/voicebot")
    monkeypatch.setenv("VOICEBOT_SMTP_PASSWORD", "hunter3")
    monkeypatch.setenv("VOICEBOT_ICE_SERVERS", "turn:u:hunter4@turn.example:3478")
    monkeypatch.setenv("VOICEBOT_SMTP_ULR", "x")
    shown = CliRunner().invoke(app, ["settings", "show"])
    assert shown.exit_code == 0 and "hunter" not in shown.output
    assert "database_url = postgresql://bot:***@db/voicebot" in shown.stdout
    assert "VOICEBOT_SMTP_URL" in shown.stderr
