"""A leg whose SIP call is replaced by another one goes on as the same leg, and talks to the new party."""

from __future__ import annotations

import asyncio

import pytest

from sip.testing import SimNetwork
from tests.sip.laboratory import Laboratory
from tests.sip.standing import standing
from voicebot.telephony.leg import Answered, Ended, Held, LegEvent, Resumed
from voicebot.telephony.sip_leg import SipLeg

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("held", [True, False])
async def test_a_leg_outlives_an_attended_transfer(held: bool) -> None:
    lab = Laboratory(SimNetwork())
    there = await standing(lab)
    leg, seen = SipLeg(there.call), list[LegEvent]()

    async def follow() -> None:
        async for event in leg.events():
            seen.append(event)

    following = asyncio.ensure_future(follow())
    if held:
        there.within("INVITE", body=there.peer.sdp("sendonly"))
        await there.peer.response(200)
        there.within("ACK")
    newcomer = lab.peer("192.0.2.60")
    names = [("Replaces", f"{there.call.id};to-tag={there.call.local_tag};from-tag=peer")]
    invite = newcomer.compose("INVITE", "sip:x@192.0.2.1", call_id="new", body=newcomer.sdp(), headers=names)
    newcomer.send(invite, there.agent.address)
    tag = (await newcomer.response(200)).to.tag
    newcomer.send(newcomer.compose("ACK", "sip:x@192.0.2.1", call_id="new", to_tag=tag), there.agent.address)
    there.peer.reply(await there.peer.request("BYE"), 200)
    await asyncio.sleep(1)
    assert leg.id == "new" and leg.remote == "sip:peer@192.0.2.60:5060"
    newcomer.send(newcomer.compose("BYE", "sip:x@192.0.2.1", call_id="new", to_tag=tag, cseq=2), there.agent.address)
    await following
    assert seen[:-1] == [Answered(), *([Held(), Resumed()] if held else [])]
    assert isinstance(seen[-1], Ended) and seen[-1].by == "remote"
    await there.agent.close()


@pytest.mark.parametrize(("why", "cause"), [(None, 16), ("the browser is gone", 41)])
async def test_the_other_side_is_told_whether_somebody_hung_up(why: str | None, cause: int) -> None:
    lab = Laboratory(SimNetwork())
    there = await standing(lab)
    leaving = asyncio.ensure_future(SipLeg(there.call).hang_up(why))
    bye = await there.peer.request("BYE")
    there.peer.reply(bye, 200)
    await leaving
    assert (bye.headers.get("Reason") or "").startswith(f"Q.850;cause={cause}")
    assert Ended("remote", None, "", cause).lost is (why is not None)
    await there.agent.close()
