"""Calls we make, against a peer that does what the test says, on virtual time."""

from __future__ import annotations

import asyncio

import pytest

from sip import Answered, Call, CallState, Credentials, EarlyMedia, Ended, Ringing, UserAgent
from sip.auth import parse_digest
from sip.message import Request
from sip.testing import ScriptedPeer
from tests.sip.laboratory import Laboratory, ended

pytestmark = pytest.mark.looptime


async def dialled(lab: Laboratory, **options: object) -> tuple[UserAgent, ScriptedPeer, Call, Request]:
    agent, peer = await lab.agent(), lab.peer()
    call = agent.call("sip:13800138000@192.0.2.99", from_uri="sip:95588@192.0.2.1", **options)  # type: ignore[arg-type]
    return agent, peer, call, await peer.request("INVITE")


async def answered(lab: Laboratory) -> tuple[UserAgent, ScriptedPeer, Call, Request]:
    agent, peer, call, invite = await dialled(lab)
    peer.reply(invite, 200, sdp="sendrecv")
    await peer.request("ACK")
    return agent, peer, call, invite


async def test_ring_early_media_answer_and_hang_up(lab: Laboratory) -> None:
    _, peer, call, invite = await dialled(lab, display="某某银行", headers=[("X-Case", "7")])
    assert call.state is CallState.TRYING and call.id == invite.call_id
    assert invite.from_.display == "某某银行" and invite.headers.get("x-case") == "7"
    assert b"m=audio 30000 RTP/AVP 8 0 101" in invite.body
    peer.reply(invite, 100)
    peer.reply(invite, 180)
    peer.reply(invite, 183, sdp="sendrecv")
    peer.reply(invite, 200, sdp="sendrecv")
    ack = await peer.request("ACK")
    assert ack.to.tag == "peer" and str(ack.uri) == "sip:peer@192.0.2.99:5060"
    assert lab.medias[0].starts == [(("192.0.2.99", 40000), "PCMA", 8, 101, "sendrecv")]
    call.send_dtmf("12")
    assert lab.medias[0].digits == "12"
    hanging = call.hangup("done")
    task = asyncio.ensure_future(hanging)
    bye = await peer.request("BYE")
    assert bye.cseq.number == invite.cseq.number + 1
    peer.reply(bye, 200)
    await task
    assert [event async for event in call.events()] == [
        Ringing(180),
        Ringing(183),
        EarlyMedia(),
        Answered(),
        Ended("local", None, "done"),
    ]


@pytest.mark.parametrize("status", [404, 480, 486, 503, 603])
async def test_refusals_end_the_call_and_are_acknowledged(lab: Laboratory, status: int) -> None:
    _, peer, call, invite = await dialled(lab)
    peer.reply(invite, status, headers=[("Reason", 'Q.850;cause=17;text="User busy"'), ("Retry-After", "30")])
    ack = await peer.request("ACK")
    assert ack.via.branch == invite.via.branch
    end = await ended(call)
    assert (end.by, end.status, end.q850) == ("remote", status, 17)
    assert call.response is not None and call.response.headers.get("Retry-After") == "30"
    assert lab.medias[0].is_closed


