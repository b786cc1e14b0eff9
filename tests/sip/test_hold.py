"""Hold and resume from our side, and what meets them on the way: refusals, glare, the peer's own changes."""

from __future__ import annotations

import asyncio
import random

import looptime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip import Call, CallState, CallStateError, Credentials, Ended, Held, RefusedError, Resumed
from sip.message import Request
from sip.sdp import parse_sdp
from sip.testing import SimNetwork
from tests.sip.laboratory import Laboratory, SilentMedia, ended
from tests.sip.standing import Standing, pair, standing

pytestmark = pytest.mark.looptime


def said(message: Request) -> tuple[str | None, int]:
    """Direction and version of the description in a message."""
    description = parse_sdp(message.body)
    return description.media[0].direction, int(description.origin.version)


def directions(media: SilentMedia) -> list[str]:
    return [start[-1] for start in media.starts]


async def answers(there: Standing, direction: str) -> Request:
    """The peer takes our next re-INVITE."""
    invite = await there.peer.request("INVITE")
    there.peer.reply(invite, 200, sdp=direction)
    await there.peer.request("ACK")
    return invite


async def test_hold_and_resume_by_reinvite(lab: Laboratory) -> None:
    there = await standing(lab)
    first = said(there.invite)[1]
    holding = asyncio.ensure_future(there.call.hold())
    invite = await answers(there, "recvonly")
    await holding
    assert said(invite) == ("sendonly", first + 1) and invite.to.tag == "peer"
    assert invite.cseq.number == there.invite.cseq.number + 1 and there.call.is_on_hold
    resuming = asyncio.ensure_future(there.call.resume())
    assert said(await answers(there, "sendrecv")) == ("sendrecv", first + 2)
    await resuming
    assert directions(lab.medias[0]) == ["sendrecv", "sendonly", "sendrecv"]
    await there.bye()
    events = [event async for event in there.call.events()]
    assert not any(isinstance(event, Held | Resumed) for event in events)  # nobody held us


async def test_hold_twice_asks_once(lab: Laboratory) -> None:
    there = await standing(lab)
    both = asyncio.gather(there.call.hold(), there.call.hold())
    await answers(there, "recvonly")
    await both
    with pytest.raises(TimeoutError):
        await there.peer.request("INVITE", within_s=3)


async def test_a_refused_hold_leaves_the_call_as_it_was(lab: Laboratory) -> None:
    there = await standing(lab)
    holding = asyncio.ensure_future(there.call.hold())
    there.peer.reply(await there.peer.request("INVITE"), 488)
    await there.peer.request("ACK")
    with pytest.raises(RefusedError) as refused:
        await holding
    assert refused.value.status == 488 and there.call.state is CallState.CONFIRMED
    assert directions(lab.medias[0]) == ["sendrecv"] and not there.call.is_on_hold
    there.within("INVITE", body=there.peer.sdp())
    assert b"a=sendrecv" in (await there.peer.response(200)).body
    there.within("ACK")


async def test_glare_is_waited_out_and_tried_again(lab: Laboratory) -> None:
    agent = await lab.agent(chance=random.Random(5))
    there = await standing(lab, agent=agent)
    holding = asyncio.ensure_future(there.call.hold())
    there.peer.reply(await there.peer.request("INVITE"), 491)
    refused_at = asyncio.get_running_loop().time()
    await there.peer.request("ACK")
    invite = await answers(there, "recvonly")
    await holding
    # We made the Call-ID, so we wait 2.1 to 4 s (RFC 3261 14.1).
    assert 2.1 <= asyncio.get_running_loop().time() - refused_at <= 4.1 and said(invite)[0] == "sendonly"


async def test_the_peers_reinvite_meets_ours(lab: Laboratory) -> None:
    there = await standing(lab)
    holding = asyncio.ensure_future(there.call.hold())
    invite = await there.peer.request("INVITE")
    there.within("INVITE", body=there.peer.sdp("sendonly"))
    await there.peer.response(491)
    there.peer.reply(invite, 200, sdp="recvonly")
    await holding
    assert directions(lab.medias[0])[-1] == "sendonly"


