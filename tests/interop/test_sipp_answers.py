"""SIPp is called by our stack: challenges, early media, refusals, lost messages, and a callee that holds."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from sip.auth import Credentials
from sip.events import Answered, EarlyMedia, Ended, Held, Ringing

from .peers import requires
from .sipp import (
    TAG,
    TRYING,
    ack,
    bye,
    notify,
    pause,
    recv,
    reinvite,
    reply,
    sdp,
    sipp,
)
from .station import station

pytestmark = requires("sipp")



RUNG = (recv("INVITE"), reply(100), reply(180))


async def test_we_call_and_are_heard_back(tmp_path: Path) -> None:
    steps = [*RUNG, pause(200), reply(200, sdp(), repeats=True), recv("ACK"), recv("BYE"), reply(200)]
    async with station(600) as ours, sipp(tmp_path, steps, "-rtp_echo") as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        assert talk.of(Ringing)
        await talk.hears(600, 900)
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
    early = [recv("INVITE"), reply(183, sdp()), pause(5000), reply(200, sdp(), repeats=True), recv("ACK")]
    async with station(600) as ours, sipp(tmp_path, [*early, recv("BYE"), reply(200)], "-rtp_echo") as peer:
        talk = ours.dial(peer.uri)
        await talk.until(EarlyMedia)
        await talk.hears(600, 500)
        assert not talk.of(Answered), "early media was taken for an answer"
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


def moved(contact: str) -> str:
    return re.sub("Contact: .*", f"Contact: <{contact}>", reply(302))


async def test_a_redirection_within_the_trunk_is_followed(tmp_path: Path) -> None:
    there = [*RUNG, reply(200, sdp(), repeats=True), recv("ACK"), recv("BYE"), reply(200)]
    async with station() as ours, sipp(tmp_path, there, name="there") as new:
        async with sipp(tmp_path, [recv("INVITE"), moved(new.uri), recv("ACK")], name="here") as old:
            talk = ours.dial(old.uri)
            await talk.answered()
            await talk.call.hangup()
            await old.is_content()
        await new.is_content()


async def test_a_redirection_out_of_the_trunk_ends_the_call(tmp_path: Path) -> None:
    """Who may send our calls anywhere could have us ring the moon (RFC 3261 26.1: the caller's own policy)."""
    async with station() as ours, sipp(tmp_path, [recv("INVITE"), moved("sip:x@192.0.2.1"), recv("ACK")]) as peer:
        talk = ours.dial(peer.uri)
        ended = await talk.ended()
        assert (ended.by, ended.status) == ("remote", 302)
        assert talk.call.response is not None and "192.0.2.1" in str(talk.call.response.headers.get("Contact"))
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


async def test_we_hold_and_resume(tmp_path: Path) -> None:
    steps = [
        *RUNG, reply(200, sdp(), repeats=True), recv("ACK"),
        recv("INVITE", has="a=sendonly"), reply(200, sdp("recvonly", version=2), repeats=True), recv("ACK"),
        recv("INVITE", lacks="a=(sendonly|inactive)"), reply(200, sdp(version=3), repeats=True), recv("ACK"),
        recv("BYE"), reply(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.call.hold()
        assert talk.call.is_on_hold
        await talk.call.resume()
        await talk.call.hangup()
        await peer.is_content()


async def test_two_offers_that_meet(tmp_path: Path) -> None:
    """491 to our re-INVITE (RFC 3261 14.1): we wait 2.1 to 4 s as the caller and ask again."""
    steps = [
        *RUNG, reply(200, sdp(), repeats=True), recv("ACK"), recv("INVITE"), reply(491), recv("ACK"),
        recv("INVITE", has="a=sendonly"), reply(200, sdp("recvonly", version=2), repeats=True), recv("ACK"),
        recv("BYE"), reply(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.call.hold()
        await talk.call.hangup()
        await peer.is_content()


async def test_a_reliable_183(tmp_path: Path) -> None:
    """100rel (RFC 3262): the callee gets its PRACK before it answers."""
    reliable = reply(183, sdp(), headers=["Require: 100rel", "RSeq: 7"])
    steps = [
        recv("INVITE", has="Supported:.*100rel"), reliable, recv("PRACK", has="RAck: 7 1 INVITE"), reply(200),
        pause(300), reply(200, invite=True, repeats=True), recv("ACK"), recv("BYE"), reply(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await talk.until(EarlyMedia)
        await talk.answered()
        await talk.call.hangup()
        await peer.is_content()


async def test_a_session_interval_that_is_too_small_is_raised(tmp_path: Path) -> None:
    """422 with Min-SE (RFC 4028 section 7.3)."""
    steps = [
        recv("INVITE", has="Session-Expires: 1800"), reply(422, headers=["Min-SE: 3600"]), recv("ACK"),
        recv("INVITE", has="Session-Expires: 3600"), reply(180),
        reply(200, sdp(), headers=["Session-Expires: 3600;refresher=uas", "Require: timer"], repeats=True), recv("ACK"),
        recv("BYE"), reply(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.call.hangup()
        await peer.is_content()


@pytest.mark.parametrize("final", [200, 503], ids=["taken", "refused"])
async def test_we_send_a_callee_elsewhere(tmp_path: Path, final: int) -> None:
    """REFER (RFC 3515): the reports come as NOTIFY with a SIP fragment; a call that could not be moved goes on."""
    told = f"SIP/2.0 {final} Told"
    steps = [
        *RUNG, reply(200, sdp(), repeats=True), recv("ACK"),
        recv("REFER", has="Refer-To: <sip:agent@192.0.2.7>"), reply(202),
        notify("SIP/2.0 100 Trying", 1, "active;expires=60"), recv(200),
        notify(told, 2, "terminated;reason=noresource"), recv(200), recv("BYE"), reply(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        result = await talk.call.refer("sip:agent@192.0.2.7")
        assert result.status == final
        assert bool(talk.of(Ended)) == (final == 200)
        await talk.call.hangup()
        await peer.is_content()


async def test_two_phones_of_one_fork_answer(tmp_path: Path) -> None:
    """RFC 3261 13.2.2.4: each 200 is acknowledged, the first is kept, the other dialog gets its BYE."""
    first = reply(200, sdp(), invite=True)
    second = first.replace("sipp[call_number]", "other[call_number]")
    steps = [
        recv("INVITE"), first, recv("ACK", has="To:.*tag=[0-9]+sipp"), second, recv("ACK", has="To:.*tag=[0-9]+other"),
        recv("BYE", has="To:.*tag=[0-9]+other"), reply(200).replace(f";tag={TAG}", ""), pause(500),
        recv("BYE", has="To:.*tag=[0-9]+sipp"), reply(200).replace(f";tag={TAG}", ""),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.hear(1.0)
        assert not talk.of(Ended)
        await talk.call.hangup()
        await peer.is_content()


async def test_our_keys_by_info(tmp_path: Path) -> None:
    steps = [
        *RUNG, reply(200, sdp(), repeats=True), recv("ACK"), recv("INFO", has="Signal= ?4"), reply(200),
        recv("INFO", has="Signal= ?#"), reply(200), recv("BYE"), reply(200),
    ]  # fmt: skip
    async with station() as ours, sipp(tmp_path, steps) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        talk.call.send_dtmf("4#", how="info")
        await talk.hear(1.5)
        await talk.call.hangup()
        await peer.is_content()