async def test_407_is_answered_on_a_new_branch_with_the_next_cseq(lab: Laboratory) -> None:
    _, peer, call, first = await dialled(lab, credentials=Credentials("bot", "secret4"))
    peer.reply(first, 407, tag="proxy", headers=[("Proxy-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')])
    await peer.request("ACK")
    second = await peer.request("INVITE")
    assert second.cseq.number == first.cseq.number + 1 and second.call_id == first.call_id
    assert second.via.branch != first.via.branch and second.from_ == first.from_ and second.to.tag is None
    assert parse_digest(second.headers.get("Proxy-Authorization") or "")["username"] == "bot"
    peer.reply(second, 200, sdp="sendrecv")
    ack = await peer.request("ACK")
    assert ack.cseq.number == second.cseq.number and "Proxy-Authorization" in ack.headers
    assert call.state is CallState.CONFIRMED


async def test_wrong_password_is_tried_once(lab: Laboratory) -> None:
    _, peer, call, first = await dialled(lab, credentials=Credentials("bot", "wrong"))
    challenge = [("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')]
    peer.reply(first, 401, headers=challenge)
    peer.reply(await peer.request("INVITE"), 401, headers=challenge)
    assert (await ended(call)).status == 401
    with pytest.raises(TimeoutError):
        await peer.request("INVITE", within_s=5)


async def test_a_challenge_without_credentials_is_a_refusal(lab: Laboratory) -> None:
    _, peer, call, invite = await dialled(lab)
    peer.reply(invite, 407, headers=[("Proxy-Authenticate", 'Digest realm="r", nonce="n"')])
    assert (await ended(call)).status == 407


async def test_nobody_answers_the_invite(lab: Laboratory) -> None:
    agent = await lab.agent()
    call = agent.call("sip:x@192.0.2.250", from_uri="sip:a@b", ring_timeout_s=100)
    end = await ended(call)
    assert (end.by, end.status) == ("error", 408)


async def test_ring_timeout_cancels(lab: Laboratory) -> None:
    _, peer, call, invite = await dialled(lab, ring_timeout_s=20)
    peer.reply(invite, 180)
    cancel = await peer.request("CANCEL")
    assert cancel.via.branch == invite.via.branch
    peer.reply(cancel, 200)
    peer.reply(invite, 487)
    await peer.request("ACK")
    assert await ended(call) == Ended("local", 487, "no answer")


async def test_cancel_waits_for_the_first_provisional(lab: Laboratory) -> None:
    _, peer, call, invite = await dialled(lab, ring_timeout_s=3)
    with pytest.raises(TimeoutError):
        await peer.request("CANCEL", within_s=5)
    peer.reply(invite, 180)
    assert (await peer.request("CANCEL")).cseq.number == invite.cseq.number
    peer.reply(invite, 487)
    assert (await ended(call)).reason == "no answer"


async def test_a_callee_that_ignores_the_cancel_leaves_nothing_behind(lab: Laboratory) -> None:
    agent, peer, call, invite = await dialled(lab, ring_timeout_s=3)
    peer.reply(invite, 180)
    peer.reply(await peer.request("CANCEL"), 200)
    assert (await ended(call)).reason == "no answer"
    await asyncio.sleep(60)
    assert not agent._running._outgoing


async def test_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up(lab: Laboratory) -> None:
    _, peer, call, invite = await dialled(lab, ring_timeout_s=3)
    peer.reply(invite, 180)
    cancel = await peer.request("CANCEL")
    peer.reply(cancel, 200)
    peer.reply(invite, 200, sdp="sendrecv")
    await peer.request("ACK")
    peer.reply(await peer.request("BYE"), 200)
    end = await ended(call)
    assert end.by == "local" and Answered() not in [event async for event in call.events()]


async def test_hangup_before_anything_came_back_does_not_hang(lab: Laboratory) -> None:
    agent, peer, call, invite = await dialled(lab)
    await call.hangup("changed my mind")
    assert await ended(call) == Ended("local", 487, "changed my mind")
    # The peer wakes up late: it must not stay in a call with nobody.
    peer.reply(invite, 200, sdp="sendrecv")
    await peer.request("ACK")
    await peer.request("BYE")
    assert lab.medias[0].starts == [] and agent._running.faults == 0


async def test_every_repeated_200_is_acknowledged(lab: Laboratory) -> None:
    _, peer, _, invite = await answered(lab)
    for _ in range(3):
        peer.reply(invite, 200, sdp="sendrecv")
        assert (await peer.request("ACK", within_s=1)).to.tag == "peer"


async def test_the_answer_names_another_target_and_route_than_the_ringing_did(lab: Laboratory) -> None:
    """RFC 3261 13.2.2.4: a proxy rings one box and connects to another; what follows goes where the 200 says."""
    agent, peer, call, invite = await dialled(lab)
    peer.reply(invite, 180)
    await asyncio.sleep(0.1)
    assert call.remote_target == "sip:peer@192.0.2.99:5060"
    route = [("Record-Route", "<sip:192.0.2.99;lr>"), ("Contact", "<sip:far@203.0.113.200>")]
    peer.send(invite.reply(200, to_tag="peer", headers=route, body=peer.sdp()), agent.address)
    ack = await peer.request("ACK")
    assert str(ack.uri) == "sip:far@203.0.113.200" and ack.headers.get("Route") == "<sip:192.0.2.99;lr>"
    leaving = asyncio.ensure_future(call.hangup())
    bye = await peer.request("BYE")
    assert (bye.uri, bye.headers.get("Route")) == (ack.uri, ack.headers.get("Route"))
    peer.reply(bye, 200)
    await leaving


async def test_a_second_fork_is_acknowledged_and_hung_up(lab: Laboratory) -> None:
    _, peer, call, invite = await answered(lab)
    peer.reply(invite, 200, sdp="sendrecv", tag="other")
    assert (await peer.request("ACK")).to.tag == "other"
    assert (await peer.request("BYE")).to.tag == "other"
    assert call.state is CallState.CONFIRMED


@pytest.mark.parametrize("body", [None, "unusable"])
async def test_an_answer_without_usable_sdp_ends_the_call(lab: Laboratory, body: str | None) -> None:
    _, peer, call, invite = await dialled(lab)
    if body is None:
        peer.reply(invite, 200)
    else:
        peer.send(
            invite.reply(200, to_tag="peer", headers=[("Contact", f"<{peer.uri}>")], body=b"v=0\r\n"),
            lab.agents[0].address,
        )
    await peer.request("ACK")
    await peer.request("BYE")
    assert (await ended(call)).by == "error"


async def test_peer_hangs_up_with_a_cause_and_says_it_twice(lab: Laboratory) -> None:
    agent, peer, call, _ = await answered(lab)
    bye = peer.compose(
        "BYE",
        f"sip:95588@{agent.address[0]}",
        call_id=call.id,
        to_tag=call.local_tag,
        headers=[("Reason", "Q.850;cause=31")],
    )
    peer.send(bye, agent.address)
    await peer.response(200)
    assert await ended(call) == Ended("remote", None, "the peer hung up", 31)
    again = peer.compose("BYE", f"sip:95588@{agent.address[0]}", call_id=call.id, to_tag=call.local_tag, cseq=2)
    peer.send(again, agent.address)
    await peer.response(481)


async def test_lost_bye_does_not_keep_hangup_waiting(lab: Laboratory) -> None:
    _, _, call, _ = await answered(lab)
    lab.network.loss = 1.0
    before = asyncio.get_running_loop().time()
    await call.hangup()
    assert asyncio.get_running_loop().time() - before < 5
    assert (await ended(call)).by == "local"


async def test_outbound_proxy_gets_the_request_and_record_route_is_followed(lab: Laboratory) -> None:
    agent, proxy = await lab.agent(), lab.peer("192.0.2.50")
    call = agent.call("sip:10086@carrier.example", from_uri="sip:a@b", via=("192.0.2.50", 5060))
    invite = await proxy.request("INVITE")
    assert str(invite.uri) == "sip:10086@carrier.example"
    route = [("Record-Route", "<sip:192.0.2.50;lr>"), ("Contact", "<sip:far@203.0.113.200>")]
    response = invite.reply(200, to_tag="t", headers=route, body=proxy.sdp())
    proxy.send(response, agent.address)
    ack = await proxy.request("ACK")
    assert str(ack.uri) == "sip:far@203.0.113.200" and ack.headers.get("Route") == "<sip:192.0.2.50;lr>"
    assert call.state is CallState.CONFIRMED


async def test_media_that_cannot_open_ends_the_call_before_any_invite(lab: Laboratory) -> None:
    class NoPorts:
        async def open(self) -> None:
            raise OSError("all ports are taken")

        def close(self) -> None: ...

    agent = await lab.agent(media_factory=NoPorts)
    end = await ended(agent.call("sip:x@192.0.2.99", from_uri="sip:a@b"))
    assert end.by == "error" and "all ports are taken" in end.reason and lab.network.sent == 0


async def test_ladder_tells_the_story(lab: Laboratory) -> None:
    agent, _, call, _ = await answered(lab)
    ladder = agent.trace.ladder(call.id)
    assert [line.split()[3] for line in ladder.splitlines()] == ["INVITE", "200", "ACK"]


async def test_options_tells_whether_a_peer_lives(lab: Laboratory) -> None:
    agent, peer = await lab.agent(), lab.peer()
    asking = asyncio.ensure_future(agent.options("sip:192.0.2.99", timeout_s=5))
    peer.reply(await peer.request("OPTIONS"), 200)
    assert await asking == 200
    assert await agent.options("sip:192.0.2.251", timeout_s=5) == 408


async def test_uri_without_host_needs_a_proxy(lab: Laboratory) -> None:
    agent = await lab.agent()
    end = await ended(agent.call("tel:10086", from_uri="sip:a@b"))
    assert end.by == "error" and "proxy" in end.reason
