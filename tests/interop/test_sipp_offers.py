"""Offers that real equipment makes: video beside audio, codecs we lack, nothing at all, a move to another port."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip.events import Ended

from .peers import requires
from .sipp import ANSWERED, TRYING, ack, bye, does, invite, pause, recv, refused_ack, reinvite, reply, sdp, sipp
from .station import station
from .test_sipp_calls import ulaw

pytestmark = requires("sipp")
ENDS = [pause(300), bye(3), recv(200)]
VIDEO = "m=video 9000 RTP/AVP 97\na=rtpmap:97 H264/90000\n"
TWO_AUDIO = sdp() + "m=audio 9002 RTP/AVP 8\n"
G729 = sdp(formats="18").replace(" 96\n", "\n").replace("a=rtpmap:96 telephone-event/8000\na=fmtp:96 0-15\n", "")


async def test_video_is_declined_and_audio_taken(tmp_path: Path) -> None:
    """RFC 3264 section 6: an answer has as many m= lines as the offer; port 0 declines."""
    video = [TRYING, recv(180, optional=True), recv(200, has="m=audio [1-9][0-9]*.*m=video 0 ")]
    async with station() as ours:
        async with sipp(tmp_path, [invite(sdp() + VIDEO), *video, ack(), *ENDS], target=ours.port) as peer:
            await peer.is_content()
        assert await ours.is_idle()


async def test_one_of_two_audio_streams_is_taken(tmp_path: Path) -> None:
    both = [TRYING, recv(180, optional=True), recv(200, has="m=audio [1-9][0-9]*.*m=audio 0 ")]
    async with station() as ours, sipp(tmp_path, [invite(TWO_AUDIO), *both, ack(), *ENDS], target=ours.port) as peer:
        await peer.is_content()


@pytest.mark.parametrize("offer", [G729, "v=0\nnonsense\n"], ids=["G.729 alone", "no SDP at all"])
async def test_an_offer_without_use_is_refused(tmp_path: Path, offer: str) -> None:
    steps = [invite(offer), TRYING, recv(488, has="Warning: 399"), refused_ack()]
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        await peer.is_content()
        assert not ours.talks


async def test_a_reinvite_without_an_offer(tmp_path: Path) -> None:
    """Ours comes in the 200, the peer's answer in the ACK: back-to-back agents refresh calls this way."""
    steps = [
        invite(), *ANSWERED, ack(), pause(300), reinvite("", 2), TRYING, recv(200, has="m=audio [1-9]"),
        ack(2, sdp(version=2)), pause(500), bye(3), recv(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        await peer.is_content()
        assert len(ours.talks[0].of(Ended)) == 1


async def test_a_caller_that_changes_the_law(tmp_path: Path) -> None:
    """A re-INVITE takes the call from mu-law to A-law: the sound goes on in the new one."""
    sound = ulaw(tmp_path / "tone.ulaw", 1000, 3.0)
    steps = [
        invite(), *ANSWERED, ack(), reinvite(sdp(formats="8", version=2), 2), TRYING, recv(200, has="RTP/AVP 8"),
        ack(2), does(f'rtp_stream="{sound},-1,0"'), recv("BYE", within_ms=30_000), reply(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        # SIPp goes on sending mu-law under its old payload type; we offered it once, so it is still understood.
        await ours.hears_a_call(1000, 1000)
        await peer.is_content()


async def test_a_reinvite_of_no_use_leaves_the_call_as_it_was(tmp_path: Path) -> None:
    """RFC 3261 14.1: 488 to a re-INVITE ends nothing."""
    sound = ulaw(tmp_path / "tone.ulaw", 1000, 3.0)
    steps = [
        invite(), *ANSWERED, ack(), reinvite(G729.replace("o=sipp 1 1", "o=sipp 1 2"), 2), TRYING, recv(488),
        refused_ack(2).replace("ACK sip:[service]@[remote_ip]:[remote_port]", "ACK [next_url]"),
        does(f'rtp_stream="{sound},-1,0"'), recv("BYE", within_ms=30_000), reply(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        await ours.hears_a_call(1000, 900)
        await peer.is_content()
