"""The trunk file: what it says becomes a trunk, and every mistake names file, trunk, key and remedy."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.config import Settings, load_settings
from voicebot.telephony.trunk import Account, CallerIdentity, CallerRule, NumberFormat, Registering, Shape
from voicebot.telephony.trunk_file import TrunkFileError, _trunks, read_trunks, trunks_of

SECRET = "Zk7-never-shown"
FULL = """
[[trunks]]
name = "carrier"
host = "sbc.example.net"
transport = "tls"
domain = "ims.example.net"
proxy = "192.0.2.9:5071"
user = "+861012345678"
password_file = "carrier.password"
realm = "ims"
register = true
expires_s = 600
priority = 1
weight = 3
max_calls = 60
calls_per_second = 5
codecs = ["opus", "G722", "PCMA"]
srtp = "require"
session_expires_s = 900
transfer = "refer"
dtmf = "info"
options_every_s = 10
early_media = false
try_s = 4

[trunks.caller]
numbers = ["+861012345678", "+862112345678"]
rule = "area"
display = "客服中心"
asserted = true
diversion = "4001"
privacy = "id"

[trunks.numbers]
shape = "national"
prefix = "9"

[trunks.inbound]
peers = ["198.51.100.0/24"]
user = "them"
digest = "sha-256"
password_env = "THEIR_PASSWORD"
script = "inbound"
called = { "+861012345678" = "vip" }

[[trunks]]
name = "spare"
host = "[2001:db8::7]:5080"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "carrier.password").write_text(SECRET + "\n")
    monkeypatch.setenv("THEIR_PASSWORD", "theirs")
    path = tmp_path / "trunks.toml"
    path.write_text(FULL)
    return path


def test_everything_that_can_be_said(file: Path) -> None:
    carrier, spare = read_trunks(file)
    assert (carrier.name, carrier.host, carrier.port, carrier.transport) == ("carrier", "sbc.example.net", 5061, "tls")
    assert carrier.uri_host == "ims.example.net" and carrier.hop_uri == "sip:192.0.2.9:5071;transport=tls"
    assert carrier.account == Account("+861012345678", SECRET, "ims")
    assert carrier.registering == Registering(None, 600)
    assert (carrier.priority, carrier.weight, carrier.max_calls, carrier.calls_per_second) == (1, 3, 60, 5)
    assert carrier.codecs == ("opus", "G722", "PCMA") and carrier.srtp == "require"
    assert (carrier.session_expires_s, carrier.transfer, carrier.dtmf) == (900, "refer", "info")
    assert (carrier.options_every_s, carrier.early_media, carrier.try_s) == (10, False, 4)
    assert carrier.caller == CallerIdentity(
        ("+861012345678", "+862112345678"), CallerRule.AREA, "客服中心", None, True, False, "4001", "id"
    )
    assert carrier.numbers == NumberFormat(Shape.NATIONAL, "", "9")
    assert carrier.inbound.peers == (ipaddress.ip_network("198.51.100.0/24"),)
    assert carrier.inbound.digest == "SHA-256" and spare.inbound.digest == "MD5"
    assert carrier.inbound.account == Account("them", "theirs") and carrier.inbound.script == "inbound"
    assert carrier.script_for("01012345678") == "vip" and carrier.script_for("02112345678") == "inbound"
    assert dict(carrier.inbound.called) == {"+861012345678": "vip"}
    assert (spare.host, spare.port, spare.uri_host) == ("2001:db8::7", 5080, "[2001:db8::7]:5080")
    assert spare.takes_from("2001:db8::7") and not spare.takes_from("2001:db8::8"), "its own address may call"


