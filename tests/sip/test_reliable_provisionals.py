"""100rel and PRACK (RFC 3262) on both sides, and UPDATE before the answer (RFC 3311)."""

from __future__ import annotations

import asyncio

import pytest

from sip import Answered, Call, CallState, CallStateError, EarlyMedia, Ended, Held, Ringing
from sip.message import Request, Response
from sip.testing import ScriptedPeer
from tests.sip.laboratory import Laboratory, OnIncoming, ended
from tests.sip.standing import Standing

pytestmark = pytest.mark.looptime
BOT = "sip:bot@192.0.2.1"
REQUIRED = [("Require", "100rel")]


# The callee wants PRACK -------------------------------------------------------------------------------


async def ringing(lab: Laboratory) -> tuple[ScriptedPeer, Call, Request]:
    agent, peer = await lab.agent(), lab.peer()
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1")
    return peer, call, await peer.request("INVITE")


def reliably(peer: ScriptedPeer, invite: Request, status: int, rseq: int, sdp: str | None = None) -> None:
    peer.reply(invite, status, sdp=sdp, headers=[*REQUIRED, ("RSeq", str(rseq))])


async def test_reliable_ringing_is_acknowledged_once_and_the_answer_follows(lab: Laboratory) -> None:
    peer, call, invite = await ringing(lab)
    assert "100rel" in (invite.headers.get("Supported") or "")
    reliably(peer, invite, 180, 7000)
    prack = await peer.request("PRACK")
    assert prack.headers.get("RAck") == f"7000 {invite.cseq.number} INVITE" and prack.to.tag == "peer"
    assert prack.cseq.number == invite.cseq.number + 1
    peer.reply(prack, 200)
    reliably(peer, invite, 183, 7001, "sendrecv")
    second = await peer.request("PRACK")
    assert second.headers.get("RAck") == f"7001 {invite.cseq.number} INVITE"
    assert second.cseq.number == prack.cseq.number + 1
    peer.reply(second, 200)
    assert call.state is CallState.EARLY
    peer.reply(invite, 200)  # the answer has come already
    ack = await peer.request("ACK")
    assert ack.cseq.number == invite.cseq.number and call.state is CallState.CONFIRMED
    leaving = asyncio.ensure_future(call.hangup())
    bye = await peer.request("BYE")
    assert bye.cseq.number == second.cseq.number + 1
    peer.reply(bye, 200)
    await leaving
    assert [event async for event in call.events()][:4] == [Ringing(180), Ringing(183), EarlyMedia(), Answered()]


async def test_copies_and_gaps_get_no_prack(lab: Laboratory) -> None:
    peer, call, invite = await ringing(lab)
    reliably(peer, invite, 180, 10)
    peer.reply(await peer.request("PRACK"), 200)
    reliably(peer, invite, 180, 10)
    reliably(peer, invite, 183, 12, "sendrecv")
    with pytest.raises(TimeoutError):
        await peer.request("PRACK", within_s=2)
    assert call.state is CallState.RINGING
    peer.reply(invite, 486)
    assert (await ended(call)).status == 486


async def test_two_forks_count_for_themselves(lab: Laboratory) -> None:
    peer, call, invite = await ringing(lab)
    for tag, rseq in (("one", 5), ("two", 900)):
        peer.reply(invite, 180, tag=tag, headers=[*REQUIRED, ("RSeq", str(rseq))])
        prack = await peer.request("PRACK")
        assert (prack.to.tag, prack.headers.get("RAck")) == (tag, f"{rseq} {invite.cseq.number} INVITE")
        peer.reply(prack, 200)
    peer.reply(invite, 200, sdp="sendrecv", tag="one")
    assert (await peer.request("ACK")).to.tag == "one" and call.dialog is not None
    assert call.dialog.remote.tag == "one"


async def test_update_with_an_offer_once_the_early_answer_stands(lab: Laboratory) -> None:
    """A network moves the early media elsewhere: announcement first, ringback from another box then."""
    peer, call, invite = await ringing(lab)
    there = Standing(lab.agents[0], peer, call, invite)
    reliably(peer, invite, 183, 1, "sendrecv")
    peer.reply(await peer.request("PRACK"), 200)
    there.within("UPDATE", body=peer.sdp("sendonly").replace(b" 40000 ", b" 40010 "))
    assert b"a=recvonly" in (await peer.response(200)).body
    assert lab.medias[0].starts[-1][0] == ("192.0.2.99", 40010)
    there.within("UPDATE", body=peer.sdp("sendrecv"))
    await peer.response(200)
    peer.reply(invite, 200)
    await peer.request("ACK")
    assert call.state is CallState.CONFIRMED
    await there.bye()
    assert not any(isinstance(event, Held) for event in [event async for event in call.events()])


