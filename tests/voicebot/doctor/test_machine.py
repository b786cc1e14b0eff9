"""What the doctor says of ports, disk, folders and keys of this machine."""

from __future__ import annotations

import fcntl
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from voicebot.config import Settings
from voicebot.doctor import machine
from voicebot.doctor.finding import Health


def settings(home: Path, **values: object) -> Settings:
    return Settings(home=home, **{"sip_listen": "127.0.0.1:0", "http_listen": "127.0.0.1:0", **values})  # type: ignore[arg-type]


def test_a_port_that_somebody_holds_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{other.getsockname()[1]}"
        found = {one.check: one for one in machine.ports(settings(tmp_path, sip_listen=address))}
    taken = found["port sip 0"]
    assert taken.health is Health.FAIL and address in taken.said and "VOICEBOT_SIP_LISTEN" in taken.remedy
    assert found["port http"].health is Health.OK


def test_ports_of_the_installation_that_runs_here_are_no_trouble(tmp_path: Path) -> None:
    with (tmp_path / "worker.lock").open("w") as lock, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        fcntl.flock(lock, fcntl.LOCK_EX)
        own.bind(("127.0.0.1", 0))
        wanted = settings(tmp_path, sip_listen=f"127.0.0.1:{own.getsockname()[1]}")
        found = {one.check: one for one in machine.ports(wanted)}
        assert machine.is_serving(tmp_path)
    assert found["port sip 0"].health is Health.OK and "runs here" in found["port sip 0"].said
    assert not machine.is_serving(tmp_path)


def test_an_address_that_is_not_ours_can_not_be_used(tmp_path: Path) -> None:
    found = {one.check: one for one in machine.ports(settings(tmp_path, http_listen="192.0.2.1:8080"))}
    assert found["port http"].health is Health.FAIL


def test_too_few_media_ports(tmp_path: Path) -> None:
    wanted = settings(tmp_path, rtp_ports="30000-30009", max_calls=40)
    found = {one.check: one for one in machine.ports(wanted)}
    assert found["ports media"].health is Health.WARN and "10 ports for 40 calls" in found["ports media"].said


@pytest.mark.parametrize(("free_mb", "health"), [(100, Health.FAIL), (1000, Health.WARN), (9000, Health.OK)])
def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, health: Health) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free_mb << 20))
    found = machine.disk(settings(tmp_path / "not" / "yet", disk_reserve_mb=512))
    assert found.health is health and f"{free_mb} MB" in found.said
    assert (found.remedy == "") == (health is Health.OK)


def test_folders_that_others_may_enter(tmp_path: Path) -> None:
    for name in ("recordings", "keys"):
        (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / "keys").chmod(0o700)
    (tmp_path / "keys" / "signing.pem").write_text("x")
    (tmp_path / "keys" / "signing.pem").chmod(0o644)
    found = {one.check: one for one in machine.folders(settings(tmp_path))}
    assert found["folder recordings"].health is Health.WARN and "chmod 700" in found["folder recordings"].remedy
    assert found["folder keys"].health is Health.OK
    (key,) = machine.secret_files(settings(tmp_path))
    assert "signing.pem" in key.said and key.remedy.startswith("chmod 600")


def test_settings_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_CONFIG", "")
    monkeypatch.setenv("VOICEBOT_DISK_RESERV_MB", "x")
    told = [one for one in machine.settings_read() if "RESERV_MB" in one.said]
    assert told[0].health is Health.WARN and "VOICEBOT_DISK_RESERVE_MB" in told[0].said
