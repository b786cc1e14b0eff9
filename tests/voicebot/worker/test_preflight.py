"""Engines that can't be loaded are refused at the start, by a sentence that says which setting and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.config import Settings, SettingsError
from voicebot.worker.preflight import check_engines, refusal


def test_what_ships_is_accepted() -> None:
    assert refusal("embedded", "embedded") is None


@pytest.mark.parametrize(
    ("recognizer", "synthesizer", "names"),
    [
        ("sherpa:no-such-model", "embedded", "VOICEBOT_RECOGNIZER=sherpa:no-such-model"),
        ("whisper:no-such-model", "embedded", "VOICEBOT_RECOGNIZER=whisper:no-such-model"),
        ("remote:http://nowhere", "embedded", "VOICEBOT_RECOGNIZER=remote:http://nowhere"),
        ("embedded", "piper:no-such-voice", "VOICEBOT_SYNTHESIZER=piper:no-such-voice"),
        ("embedded", "recorded:/no/such/folder", "VOICEBOT_SYNTHESIZER=recorded:/no/such/folder"),
        ("telepathy", "embedded", "VOICEBOT_RECOGNIZER=telepathy"),
    ],
)
def test_a_refusal_names_the_setting(recognizer: str, synthesizer: str, names: str) -> None:
    told = refusal(recognizer, synthesizer)
    assert told is not None and told.startswith(names + ": ") and len(told) > len(names) + 20


@pytest.mark.slow
def test_the_server_refuses_before_anything_is_started(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", recognizer="sherpa:no-such-model")
    with pytest.raises(SettingsError, match="no-such-model"):
        check_engines(settings)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("synthesizer", ["embedded", "recorded:/no/such/folder"])
def test_a_voice_that_was_not_installed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synthesizer: str
) -> None:
    monkeypatch.delenv("VOICEBOT_MODELS", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'voicebot\[espeak\]'"):
        check_engines(Settings(home=tmp_path, synthesizer=synthesizer))


def test_the_usual_engines_cost_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOICEBOT_MODELS", raising=False)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("a process was started"))
    check_engines(Settings(home=tmp_path))
