"""SIPp behind a NAT: Contact and SDP name an address nobody can reach; sound and requests find it all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from .peers import requires
from .sipp import ANSWERED, OURS, TAG, ack, does, invite, pause, recv, reply, sdp, sipp
from .station import station
from .test_sipp_calls import ulaw

pytestmark = requires("sipp")
PRIVATE = "10.255.255.1"
HIDDEN = sdp().replace("c=IN IP[media_ip_type] [media_ip]", f"c=IN IP4 {PRIVATE}")
CONTACT = f"<sip:sipp@{PRIVATE}:5060>"


@pytest.fixture(autouse=True)
def loopback_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback has to stand for the world outside here; only the hidden address is a private one."""
    for module in ("sip.addressing", "sip.transport.layer"):
        monkeypatch.setattr(f"{module}.is_local", lambda host: host == PRIVATE)


def hidden(step: str) -> str:
    """The step as a phone with a private address writes it."""
    return step.replace(f"Contact: {OURS}", f"Contact: {CONTACT}")


async def test_a_caller_behind_nat(tmp_path: Path) -> None:
    """rport (RFC 3581) and symmetric RTP: our BYE and our sound go where its packets came from."""
    sound = ulaw(tmp_path / "tone.ulaw", 1000, 3.0)
    steps = [
        hidden(invite(HIDDEN)), *ANSWERED, hidden(ack()), does(f'rtp_stream="{sound},1,0"'),
        recv("BYE"), reply(200).replace(f";tag={TAG}", ""),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        talk = await ours.call()
        await talk.answered()
        await talk.hears(1000, 600)
        assert talk.call.media is not None
        assert talk.call.media.remote == ("127.0.0.1", peer.media)  # type: ignore[attr-defined]
        await talk.call.hangup()
        await peer.is_content()


async def test_a_callee_behind_nat(tmp_path: Path) -> None:
    """ACK and BYE to a callee that answers with a private Contact."""
    steps = [
        recv("INVITE"), hidden(reply(180)), hidden(reply(200, HIDDEN, repeats=True)), recv("ACK"), pause(200),
        recv("BYE"), reply(200).replace(f";tag={TAG}", ""),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.hear(0.5)
        await talk.call.hangup()
        await peer.is_content()


async def test_we_are_behind_nat(tmp_path: Path) -> None:
    """`public_address` stands in Contact and SDP for peers outside; SIPp sends its ACK and BYE to its own proxy."""
    straight = ack().replace("[next_url]", "sip:station@[remote_ip]:[remote_port]")
    told = recv(200, has="Contact: <sip:[^>]*203.0.113.9.*c=IN IP4 203.0.113.9")
    steps = [invite(), *ANSWERED[:-1], told, straight, recv("BYE"), reply(200).replace(f";tag={TAG}", "")]
    async with station(public_address="203.0.113.9") as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        talk = await ours.call()
        await talk.answered()
        await talk.hear(0.3)
        await talk.call.hangup()
        await peer.is_content()
