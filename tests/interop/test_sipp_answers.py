"""SIPp is called by our stack: challenges, early media, refusals, lost messages, and a callee that holds."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from sip.auth import Credentials
from sip.events import Answered, EarlyMedia, Held, Ringing

from .peers import requires
from .sipp import (
    TRYING,
    ack,
    bye,
    pause,
    recv,
    reinvite,
    reply,
    sdp,
    sipp,
)
from .station import station
from .tones import tone_ms

pytestmark = requires("sipp")



RUNG = (recv("INVITE"), reply(100), reply(180))


async def test_we_call_and_are_heard_back(tmp_path: Path) -> None:
    steps = [*RUNG, pause(200), reply(200, sdp(), repeats=True), recv("ACK"), recv("BYE"), reply(200)]
    async with station(600) as ours, sipp(tmp_path, steps, "-rtp_echo") as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        assert talk.of(Ringing)
        assert tone_ms(await talk.hear(2.0), 600) > 1500
        await talk.call.hangup()
        await peer.is_content()


async def test_sipp_challenges_us(tmp_path: Path) -> None:
    challenge = 'Proxy-Authenticate: Digest realm="sipp", nonce="47ebe028cda119c35d4877b383027d28da013815", qop="auth"'
    steps = [
        recv("INVITE"), reply(407, headers=[challenge]), recv("ACK"),
        recv("INVITE", has='Proxy-Authorization:.*username="trunk".*qop=auth'), reply(180),
        reply(200, sdp(), repeats=True), recv("ACK"), recv("BYE"), reply(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri, credentials=Credentials("trunk", "geheim"))
        await talk.answered()
        await talk.call.hangup()
        await peer.is_content()


async def test_early_media_is_heard_before_the_answer(tmp_path: Path) -> None:
    early = [recv("INVITE"), reply(183, sdp()), pause(2000), reply(200, sdp(), repeats=True), recv("ACK")]
    async with station(600) as ours, sipp(tmp_path, [*early, recv("BYE"), reply(200)], "-rtp_echo") as peer:
        talk = ours.dial(peer.uri)
        await talk.until(EarlyMedia)
        heard = await talk.hear(1.2)
        assert not talk.of(Answered), "early media was taken for an answer"
        assert tone_ms(heard, 600) > 500
        await talk.answered()
        await talk.call.hangup()
        await peer.is_content()


async def test_early_media_and_then_busy(tmp_path: Path) -> None:
    reason = 'Reason: Q.850;cause=17;text="User busy"'
    steps = [recv("INVITE"), reply(183, sdp()), pause(500), reply(486, headers=[reason]), recv("ACK")]
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        ended = await talk.ended()
        assert (ended.status, ended.q850) == (486, 17)
        assert talk.of(EarlyMedia) and not talk.of(Answered)
        await peer.is_content()


async def test_we_cancel_after_180(tmp_path: Path) -> None:
    steps = [*RUNG, recv("CANCEL"), reply(200), reply(487, invite=True), recv("ACK")]
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await talk.until(Ringing)
        await talk.call.hangup()
        assert (await talk.ended()).by == "local"
        await peer.is_content()


async def test_we_cancel_only_when_something_was_heard(tmp_path: Path) -> None:
    """RFC 3261 9.1: no CANCEL before a provisional response."""
    steps = [
        recv("INVITE"), pause(300), reply(180), recv("CANCEL"), reply(200),
        reply(487, invite=True), recv("ACK"),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await asyncio.sleep(0.1)
        await talk.call.hangup()
        assert (await talk.ended()).by == "local"
        await peer.is_content()


async def test_a_redirection_ends_the_call_with_its_status(tmp_path: Path) -> None:
    steps = [recv("INVITE"), reply(302).replace("Contact: <sip:sipp@", "Contact: <sip:elsewhere@"), recv("ACK")]
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        ended = await talk.ended()
        assert (ended.by, ended.status) == ("remote", 302)
        assert talk.call.response is not None and "elsewhere" in str(talk.call.response.headers.get("Contact"))
        await peer.is_content()


async def test_an_invite_is_repeated_until_somebody_answers(tmp_path: Path) -> None:
    """Timer A (RFC 3261 17.1.1.2): the first two INVITEs are lost on a callee that looks away."""
    looks_away = [recv("INVITE")] * 3
    steps = [*looks_away, reply(200, sdp(), repeats=True), recv("ACK"), recv("BYE"), reply(200)]
    async with station() as ours, sipp(tmp_path, steps, "-nr") as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.call.hangup()
        await peer.is_content()


async def test_a_repeated_200_is_acknowledged_again(tmp_path: Path) -> None:
    ok = reply(200, sdp(), invite=True)
    steps = [recv("INVITE"), ok, recv("ACK"), ok, recv("ACK"), recv("BYE"), reply(200)]
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.hear(0.5)
        await talk.call.hangup()
        await peer.is_content()
        assert len(re.findall(r"^ACK sip:", peer.messages(), re.MULTILINE)) == 2


async def test_the_callee_holds_and_hangs_up(tmp_path: Path) -> None:
    steps = [
        *RUNG, reply(200, sdp(), repeats=True), recv("ACK"), pause(300),
        reinvite(sdp("sendonly", version=2), 1, callee=True), TRYING, recv(200, has="a=recvonly"),
        ack(1, callee=True), pause(300), bye(2, callee=True), recv(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        ended = await talk.ended()
        assert [event.direction for event in talk.of(Held)] == ["recvonly"]
        assert ended.by == "remote"
        await peer.is_content()
