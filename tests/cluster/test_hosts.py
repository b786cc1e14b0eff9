"""The tools of this folder themselves: cables really are cut, each way by itself, and disks really are full."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .hosts import Host, Network, requires_hosts

pytestmark = requires_hosts()
ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 7000))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(100)
    print(data.decode(), flush=True)
    s.sendto(data, peer)
"""
ASK = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
s.sendto(sys.argv[2].encode(), (sys.argv[1], 7000))
try: print(s.recv(100).decode())
except TimeoutError: print("silence")
"""
BIND = "import socket, sys; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(('127.0.0.1', int(sys.argv[1])))"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Host, Host]]:
    with Network() as network:
        one = network.host("one", "10.77.0.1", tmp_path / "one")
        yield one, network.host("two", "10.77.0.2", tmp_path / "two", disk_mb=4)


def ask(host: Host, other: Host, word: str) -> str:
    return host.run(sys.executable, "-c", ASK, other.address, word).strip()


def heard(host: Host) -> str:
    return host.log_file("echo").read_text()


def test_a_cable_is_cut_each_way_by_itself_and_mended(pair: tuple[Host, Host]) -> None:
    one, two = pair
    two.start(sys.executable, "-c", ECHO, two.address, log="echo")
    while "ready" not in heard(two):
        assert two.processes[0].poll() is None, two.said()
    assert ask(one, two, "whole") == "whole"
    two.cut(away=False)
    assert ask(one, two, "to-it") == "silence"
    assert "to-it" not in heard(two)
    two.mend()
    two.cut(towards=False)
    assert ask(one, two, "from-it") == "silence"
    assert "from-it" in heard(two)
    two.cut()
    assert ask(one, two, "both") == "silence"
    two.mend()
    two.mend()
    assert ask(one, two, "again") == "again"


def test_a_host_sees_only_its_own_network_and_dies_whole(pair: tuple[Host, Host]) -> None:
    one, two = pair
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind(("127.0.0.1", 0))
        one.run(sys.executable, "-c", BIND, str(here.getsockname()[1]))
    process = two.start("sh", "-c", "sleep 100 & sleep 100", log="sleep")
    two.power_off()
    assert process.poll() is not None
    assert two.pids() == []


def test_a_disk_is_full_for_its_own_host_alone(pair: tuple[Host, Host]) -> None:
    one, two = pair
    two.fill_disk()
    with pytest.raises(OSError, match="No space"):
        (two.folder / "more").write_bytes(bytes(100_000))
    (one.folder / "more").write_bytes(bytes(100_000))
    two.free_disk()
    (two.folder / "more").write_bytes(bytes(100_000))
