"""SIPp over IPv6, both ways: bracketed hosts in URIs and Via, bare ones in SDP."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from .peers import requires
from .sipp import ANSWERED, ack, does, invite, recv, reply, sdp, sipp
from .station import station
from .test_sipp_calls import ulaw

V6 = "::1"


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((V6, 0))
        except OSError:
            return False
    return True


pytestmark = [requires("sipp"), pytest.mark.skipif(not has_ipv6(), reason="!!! NO IPv6 on this machine's loopback")]


async def test_sipp_calls_over_ipv6(tmp_path: Path) -> None:
    sound = ulaw(tmp_path / "tone.ulaw", 1000, 3.0)
    steps = [invite(), *ANSWERED[:-1], recv(200, has="c=IN IP6 ::1"), ack(), does(f'rtp_stream="{sound},-1,0"')]
    steps += [recv("BYE", within_ms=30_000), reply(200)]
    async with station(ip=V6) as ours, sipp(tmp_path, steps, target=ours.port, host=V6) as peer:
        await ours.hears_a_call(1000, 900)
        await peer.is_content()


async def test_we_call_over_ipv6(tmp_path: Path) -> None:
    rung = [recv("INVITE", has="c=IN IP6 ::1"), reply(180), reply(200, sdp(), repeats=True), recv("ACK")]
    steps = [*rung, recv("BYE"), reply(200)]
    async with station(600, ip=V6) as ours, sipp(tmp_path, steps, "-rtp_echo", host=V6) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.hears(600, 600)
        await talk.call.hangup()
        await peer.is_content()
