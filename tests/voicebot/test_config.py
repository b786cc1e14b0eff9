"""Settings: where they come from, and what an operator is told when one can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.config import SettingsError, load_settings


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("VOICEBOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VOICEBOT_CONFIG", "")


@pytest.mark.parametrize(
    ("key", "value", "remedy"),
    [
        ("VOICEBOT_SIP_LISTEN", "5060", "host:port"),
        ("VOICEBOT_SIP_LISTEN", "127.0.0.1:99999", "host:port"),
        ("VOICEBOT_HTTP_LISTEN", ":8080", "host:port"),
        ("VOICEBOT_TRUNK", "carrier", "host:port"),
        ("VOICEBOT_RTP_PORTS", "30000", "first-last"),
        ("VOICEBOT_RTP_PORTS", "40000-30000", "first-last"),
        ("VOICEBOT_RTP_PORTS", "80-90", "between 1024"),
        ("VOICEBOT_WORKERS", "0", "greater than or equal to 1"),
        ("VOICEBOT_MAX_CALLS", "many", "valid integer"),
        ("VOICEBOT_ALLOWED_PEERS", "10.0.0.0/33", "10.0.0.0/33"),
        ("VOICEBOT_DRAIN_SECONDS", "-1", "greater than or equal to 0"),
    ],
)
def test_a_bad_value_names_its_key_and_the_remedy(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str, remedy: str
) -> None:
    monkeypatch.setenv(key, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert key in str(caught.value)
    assert remedy in str(caught.value)
    assert value in str(caught.value)


def test_every_bad_key_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_WORKERS", "none")
    monkeypatch.setenv("VOICEBOT_SIP_LISTEN", "here")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert len(str(caught.value).splitlines()) == 2


def test_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "voicebot.toml"
    file.write_text('max_calls = 7\nworkers = 3\nallowed_peers = ["10.0.0.0/8"]\n')
    monkeypatch.setenv("VOICEBOT_WORKERS", "2")
    settings = load_settings(file)
    assert (settings.max_calls, settings.workers) == (7, 2)
    assert settings.allowed_peers == ("10.0.0.0/8",)


def test_a_file_that_is_not_there_or_not_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load_settings(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("max_calls = = 3")
    with pytest.raises(SettingsError, match=r"broken\.toml"):
        load_settings(broken)


def test_peers_are_a_list_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_ALLOWED_PEERS", "10.0.0.0/8, 192.0.2.1/32 ,::1/128")
    assert load_settings().allowed_peers == ("10.0.0.0/8", "192.0.2.1/32", "::1/128")


def test_all_state_lies_below_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VOICEBOT_HOME", str(tmp_path / "vb"))
    settings = load_settings()
    assert settings.recordings.is_relative_to(settings.home)
    assert settings.keys.is_relative_to(settings.home)