def test_a_password_is_never_shown(file: Path) -> None:
    assert SECRET not in repr(read_trunks(file))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('host = "sbc.example.net"', 'host = "sip:sbc"', r"trunk 'carrier'.*host"),
        ('transport = "tls"', 'transport = "ws"', r"trunk 'carrier', transport: .*'udp', 'tcp' or 'tls'"),
        ('password_file = "carrier.password"', f'password = "{SECRET}"', r"r', password: no such key.*password_file"),
        ('"carrier.password"', '"nowhere"', r"carrier', password_file: .*nowhere can't be read"),
        ('password_env = "THEIR_PASSWORD"', 'password_env = "UNSET"', r"environment variable UNSET"),
        ("max_calls = 60", "max_calls = 0", r"carrier', max_calls: .*greater than or equal to 1"),
        ('"opus", ', '"G729", ', r"carrier', codecs.0"),
        ('rule = "area"', 'rule = "random"', r"carrier', caller.rule"),
        ('peers = ["198.51.100.0/24"]', 'peers = ["198.51.100.0/33"]', r"carrier', inbound: peers: expected networks"),
        ('"spare"', '"carrier"', r"trunk 'carrier', name: taken"),
        ("session_expires_s = 900", "session_expires_s = 60", r"RFC 4028"),
        ('transport = "tls"\n', "", r"srtp = \"require\" needs transport = \"tls\""),
        ('user = "+861012345678"', "", r"password needs a user"),
        ("weight = 3", "wieght = 3", r"carrier', wieght: no such key"),
        ('display = "客服中心"', 'display = "a\\r\\nX: y"', r"caller.display: must be one line"),
        ('"+861012345678", "+862112345678"', '"a@b>"', r"caller.numbers.0: expected a number"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_trunk_key_and_remedy(file: Path, old: str, new: str, told: str) -> None:
    import re

    assert old in FULL
    file.write_text(FULL.replace(old, new, 1))
    with pytest.raises(TrunkFileError) as caught:
        read_trunks(file)
    assert re.search(told, str(caught.value)), str(caught.value)
    assert str(file) in str(caught.value) and SECRET not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[[trunk]]\nname='a'", "trunks = 3", "a = = b", "[trunks]\nname='a'"])
def test_what_is_no_trunk_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "trunks.toml"
    file.write_text(text)
    with pytest.raises(TrunkFileError, match=r"\[\[trunks\]\]"):
        read_trunks(file)


def test_the_short_form_and_the_settings_file(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VOICEBOT_TRUNK", "VOICEBOT_TRUNKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VOICEBOT_CONFIG", "")
    assert trunks_of(Settings()) == ()
    (one,) = trunks_of(Settings(trunk="192.0.2.4:5070", caller_id="95588", max_calls=7, workers=2))
    assert (one.uri_host, one.caller.numbers, one.max_calls) == ("192.0.2.4:5070", ("95588",), 14)
    assert one.takes_from("192.0.2.4")
    assert [trunk.name for trunk in trunks_of(Settings(trunks=file))] == ["carrier", "spare"]
    config = tmp_path / "voicebot.toml"
    config.write_text('max_calls = 3\n[[trunks]]\nname = "x"\nhost = "192.0.2.5"\n')
    assert [trunk.name for trunk in trunks_of(load_settings(config))] == ["x"]
    with config.open("a") as more:
        more.write('user = "u"\npassword_file = "carrier.password"\n')
    assert trunks_of(load_settings(config))[0].account == Account("u", SECRET), "found beside the settings file"
    config.write_text(config.read_text().replace("carrier.password", "lost"))
    with pytest.raises(TrunkFileError, match=r"voicebot.toml: trunk 'x', password_file"):
        trunks_of(load_settings(config))
    config.write_text(f'trunks = "{file}"\n')
    assert [trunk.name for trunk in trunks_of(load_settings(config))] == ["carrier", "spare"]


KEYS = st.sampled_from(
    ["name", "host", "transport", "proxy", "user", "password_file", "password_env", "register", "registrar", "srtp",
     "max_calls", "codecs", "caller", "numbers", "inbound", "domain", "peers", "called", "rule", "shape", "weird"]
)  # fmt: skip
WORDS = st.text(max_size=20) | st.sampled_from(["tls", "[::1]:5"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=8) | VALUES, max_size=3))
def test_any_tables_are_trunks_or_one_error(rows: list[object]) -> None:
    try:
        for trunk in _trunks(rows, "some file", Path("/nowhere")):
            assert trunk.hop_uri and trunk.uri_host
    except TrunkFileError as error:
        assert all(line.startswith("some file: trunk ") for line in str(error).splitlines())
