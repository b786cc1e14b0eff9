"""The proxy's configuration: what is given stands in it, and nothing that is given can say more than it should."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from voicebot.cli.kamailio import kamailio
from voicebot.telephony.kamailio import Edge, TlsEdge, configuration, write

SHIPPED = Path(__file__).parents[3] / "deploy" / "kamailio"
ADDRESSES = ("--listen", "203.0.113.10:5060", "--domain", "calls.example", "--carrier", "198.51.100.7:5060")
EXAMPLE = (*ADDRESSES, "--installed-at", "/etc/kamailio", "--worker", "10.0.0.5:5060", "--worker", "10.0.0.6:5060")


def edge(**given: object) -> Edge:
    workers = ("sip:10.0.0.5:5060",)
    return Edge(**{"listen": "10.0.0.2:5060", "domain": "calls.example", "workers": workers, **given})  # type: ignore[arg-type]


def test_the_shipped_example_is_what_the_command_writes(tmp_path: Path) -> None:
    done = CliRunner().invoke(kamailio, ["config", "--out", str(tmp_path), *EXAMPLE])
    assert done.exit_code == 0, done.output
    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert {file.name: file.read_text() for file in SHIPPED.iterdir()} == written
    assert written["dispatcher.list"].splitlines() == ["1 sip:10.0.0.5:5060 0 0", "1 sip:10.0.0.6:5060 0 0"]
    assert '#!define FROM_CARRIER ($si == "198.51.100.7")' in written["local.cfg"]


def test_passwords_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    write(edge(phones={"1001": "ge heim;"}), tmp_path)
    assert stat.S_IMODE((tmp_path / "passwords.cfg").stat().st_mode) == 0o600
    assert (tmp_path / "passwords.cfg").read_text() == '$sht(password=>1001) = "ge heim;";\n'


@pytest.mark.skipif(shutil.which("kamailio") is None, reason="kamailio is not installed")
def test_kamailio_itself_accepts_it(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    ask = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out")
    subprocess.run([*ask, certificate], check=True, capture_output=True)
    addresses = ("198.51.100.7", "198.51.100.8")
    tls = TlsEdge("127.0.0.1:5061", certificate, key)
    given = edge(listen="127.0.0.1:5060", carrier="sip:198.51.100.7:5060", carrier_addresses=addresses,
                 phones={"1001": "geheim"}, tls=tls, folder=tmp_path)  # fmt: skip
    write(given, tmp_path)
    checked = subprocess.run(["kamailio", "-c", "-f", tmp_path / "kamailio.cfg"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--worker", "10.0.0.5"), "host:port"),
        (("--worker", 'a":5060'), "quotes"),
        (("--worker", "a:5060", "--key", "key.pem"), "TLS needs all"),
        (("--worker", "a:5060", "--phones", "nowhere.txt"), "nowhere.txt"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    done = CliRunner().invoke(kamailio, ["config", "--out", str(tmp_path / "out"), *ADDRESSES, *arguments])
    assert done.exit_code == 2
    assert why in done.stderr
    assert not (tmp_path / "out").exists()


def test_phones_are_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "phones").write_text("# desk\n1001 one two\n\n1002 three\n")
    arguments = ["config", "--out", str(tmp_path / "out"), *EXAMPLE, "--phones", str(tmp_path / "phones")]
    assert CliRunner().invoke(kamailio, arguments).exit_code == 0
    assert (tmp_path / "out" / "passwords.cfg").read_text().splitlines() == [
        '$sht(password=>1001) = "one two";', '$sht(password=>1002) = "three";']  # fmt: skip
    (tmp_path / "phones").write_text("1001\n")
    done = CliRunner().invoke(kamailio, arguments)
    assert done.exit_code == 2 and "line 1" in done.stderr


WORDS = st.text(max_size=12)


@given(WORDS, WORDS, WORDS, WORDS)
def test_no_word_can_add_a_line_or_leave_its_quotes(domain: str, host: str, phone: str, password: str) -> None:
    try:
        files = configuration(edge(domain=domain, workers=(f"sip:{host}",), phones={phone: password}))
    except ValueError:
        return
    assert len(files["dispatcher.list"].splitlines()) == len(files["passwords.cfg"].splitlines()) == 1
    assert files["passwords.cfg"].count('"') == 2
    assert [line for line in files["local.cfg"].splitlines() if "DOMAIN" in line] == [f'#!define DOMAIN "{domain}"']
