"""Names: the workers of one machine never share a socket, a port or a name."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.config import Settings
from voicebot.worker.names import link_path, machine_name, rtp_range, sip_address, worker_name


def settings(workers: int, ports: str = "30000-34999", sip: str = "127.0.0.1:5060") -> Settings:
    return Settings(home=Path("/srv/vb"), workers=workers, rtp_ports=ports, sip_listen=sip)


@given(workers=st.integers(1, 64), first=st.integers(1024, 30000), width=st.integers(1000, 30000))
def test_media_ports_are_shared_out_without_overlap(workers: int, first: int, width: int) -> None:
    ours = settings(workers, f"{first}-{first + width}")
    ranges = [rtp_range(ours, index) for index in range(workers)]
    for (_, last), (begin, _) in pairwise(ranges):
        assert last < begin
    for begin, last in ranges:
        assert begin % 2 == 0, "RTP has the even port (RFC 3550 section 11)"
        assert first <= begin < last <= first + width


def test_each_worker_has_its_own_address_and_socket() -> None:
    ours = settings(3)
    assert [sip_address(ours, index) for index in range(3)] == [("127.0.0.1", 5060 + 2 * index) for index in range(3)]
    assert len({link_path(ours, index) for index in range(3)}) == 3
    assert len({worker_name(index) for index in range(3)}) == 3


def test_a_free_port_stays_a_free_port() -> None:
    assert sip_address(settings(2, sip="127.0.0.1:0"), 1) == ("127.0.0.1", 0)


def test_a_worker_keeps_its_name_when_its_host_is_named_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that starts again has another host name and the same VOICEBOT_HOME."""
    monkeypatch.setattr("socket.gethostname", lambda: "a1b2c3")
    before = worker_name(1, tmp_path)
    machine_name.cache_clear()
    monkeypatch.setattr("socket.gethostname", lambda: "d4e5f6")
    assert worker_name(1, tmp_path) == before == "a1b2c3-1"
    assert worker_name(1, tmp_path / "another") == "d4e5f6-1", "a home that can't be written has the host's name"
