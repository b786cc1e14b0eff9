"""Engines: the line that the settings ask for, and mistakes told before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.voicebot.telephony.carriers import HOST, answer, rtp_ports
from voicebot.app import environment
from voicebot.config import Settings, SettingsError
from voicebot.telephony.engines import WorkerLine, check_line, open_line
from voicebot.telephony.pyvoip_line import PyVoipLine
from voicebot.telephony.sip_line import SipLine

ONE = '[[trunks]]\nname = "a"\nhost = "192.0.2.1"\nmax_calls = 5\ncalls_per_second = 4\n'
REGISTERED = ONE + 'user = "bot"\npassword_env = "A_PASSWORD"\nregister = true\n'


@pytest.fixture
def trunk_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("A_PASSWORD", "secret")
    file = tmp_path / "trunks.toml"
    file.write_text(ONE)
    return file


def line(settings: Settings, index: int = 0) -> WorkerLine:
    return open_line(settings, index, (HOST, 0), rtp_ports(12), on_incoming=answer, refusal=lambda: None)  # type: ignore[arg-type]


def test_every_line_knows_the_whole_of_the_trunks(trunk_file: Path) -> None:
    settings = Settings(trunks=trunk_file, workers=2)
    lines = [line(settings, index) for index in range(2)]
    assert all(isinstance(one, SipLine) for one in lines)
    assert [one.trunks.states["a"].trunk.max_calls for one in lines] == [5, 5]
    assert lines[0].capabilities.transfer and lines[0].capabilities.hold and not lines[0].capabilities.tls


def test_pyvoip_when_it_is_asked_for(trunk_file: Path) -> None:
    pytest.importorskip("pyVoIP")
    trunk_file.write_text(REGISTERED)
    settings = Settings(trunks=trunk_file, line_engine="pyvoip")
    check_line(settings)
    assert isinstance(line(settings), PyVoipLine)


@pytest.mark.parametrize(
    ("text", "changes", "told"),
    [
        (ONE.replace("5", "0"), {}, "max_calls"),
        (ONE, {"line_engine": "pyvoip"}, "register = true"),
        (REGISTERED, {"line_engine": "pyvoip", "workers": 2}, "VOICEBOT_WORKERS=1"),
    ],
)
def test_mistakes_are_told_before_anything_is_started(
    trunk_file: Path, text: str, changes: dict[str, Any], told: str
) -> None:
    trunk_file.write_text(text)
    with pytest.raises(SettingsError, match=told):
        check_line(Settings(trunks=trunk_file, **changes))


def test_a_certificate_that_cannot_be_used_names_the_settings(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    with pytest.raises(SettingsError, match="VOICEBOT_TLS_CERTIFICATE"):
        line(Settings(tls_certificate=broken, tls_key=broken))


def test_the_children_see_the_same_line(trunk_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        trunks=trunk_file, public_address="203.0.113.9", sip_tcp=True, most_late_ms=20, sip_tls_listen="127.0.0.1:5071",
        tls_certificate=Path("/etc/x.pem"),
    )  # fmt: skip
    for name, value in environment(settings, "postgresql://x").items():
        monkeypatch.setenv(name, value)
    again = Settings()
    names = ("trunks", "public_address", "sip_tcp", "most_late_ms", "sip_tls_listen", "tls_certificate", "line_engine")
    assert [getattr(again, name) for name in names] == [getattr(settings, name) for name in names]
