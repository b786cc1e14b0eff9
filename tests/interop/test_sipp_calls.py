"""SIPp calls our stack: every turn that RFC 3261 and 3264 allow a caller, and some they do not."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from sip.auth import DigestServer
from sip.call import Call
from sip.events import Answered, Dtmf, Ended, Held, Resumed
from sip.media import MediaSession, MediaStats, MediaWheel, PortPool
from sip.transaction import Timing

from .peers import requires
from .sipp import (
    ANSWERED,
    TRYING,
    ack,
    bye,
    cancel,
    does,
    info,
    invite,
    pause,
    prack,
    recv,
    refused_ack,
    reinvite,
    reply,
    sdp,
    sipp,
    update,
)
from .station import Talk, station
from .tones import tone, tone_ms

pytestmark = requires("sipp")


def ulaw(path: Path, hz: int, seconds: float) -> Path:
    """A tone as the raw bytes that SIPp streams."""
    from sip.codec import PCMU

    path.write_bytes(PCMU.encode(tone(hz, seconds)))
    return path




async def test_fifty_calls_at_ten_a_second_with_sound(tmp_path: Path) -> None:
    sound = ulaw(tmp_path / "tone.ulaw", 1000, 3.0)
    steps = [invite(), *ANSWERED, ack(), does(f'rtp_stream="{sound},1,0"'), pause(2000), bye(), recv(200)]
    async with station() as ours, sipp(tmp_path, steps, "-r", "10", target=ours.port, calls=50) as peer:
        await peer.is_content()
        assert len(ours.talks) == 50
        assert await ours.is_idle()
    assert all(talk.seen[-1].by == "remote" for talk in ours.talks if isinstance(talk.seen[-1], Ended))
    received = sum(media_of(talk).received for talk in ours.talks)
    assert received > 50 * 100 * 0.8, f"{received} packets of 5 000 came"
    least = min(tone_ms(talk.heard, 1000) for talk in ours.talks)
    assert least > 300, f"of one of them only {least} ms were heard"


def media_of(talk: Talk) -> MediaStats:
    assert talk.call.media is not None
    return talk.call.media.stats


async def test_we_challenge_sipp(tmp_path: Path) -> None:
    """SIPp without OpenSSL knows MD5 alone (RFC 8760 asks for SHA-256 first, which other peers take)."""
    digest = DigestServer("station", {"sipp": "geheim"}.get, b"secret", algorithms=("MD5",))
    credentials = ("-au", "sipp", "-ap", "geheim")
    steps = [
        invite(), TRYING, recv(401), refused_ack(),
        invite(cseq=2, headers=["[authentication]"]), *ANSWERED, ack(2), pause(300), bye(3), recv(200),
    ]  # fmt: skip
    async with station(digest=digest) as ours:
        async with sipp(tmp_path, steps, *credentials, target=ours.port) as peer:
            await peer.is_content()
        (talk,) = ours.talks
        assert talk.of(Answered)
        wrong = [*steps[:5], TRYING, recv(401), refused_ack(2)]
        async with sipp(tmp_path, wrong, "-au", "sipp", "-ap", "falsch", target=ours.port, name="wrong") as peer:
            await peer.is_content()
        assert len(ours.talks) == 1, "a caller with a wrong password got through"


async def ring_for_ever(call: Call) -> None:
    call.ring()
    await asyncio.Event().wait()


async def think_for_ever(call: Call) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("rings", [True, False], ids=["after 180", "before 180"])
async def test_sipp_gives_up(tmp_path: Path, rings: bool) -> None:
    first = [TRYING, recv(180)] if rings else [recv(100)]
    steps = [invite(), *first, pause(200), cancel(), recv(200), recv(487), refused_ack()]
    async with station(takes=ring_for_ever if rings else think_for_ever) as ours:
        async with sipp(tmp_path, steps, target=ours.port) as peer:
            await peer.is_content()
        ended = await ours.talks[0].ended()
        assert (ended.by, ended.status) == ("remote", 487)


async def test_sipp_holds_and_resumes(tmp_path: Path) -> None:
    """RFC 3264 section 6.1: sendonly is answered recvonly, inactive inactive; never sendrecv from memory."""
    steps = [
        invite(), *ANSWERED, ack(), pause(300),
        reinvite(sdp("sendonly", version=2), 2), TRYING, recv(200, has="a=recvonly"), ack(2), pause(500),
        reinvite(sdp("inactive", version=3), 3), TRYING, recv(200, has="a=inactive"), ack(3), pause(300),
        reinvite(sdp(version=4), 4), TRYING, recv(200, lacks="a=(recvonly|sendonly|inactive)"), ack(4),
        pause(300), bye(5), recv(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        await peer.is_content()
        (talk,) = ours.talks
        assert [event.direction for event in talk.of(Held)] == ["recvonly", "inactive"]
        assert len(talk.of(Resumed)) == 1


async def test_the_address_of_rfc_2543_holds(tmp_path: Path) -> None:
    """Old equipment holds with c=IN IP4 0.0.0.0 (RFC 3264 section 8.4)."""
    old = sdp(version=2).replace("c=IN IP[media_ip_type] [media_ip]", "c=IN IP4 0.0.0.0")
    steps = [invite(), *ANSWERED, ack(), pause(300), reinvite(old, 2), TRYING, recv(200), ack(2)]
    async with station() as ours:
        async with sipp(tmp_path, [*steps, pause(800), bye(3), recv(200)], target=ours.port) as peer:
            await peer.is_content()
        assert await ours.is_idle()


async def test_a_late_offer(tmp_path: Path) -> None:
    sound = ulaw(tmp_path / "tone.ulaw", 1000, 3.0)
    steps = [
        invite(""), TRYING, recv(180, optional=True), recv(200, has="m=audio [1-9]"), ack(1, sdp()),
        does(f'rtp_stream="{sound},-1,0"'), recv("BYE", within_ms=30_000), reply(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        await ours.hears_a_call(1000, 800)
        await peer.is_content()


async def test_keys_by_info(tmp_path: Path) -> None:
    keys = [step for at, key in enumerate("1*#", 2) for step in (info(key, at), recv(200))]
    async with station() as ours:
        async with sipp(tmp_path, [invite(), *ANSWERED, ack(), *keys, bye(5), recv(200)], target=ours.port) as peer:
            await peer.is_content()
        assert "".join(event.digit for event in ours.talks[0].of(Dtmf)) == "1*#"


@pytest.mark.skipif(os.geteuid() != 0, reason="SIPp plays telephone events through a raw socket: root only")
async def test_keys_by_rfc_4733(tmp_path: Path) -> None:
    keys = does('play_dtmf="159#"')
    async with station() as ours:
        steps = [invite(), *ANSWERED, ack(), pause(200), keys, pause(2500), bye(), recv(200)]
        async with sipp(tmp_path, steps, target=ours.port) as peer:
            await peer.is_content()
        assert "".join(event.digit for event in ours.talks[0].of(Dtmf)) == "159#"


async def test_bye_twice(tmp_path: Path) -> None:
    """The second one, with a CSeq of its own, finds the call gone; its repetition must not hurt either."""
    steps = [invite(), *ANSWERED, ack(), pause(300), bye(2), recv(200), bye(3), recv(481)]
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        await peer.is_content()
        assert len(ours.talks[0].of(Ended)) == 1


async def test_an_ack_that_never_comes(tmp_path: Path) -> None:
    """We repeat our 200 (RFC 3261 13.3.1.4) and give the call up with a BYE after 64 T1; T1 is 50 ms here."""
    steps = [invite(), *ANSWERED, recv("BYE", within_ms=20_000), reply(200)]
    async with station(timing=Timing(t1=0.05)) as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        ended = await (await ours.call()).ended(20)
        await peer.is_content()
        assert ended.by == "error"
        assert peer.messages().count("SIP/2.0 200 OK") > 5


async def test_a_repeated_invite_is_one_call(tmp_path: Path) -> None:
    """The very same INVITE again, when it is answered already, is no second call."""
    again = invite().replace("[branch]", "z9hG4bK-same-[call_number]").replace(' retrans="500"', "")
    steps = [again, *ANSWERED, again, again, pause(300), ack(), pause(300), bye(), recv(200)]
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        await peer.is_content()
        assert len(ours.talks) == 1




async def test_a_caller_that_falls_silent(tmp_path: Path) -> None:
    """Its machine is gone and no BYE will ever come: without sound the call ends by itself."""
    sound = ulaw(tmp_path / "tone.ulaw", 1000, 1.0)
    steps = [
        invite(), *ANSWERED, ack(), does(f'rtp_stream="{sound},1,0"'), pause(1500),
        recv("BYE", within_ms=8000), reply(200),
    ]  # fmt: skip
    wheel, ports = MediaWheel(), PortPool(39800, 39898)
    async with (
        station(media_factory=lambda: MediaSession(wheel, "127.0.0.1", ports, timeout_s=2.0), wheel=wheel) as ours,
        sipp(tmp_path, steps, target=ours.port) as peer,
    ):
        ended = await (await ours.call()).ended(10)
        assert ended.by == "error" and "media" in ended.reason
        await peer.is_content()


async def test_a_caller_that_requires_reliable_ringing(tmp_path: Path) -> None:
    """RFC 3262 from the other side: our 180 is numbered, repeated until its PRACK, and the answer waits for that."""
    steps = [
        invite(headers=["Require: 100rel"]), TRYING, recv(180, keep="RSeq", has="Require:.*100rel"), pause(700),
        prack(2), recv(200, has="CSeq: 2 PRACK"), recv(200, has="CSeq: 1 INVITE"), ack(), pause(200), bye(3), recv(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        await peer.is_content()
        assert peer.messages().count("SIP/2.0 180 Ringing") > 1


async def test_update_holds_as_a_reinvite_does(tmp_path: Path) -> None:
    """RFC 3311: with an offer it changes the session, without one it only shows that the caller lives."""
    steps = [
        invite(), *ANSWERED, ack(), update("", 2), recv(200, lacks="m=audio"),
        update(sdp("sendonly", version=2), 3), recv(200, has="a=recvonly"),
        update(sdp(version=3), 4), recv(200, lacks="a=(recvonly|inactive)"), bye(5), recv(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps, target=ours.port) as peer:
        await peer.is_content()
        assert [len(ours.talks[0].of(kind)) for kind in (Held, Resumed)] == [1, 1]