async def test_update_while_our_offer_is_open_is_glare(lab: Laboratory) -> None:
    peer, call, invite = await ringing(lab)
    peer.reply(invite, 180)
    await asyncio.sleep(0.1)
    Standing(lab.agents[0], peer, call, invite).within("UPDATE", body=peer.sdp())
    await peer.response(491)


# The caller requires it of us -------------------------------------------------------------------------


async def called(lab: Laboratory, takes: OnIncoming, *, body: bytes | None = None) -> Standing:
    agent, peer = await lab.agent(takes=takes), lab.peer()
    invite = peer.compose("INVITE", BOT, body=peer.sdp() if body is None else body, headers=REQUIRED)
    peer.send(invite, agent.address)
    await peer.response(100)
    await asyncio.sleep(0.05)
    return Standing(agent, peer, lab.incoming[0], invite, cseq=1)


def prack(there: Standing, response: Response, *, body: bytes = b"", rack: str | None = None) -> None:
    named = f"{response.headers.get('RSeq')} 1 INVITE" if rack is None else rack
    there.within("PRACK", headers=[("RAck", named)], body=body)


async def test_our_ringing_is_repeated_until_its_prack_and_the_answer_waits(lab: Laboratory) -> None:
    async def takes(call: Call) -> None:
        call.ring()
        await call.progress()
        await call.answer()

    there = await called(lab, takes)
    first = await there.peer.response(180)
    assert first.headers.get("Require") == "100rel" and first.contact is not None
    again = await there.peer.response(180, within_s=1)
    assert again.headers.get("RSeq") == first.headers.get("RSeq")
    prack(there, first)
    assert (await there.peer.response(200)).cseq.method == "PRACK"
    second = await there.peer.response(183)
    assert int(second.headers.get("RSeq") or 0) == int(first.headers.get("RSeq") or 0) + 1
    assert b"m=audio" in second.body
    with pytest.raises(TimeoutError):
        await there.peer.response(200, within_s=3)  # no answer while the session is not settled
    prack(there, second)
    assert (await there.peer.response(200)).cseq.method == "PRACK"
    final = await there.peer.response(200)
    assert final.cseq.method == "INVITE" and final.body == b""
    there.cseq = 1
    there.within("ACK")
    await asyncio.sleep(0.1)
    assert not there.call.negotiation.is_unacknowledged
    assert there.call.state is CallState.CONFIRMED and len(lab.medias[0].starts) == 1


async def test_a_caller_that_never_acknowledges_our_ringing(lab: Laboratory) -> None:
    there = await called(lab, lambda call: call.ring())
    await there.peer.response(504, within_s=40)
    assert (await ended(there.call)).by == "error"
    assert 6 <= sum(isinstance(m, Response) and m.status == 180 for m, _ in there.peer.heard) <= 8


async def test_a_prack_for_nothing(lab: Laboratory) -> None:
    there = await called(lab, lambda call: call.ring())
    response = await there.peer.response(180)
    for rack in ("1 1 INVITE", "x", "", f"{response.headers.get('RSeq')}"):
        prack(there, response, rack=rack)
        assert (await there.peer.response(481)).cseq.method == "PRACK"
    prack(there, response)
    await there.peer.response(200)
    prack(there, response)
    await there.peer.response(481)


async def test_a_late_offer_is_ours_and_the_prack_brings_the_answer(lab: Laboratory) -> None:
    async def takes(call: Call) -> None:
        call.ring()
        await call.progress()
        await call.answer()

    there = await called(lab, takes, body=b"")
    response = await there.peer.response(183)
    assert not any(isinstance(m, Response) and m.status == 180 for m, _ in there.peer.heard)
    assert b"m=audio 30000 RTP/AVP 8 0 101" in response.body and lab.medias[0].starts == []
    prack(there, response, body=there.peer.sdp())
    await there.peer.response(200)
    assert len(lab.medias[0].starts) == 1
    final = await there.peer.response(200)
    assert final.cseq.method == "INVITE" and final.body == b""
    there.within("ACK")
    await asyncio.sleep(1)
    assert there.call.state is CallState.CONFIRMED


async def test_cancel_while_the_answer_waits_for_a_prack(lab: Laboratory) -> None:
    failures: list[Exception] = []

    async def takes(call: Call) -> None:
        call.ring()
        try:
            await call.answer()
        except CallStateError as error:
            failures.append(error)

    there = await called(lab, takes)
    await there.peer.response(180)
    there.peer.send(there.peer.compose("CANCEL", BOT, branch=there.invite.via.branch), there.agent.address)
    await there.peer.response(487)
    assert await ended(there.call) == Ended("remote", 487, "the caller gave up")
    await asyncio.sleep(60)
    assert len(failures) == 1 and lab.medias[0].is_closed
