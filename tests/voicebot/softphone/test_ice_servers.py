"""STUN and TURN servers as an operator writes them."""

from __future__ import annotations

import pytest
from aiortc.rtcicetransport import parse_stun_turn_uri
from hypothesis import given
from hypothesis import strategies as st

from voicebot.config import SettingsError, load_settings
from voicebot.domain.ice import IceServer, parse_ice_servers


def test_servers_are_read() -> None:
    assert parse_ice_servers(["stun:stun.example.com", "", "turn:wang:s3cret@192.0.2.1:3479?transport=tcp"]) == (
        IceServer("stun:stun.example.com:3478"),
        IceServer("turn:192.0.2.1:3479?transport=tcp", "wang", "s3cret"),
    )
    (server,) = parse_ice_servers(["turns:a:b@turn.example.com"])
    assert server.url == "turns:turn.example.com:5349"
    for server in parse_ice_servers(["stun:a.b", "turn:u:p@h", "turns:u:p@h:5?transport=tcp"]):
        assert parse_stun_turn_uri(server.url)["host"] in ("a.b", "h")


WRONG = [
    "http:x", "stun:", "turn:x:3478", "stun:h:70000", "stun:a b",
    "turn:u@h", "stun:[::1]:1", "stun:h?transport=tcp",
]  # fmt: skip


@pytest.mark.parametrize("entry", WRONG)
def test_what_is_none_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"TURN|STUN|expected"):
        parse_ice_servers([entry])


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(entry: str) -> None:
    try:
        parse_ice_servers([entry])
    except ValueError:
        return


def test_a_wrong_server_stops_the_start_and_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_ICE_SERVERS", "stun:ok.example.com,turn:wang:s3cret@")
    with pytest.raises(SettingsError, match="ICE_SERVERS") as refused:
        load_settings()
    assert "expected stun:host:port" in str(refused.value) and "s3cret" not in str(refused.value)


def test_the_gateway_listens_where_the_lines_can_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for sip, wanted in (("0.0.0.0:5060", "127.0.0.1"), ("192.0.2.5:5060", "192.0.2.5"), ("[::]:5060", "::1")):
        monkeypatch.setenv("VOICEBOT_SIP_LISTEN", sip)
        assert load_settings().softphone_address == (wanted, 0)