async def test_hold_waits_for_the_ack_of_the_peers_change(lab: Laboratory) -> None:
    there = await standing(lab)
    there.within("INVITE", body=there.peer.sdp())
    await there.peer.response(200)
    holding = asyncio.ensure_future(there.call.hold())
    with pytest.raises(TimeoutError):
        await there.peer.request("INVITE", within_s=3)
    there.within("ACK")
    await answers(there, "recvonly")
    await holding


async def test_held_by_both_and_released_one_after_the_other(lab: Laboratory) -> None:
    there = await standing(lab)
    there.within("INVITE", body=there.peer.sdp("sendonly"))
    assert b"a=recvonly" in (await there.peer.response(200)).body
    there.within("ACK")
    holding = asyncio.ensure_future(there.call.hold())
    await answers(there, "inactive")
    await holding
    resuming = asyncio.ensure_future(there.call.resume())
    await answers(there, "sendonly")
    await resuming
    there.within("INVITE", body=there.peer.sdp("sendrecv"))
    await there.peer.response(200)
    there.within("ACK")
    assert directions(lab.medias[0]) == ["sendrecv", "recvonly", "inactive", "recvonly", "sendrecv"]
    await there.bye()
    events = [event async for event in there.call.events()]
    assert [event for event in events if isinstance(event, Held | Resumed)] == [
        Held("recvonly"), Held("inactive"), Held("recvonly"), Resumed(),
    ]  # fmt: skip


async def test_a_peer_that_changes_its_port_while_we_hold_hears_sendonly(lab: Laboratory) -> None:
    there = await standing(lab)
    holding = asyncio.ensure_future(there.call.hold())
    await answers(there, "recvonly")
    await holding
    moved = there.peer.sdp("recvonly").replace(b" 40000 ", b" 40002 ")
    there.within("INVITE", body=moved)
    assert b"a=sendonly" in (await there.peer.response(200)).body
    assert lab.medias[0].starts[-1][0] == ("192.0.2.99", 40002) and lab.medias[0].starts[-1][-1] == "sendonly"
    there.within("ACK")


async def test_the_peers_codec_change_is_followed(lab: Laboratory) -> None:
    there = await standing(lab)
    there.within("INVITE", body=there.peer.sdp().replace(b"RTP/AVP 8 0 101", b"RTP/AVP 0 101"))
    assert b"m=audio 30000 RTP/AVP 0 101" in (await there.peer.response(200)).body
    assert lab.medias[0].starts[-1][1] == "PCMU"
    there.within("ACK")


async def test_every_copy_of_the_answer_to_a_reinvite_is_acknowledged(lab: Laboratory) -> None:
    there = await standing(lab)
    holding = asyncio.ensure_future(there.call.hold())
    invite = await there.peer.request("INVITE")
    for _ in range(3):
        there.peer.reply(invite, 200, sdp="recvonly")
        assert (await there.peer.request("ACK", within_s=1)).cseq.number == invite.cseq.number
    await holding


async def test_a_challenge_to_our_reinvite_is_answered(lab: Laboratory) -> None:
    there = await standing(lab, credentials=Credentials("bot", "secret"))
    holding = asyncio.ensure_future(there.call.hold())
    first = await there.peer.request("INVITE")
    there.peer.reply(first, 407, headers=[("Proxy-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')])
    await there.peer.request("ACK")
    second = await there.peer.request("INVITE")
    assert second.cseq.number == first.cseq.number + 1 and second.body == first.body
    assert "Proxy-Authorization" in second.headers
    there.peer.reply(second, 200, sdp="recvonly")
    ack = await there.peer.request("ACK")
    assert ack.cseq.number == second.cseq.number and "Proxy-Authorization" in ack.headers
    await holding


async def test_a_busy_peer_is_asked_again_when_it_says(lab: Laboratory) -> None:
    there = await standing(lab)
    holding = asyncio.ensure_future(there.call.hold())
    there.peer.reply(await there.peer.request("INVITE"), 500, headers=[("Retry-After", "3")])
    before = asyncio.get_running_loop().time()
    await answers(there, "recvonly")
    assert asyncio.get_running_loop().time() - before >= 3
    await holding
    resuming = asyncio.ensure_future(there.call.resume())
    there.peer.reply(await there.peer.request("INVITE"), 500, headers=[("Retry-After", "60")])
    with pytest.raises(RefusedError):
        await resuming
    assert there.call.is_on_hold


@pytest.mark.parametrize("status", [408, 481])
async def test_a_peer_that_no_longer_knows_the_call_ends_it(lab: Laboratory, status: int) -> None:
    there = await standing(lab)
    holding = asyncio.ensure_future(there.call.hold())
    there.peer.reply(await there.peer.request("INVITE"), status)
    await there.peer.request("BYE")
    with pytest.raises(RefusedError):
        await holding
    assert (await ended(there.call)).by == "error"


async def test_a_hang_up_in_the_middle_of_a_hold(lab: Laboratory) -> None:
    there = await standing(lab)
    holding = asyncio.ensure_future(there.call.hold())
    invite = await there.peer.request("INVITE")
    await there.bye()
    with pytest.raises(CallStateError):
        await holding
    there.peer.reply(invite, 200, sdp="recvonly")
    await there.peer.request("ACK")
    assert directions(lab.medias[0]) == ["sendrecv"] and there.agent._running.faults == 0


async def test_a_hang_up_while_glare_is_waited_out(lab: Laboratory) -> None:
    there = await standing(lab)
    holding = asyncio.ensure_future(there.call.hold())
    there.peer.reply(await there.peer.request("INVITE"), 491)
    await asyncio.sleep(1)
    await there.bye()
    before = asyncio.get_running_loop().time()
    with pytest.raises(CallStateError):
        await holding
    assert asyncio.get_running_loop().time() - before < 0.1


async def test_whoever_waits_for_a_hold_may_leave_without_harm(lab: Laboratory) -> None:
    there = await standing(lab)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await there.call.hold()
    await answers(there, "recvonly")
    await asyncio.sleep(0.1)
    assert there.call.is_on_hold and directions(lab.medias[0])[-1] == "sendonly"
    resuming = asyncio.ensure_future(there.call.resume())
    await answers(there, "sendrecv")
    await resuming


async def test_a_peer_that_says_trying_and_then_nothing_more_ends_the_call(lab: Laboratory) -> None:
    there = await standing(lab)
    holding = asyncio.ensure_future(there.call.hold())
    there.peer.reply(await there.peer.request("INVITE"), 100)
    await there.peer.request("BYE", within_s=70)
    with pytest.raises(RefusedError):
        await holding


async def test_no_call_no_hold(lab: Laboratory) -> None:
    agent, peer = await lab.agent(), lab.peer()
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1")
    await peer.request("INVITE")
    with pytest.raises(CallStateError):
        await call.hold()


async def test_silence_on_the_media_hangs_up(lab: Laboratory) -> None:
    there = await standing(lab)
    assert lab.medias[0].on_silent is not None
    lab.medias[0].on_silent()
    bye = await there.peer.request("BYE")
    assert "no media" in (bye.headers.get("Reason") or "")
    there.peer.reply(bye, 200)
    assert await ended(there.call) == Ended("error", None, "no media came from the peer")


async def test_a_call_that_only_rings_may_be_silent(lab: Laboratory) -> None:
    agent, peer = await lab.agent(), lab.peer()
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1")
    invite = await peer.request("INVITE")
    peer.reply(invite, 183, sdp="sendrecv")
    await asyncio.sleep(0.1)
    assert lab.medias[0].on_silent is not None
    lab.medias[0].on_silent()
    await asyncio.sleep(1)
    assert call.state is CallState.EARLY


@pytest.mark.parametrize("seed", range(10))
async def test_both_hold_at_once_through_a_bad_network(seed: int) -> None:
    """Glare on real retransmissions: in the end both have their way and agree on what that is."""
    lab = Laboratory(SimNetwork(loss=0.15, delay_s=0.03, jitter_s=0.2, seed=seed))
    ours, theirs = await pair(lab, chance=random.Random(seed))

    async def toggle(call: Call) -> None:
        for _ in range(2):
            await call.hold()
            await call.resume()
        await call.hold()

    async with asyncio.timeout(400):
        await asyncio.gather(toggle(ours), toggle(theirs))
    await asyncio.sleep(60)
    assert ours.state is theirs.state is CallState.CONFIRMED
    assert directions(lab.medias[0])[-1] == directions(lab.medias[1])[-1] == "inactive"
    async with asyncio.timeout(400):
        await asyncio.gather(ours.resume(), theirs.resume())
    await asyncio.sleep(60)
    assert directions(lab.medias[0])[-1] == directions(lab.medias[1])[-1] == "sendrecv"
    await ours.hangup()
    await asyncio.sleep(120)
    for agent in lab.agents:
        assert agent.calls == () and agent._running.faults == 0
        await agent.close()


async def held(lab: Laboratory, *fields: tuple[str, str]) -> Standing:
    """A call that the peer holds; it sends `fields` with it."""
    there = await standing(lab)
    there.within("INVITE", body=there.peer.sdp("sendonly"), headers=fields)
    await there.peer.response(200)
    there.within("ACK")
    return there


@pytest.mark.parametrize("status", [200, 404, 405, 500])
async def test_a_held_peer_is_asked_whether_it_lives_and_any_answer_will_do(lab: Laboratory, status: int) -> None:
    there = await held(lab)
    for _ in range(3):
        options = await there.peer.request("OPTIONS", within_s=61)
        assert options.to.tag == "peer"
        there.peer.reply(options, status)
    await asyncio.sleep(1)
    assert there.call.state is CallState.CONFIRMED


@pytest.mark.parametrize("status", [481, None])
async def test_a_held_peer_that_is_gone_is_hung_up(lab: Laboratory, status: int | None) -> None:
    there = await held(lab)
    options = await there.peer.request("OPTIONS", within_s=61)
    asked_at = asyncio.get_running_loop().time()
    if status is not None:
        there.peer.reply(options, status)
    assert (await ended(there.call)).by == "error"
    assert asyncio.get_running_loop().time() - asked_at <= (33 if status is None else 1)


async def test_nobody_is_asked_while_sound_or_a_session_timer_tells(lab: Laboratory) -> None:
    there = await standing(lab)
    with pytest.raises(TimeoutError):
        await there.peer.request("OPTIONS", within_s=600)
    timed = await held(Laboratory(), ("Supported", "timer"), ("Session-Expires", "1800;refresher=uac"))
    with pytest.raises(TimeoutError):
        await timed.peer.request("OPTIONS", within_s=600)
    await timed.bye()
    await timed.agent.close()


Wish = tuple[bool, bool, float]  # whose, hold or resume, seconds until the next


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from([0.0, 0.02, 0.3, 3.0])), max_size=6),
    st.sampled_from([0.0, 0.1]),
    st.integers(0, 2**32),
)
def test_any_order_of_wishes_ends_in_one_view_of_the_session(wishes: list[Wish], loss: float, seed: int) -> None:
    with asyncio.Runner(loop_factory=lambda: looptime.patch_event_loop(asyncio.new_event_loop())) as runner:
        runner.run(_play(wishes, loss, seed))


async def _play(wishes: list[Wish], loss: float, seed: int) -> None:
    lab = Laboratory(SimNetwork(loss=loss, delay_s=0.03, jitter_s=0.1, seed=seed))
    ends = await pair(lab, chance=random.Random(seed))
    tasks = []
    for ours, holds, pause_s in wishes:
        call = ends[0] if ours else ends[1]
        tasks.append(asyncio.ensure_future(call.hold() if holds else call.resume()))
        await asyncio.sleep(pause_s)
    async with asyncio.timeout(300):
        await asyncio.gather(*tasks)
    await asyncio.sleep(40)
    last = [next((holds for ours, holds, _ in reversed(wishes) if ours is mine), False) for mine in (True, False)]
    assert [call.is_on_hold for call in ends] == last
    expected = {
        (False, False): ("sendrecv", "sendrecv"),
        (True, False): ("sendonly", "recvonly"),
        (False, True): ("recvonly", "sendonly"),
        (True, True): ("inactive", "inactive"),
    }[last[0], last[1]]
    assert (directions(lab.medias[0])[-1], directions(lab.medias[1])[-1]) == expected
    for agent in lab.agents:
        assert agent._running.faults == 0
        await agent.close()
