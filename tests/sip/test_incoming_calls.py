"""Calls somebody makes to us, against a scripted caller, on virtual time."""

from __future__ import annotations

import asyncio

import pytest

from sip import (
    Answered,
    Call,
    CallState,
    CallStateError,
    DigestServer,
    Dtmf,
    EarlyMedia,
    Ended,
    Held,
    Resumed,
    UserAgent,
)
from sip.auth import Challenge, digest_response
from sip.message import Request, Response
from sip.testing import ScriptedPeer
from tests.sip.laboratory import Laboratory, OnIncoming, ended

pytestmark = pytest.mark.looptime
BOT = "sip:bot@192.0.2.1"


class Caller:
    """A scripted caller and our agent."""

    def __init__(self, agent: UserAgent, peer: ScriptedPeer) -> None:
        self.agent, self.peer, self.tag, self.cseq = agent, peer, "", 1

    def send(self, message: Request | bytes) -> None:
        self.peer.send(message, self.agent.address)

    async def invites(self, **options: object) -> Response:
        self.invite = self.peer.compose("INVITE", BOT, body=options.pop("body", self.peer.sdp()), **options)  # type: ignore[arg-type]
        self.send(self.invite)
        response = await self.peer.response(200)
        self.tag = response.to.tag or ""
        return response

    def within(self, method: str, **options: object) -> Request:
        """Send a request inside the dialog."""
        if method != "ACK":
            self.cseq += 1
        request = self.peer.compose(method, BOT, cseq=self.cseq, to_tag=self.tag, **options)  # type: ignore[arg-type]
        self.send(request)
        return request

    async def is_through(self) -> Caller:
        await self.invites()
        self.within("ACK")
        await asyncio.sleep(0.1)
        return self


async def caller(lab: Laboratory, takes: OnIncoming | None = None, **options: object) -> Caller:
    agent = await (lab.agent(**options) if takes is None else lab.agent(takes=takes, **options))  # type: ignore[arg-type]
    return Caller(agent, lab.peer())


async def test_rings_answers_and_hears_the_peer_hang_up(lab: Laboratory) -> None:
    peer = await caller(lab)
    response = await peer.invites(headers=[("X-Trunk", "7")])
    assert b"m=audio 30000 RTP/AVP 8 101" in response.body
    assert response.contact is not None and response.contact.uri.host == "192.0.2.1"
    statuses = [message.status for message, _ in peer.peer.heard if isinstance(message, Response)]
    assert statuses == [100, 180, 200]
    peer.within("ACK")
    peer.within("BYE")
    await peer.peer.response(200)
    call = lab.incoming[0]
    assert call.headers.get("x-trunk") == "7" and call.remote_uri == "sip:peer@192.0.2.99:5060"
    assert [event async for event in call.events()] == [Answered(), Ended("remote", None, "the peer hung up")]
    assert lab.medias[0].is_closed


async def test_200_is_repeated_until_the_ack(lab: Laboratory) -> None:
    peer = await caller(lab)
    await peer.invites()
    for _ in range(3):
        await peer.peer.response(200, within_s=4)
    peer.within("ACK")
    await asyncio.sleep(0.1)
    with pytest.raises(TimeoutError):
        await peer.peer.response(200, within_s=40)
    assert lab.incoming[0].state is CallState.CONFIRMED


async def test_a_caller_who_never_acknowledges_is_hung_up(lab: Laboratory) -> None:
    peer = await caller(lab)
    await peer.invites()
    bye = await peer.peer.request("BYE", within_s=40)
    assert bye.to.tag == "peer"
    assert await ended(lab.incoming[0]) == Ended("error", None, "our answer was never acknowledged")


async def test_hangup_right_after_the_answer_waits_for_the_ack(lab: Laboratory) -> None:
    async def answer_and_leave(call: Call) -> None:
        await call.answer()
        await call.hangup("nothing to say")

    peer = await caller(lab, answer_and_leave)
    await peer.invites()
    with pytest.raises(TimeoutError):
        await peer.peer.request("BYE", within_s=10)
    peer.within("ACK")
    peer.peer.reply(await peer.peer.request("BYE"), 200)
    assert (await ended(lab.incoming[0])).reason == "nothing to say"


async def test_repeated_invite_gets_the_same_answer_not_a_second_call(lab: Laboratory) -> None:
    peer = await caller(lab, lambda call: call.ring())
    peer.invite = peer.peer.compose("INVITE", BOT, body=peer.peer.sdp())
    for _ in range(3):
        peer.send(peer.invite)
        await peer.peer.response(180)
    assert len(lab.incoming) == 1


async def test_a_late_copy_of_an_old_ack_does_not_finish_a_reinvite(lab: Laboratory) -> None:
    peer = await (await caller(lab)).is_through()
    peer.within("INVITE")
    await peer.peer.response(200)
    peer.send(peer.peer.compose("ACK", BOT, cseq=1, to_tag=peer.tag))
    await peer.peer.response(200, within_s=2)
    peer.within("ACK", body=peer.peer.sdp("sendonly"))
    await asyncio.sleep(0.1)
    assert lab.incoming[0].state is CallState.CONFIRMED and lab.medias[0].starts[-1][-1] == "recvonly"


async def test_update_with_an_offer_before_the_answer(lab: Laboratory) -> None:
    peer = await caller(lab, lambda call: call.ring())
    peer.send(peer.peer.compose("INVITE", BOT, body=peer.peer.sdp()))
    peer.tag = (await peer.peer.response(180)).to.tag or ""
    peer.within("UPDATE", body=peer.peer.sdp("sendonly"))
    assert "Retry-After" in (await peer.peer.response(500)).headers
    assert peer.agent._running.faults == 0


async def test_cancel_while_ringing(lab: Laboratory) -> None:
    peer = await caller(lab, lambda call: call.ring())
    invite = peer.peer.compose("INVITE", BOT, body=peer.peer.sdp())
    peer.send(invite)
    await peer.peer.response(180)
    peer.send(peer.peer.compose("CANCEL", BOT, branch=invite.via.branch, headers=[("Reason", "Q.850;cause=16")]))
    assert (await peer.peer.response(200)).cseq.method == "CANCEL"
    assert (await peer.peer.response(487)).cseq.method == "INVITE"
    call = lab.incoming[0]
    assert await ended(call) == Ended("remote", 487, "the caller gave up", 16)
    with pytest.raises(CallStateError):
        await call.answer()


async def test_cancel_after_the_answer_changes_nothing(lab: Laboratory) -> None:
    peer = await caller(lab)
    await peer.invites()
    peer.send(peer.peer.compose("CANCEL", BOT, branch=peer.invite.via.branch))
    await peer.peer.response(200)
    peer.within("ACK")
    await asyncio.sleep(1)
    assert lab.incoming[0].state is CallState.CONFIRMED


async def test_cancel_of_nothing(lab: Laboratory) -> None:
    peer = await caller(lab)
    peer.send(peer.peer.compose("CANCEL", BOT))
    await peer.peer.response(481)


async def test_caller_gives_up_while_the_media_opens(lab: Laboratory) -> None:
    async def answers_slowly(call: Call) -> None:
        call.ring()
        await asyncio.sleep(5)
        with pytest.raises(CallStateError):
            await call.answer()

    peer = await caller(lab, answers_slowly)
    invite = peer.peer.compose("INVITE", BOT, body=peer.peer.sdp())
    peer.send(invite)
    await peer.peer.response(180)
    peer.send(peer.peer.compose("CANCEL", BOT, branch=invite.via.branch))
    await peer.peer.response(487)
    await asyncio.sleep(10)


async def test_reject_with_reason_and_headers(lab: Laboratory) -> None:
    peer = await caller(lab, lambda call: call.reject(503, "Full", [("Retry-After", "9")]))
    peer.send(peer.peer.compose("INVITE", BOT, body=peer.peer.sdp()))
    response = await peer.peer.response(503)
    assert response.reason == "Full" and response.headers.get("Retry-After") == "9"
    assert await ended(lab.incoming[0]) == Ended("local", 503, "Full")


async def test_an_application_that_fails_refuses_the_call(lab: Laboratory) -> None:
    def fails(call: Call) -> None:
        raise RuntimeError("application fault")

    peer = await caller(lab, fails)
    peer.send(peer.peer.compose("INVITE", BOT, body=peer.peer.sdp()))
    await peer.peer.response(480)
    assert peer.agent.calls == ()


async def test_a_call_nobody_takes_is_refused_in_the_end(lab: Laboratory) -> None:
    peer = await caller(lab, lambda call: None)
    peer.send(peer.peer.compose("INVITE", BOT, body=peer.peer.sdp()))
    await peer.peer.response(480, within_s=200)


async def test_announcement_in_early_media_and_then_a_refusal(lab: Laboratory) -> None:
    async def announce(call: Call) -> None:
        await call.progress()
        await asyncio.sleep(3)
        call.reject(404)

    peer = await caller(lab, announce)
    peer.send(peer.peer.compose("INVITE", BOT, body=peer.peer.sdp()))
    response = await peer.peer.response(183)
    assert b"m=audio 30000 RTP/AVP 8 101" in response.body and response.to.tag
    assert len(lab.medias[0].starts) == 1 and lab.incoming[0].state is CallState.EARLY
    await peer.peer.response(404)
    assert lab.medias[0].is_closed


async def test_early_media_and_then_the_answer_are_one_session(lab: Laboratory) -> None:
    async def announce(call: Call) -> None:
        await call.progress()
        await call.answer()

    peer = await caller(lab, announce)
    response = await peer.invites()
    early = next(m for m, _ in peer.peer.heard if isinstance(m, Response) and m.status == 183)
    assert early.body == response.body and len(lab.medias) == 1 and len(lab.medias[0].starts) == 1
    peer.within("ACK")
    await asyncio.sleep(0.1)
    peer.within("BYE")
    events = [event async for event in lab.incoming[0].events()]
    assert events[:2] == [EarlyMedia(), Answered()]


async def test_late_offer_is_ours_and_the_ack_brings_the_answer(lab: Laboratory) -> None:
    peer = await caller(lab)
    response = await peer.invites(body=b"")
    assert b"m=audio 30000 RTP/AVP 8 0 101" in response.body and lab.medias[0].starts == []
    peer.within("ACK", body=peer.peer.sdp("sendrecv"))
    await asyncio.sleep(0.1)
    assert lab.medias[0].starts == [(("192.0.2.99", 40000), "PCMA", 8, 101, "sendrecv")]


async def test_late_offer_without_an_answer_ends_the_call(lab: Laboratory) -> None:
    peer = await caller(lab)
    await peer.invites(body=b"")
    peer.within("ACK")
    await peer.peer.request("BYE")
    assert (await ended(lab.incoming[0])).by == "error"


async def test_hold_and_resume(lab: Laboratory) -> None:
    peer = await (await caller(lab)).is_through()
    for direction, ours in (("sendonly", "recvonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv")):
        peer.within("INVITE", body=peer.peer.sdp(direction))
        response = await peer.peer.response(200)
        assert f"a={ours}".encode() in response.body
        peer.within("ACK")
        await asyncio.sleep(0.1)
    assert [start[-1] for start in lab.medias[0].starts] == ["sendrecv", "recvonly", "inactive", "sendrecv"]
    peer.within("BYE")
    events = [event async for event in lab.incoming[0].events()]
    assert events[1:-1] == [Held("recvonly"), Held("inactive"), Resumed()]


async def test_session_refresh_changes_nothing(lab: Laboratory) -> None:
    peer = await (await caller(lab)).is_through()
    peer.within("INVITE", body=peer.peer.sdp())
    response = await peer.peer.response(200)
    assert b"o=- " in response.body
    peer.within("ACK")
    peer.within("UPDATE")
    assert (await peer.peer.response(200)).body == b""
    assert len(lab.medias[0].starts) == 1


async def test_reinvite_we_cannot_use_leaves_the_call_as_it_was(lab: Laboratory) -> None:
    peer = await (await caller(lab)).is_through()
    peer.within("INVITE", body=b"v=0\r\no=- 1 2 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 18\r\n")
    await peer.peer.response(488)
    assert lab.incoming[0].state is CallState.CONFIRMED and len(lab.medias[0].starts) == 1


async def test_reinvite_before_the_last_one_is_done_gets_491(lab: Laboratory) -> None:
    peer = await caller(lab)
    await peer.invites()
    peer.within("INVITE", body=peer.peer.sdp("sendonly"))
    await peer.peer.response(491)


async def test_answer_that_comes_after_we_hung_up_starts_no_media(lab: Laboratory) -> None:
    async def answer_and_leave(call: Call) -> None:
        await call.answer()
        await call.hangup()

    peer = await caller(lab, answer_and_leave)
    await peer.invites(body=b"")
    await asyncio.sleep(1)
    peer.within("ACK", body=peer.peer.sdp())
    await peer.peer.request("BYE")
    assert lab.medias[0].starts == [] and peer.agent._running.faults == 0


async def test_late_offer_reinvite(lab: Laboratory) -> None:
    peer = await (await caller(lab)).is_through()
    peer.within("INVITE")
    assert b"m=audio 30000" in (await peer.peer.response(200)).body
    peer.within("ACK", body=peer.peer.sdp("sendonly"))
    await asyncio.sleep(0.1)
    assert lab.medias[0].starts[-1][-1] == "recvonly"


@pytest.mark.parametrize(
    ("kind", "body", "event"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=200\r\n", Dtmf("5", 200)),
        ("application/dtmf-relay", b"Signal= *\r\nDuration= 250\r\n", Dtmf("*", 250)),
        ("application/dtmf", b"#", Dtmf("#", 160)),
    ],
)
async def test_digits_by_info(lab: Laboratory, kind: str, body: bytes, event: Dtmf) -> None:
    peer = await (await caller(lab)).is_through()
    peer.within("INFO", body=body, headers=[("Content-Type", kind)])
    await peer.peer.response(200)
    peer.within("INFO", body=b"x", headers=[("Content-Type", "text/plain")])
    await peer.peer.response(415)
    peer.within("BYE")
    assert event in [event async for event in lab.incoming[0].events()]


async def test_digits_from_the_media(lab: Laboratory) -> None:
    peer = await (await caller(lab)).is_through()
    assert lab.medias[0].on_dtmf is not None
    lab.medias[0].on_dtmf("9", 120)
    peer.within("BYE")
    assert Dtmf("9", 120) in [event async for event in lab.incoming[0].events()]


async def test_digest_lets_in_who_knows_the_password(lab: Laboratory) -> None:
    guard = DigestServer("bot", {"peer": "pw"}.get, b"secret")
    peer = await caller(lab, digest=guard)
    peer.send(peer.peer.compose("INVITE", BOT, body=peer.peer.sdp()))
    refusal = await peer.peer.response(401)
    assert lab.incoming == []
    challenge = Challenge.parse(refusal.headers.all("WWW-Authenticate")[0])
    proof = digest_response(challenge, "peer", "pw", "INVITE", BOT, "c", 1)
    answer = f'Digest username="peer", realm="bot", nonce="{challenge.nonce}", uri="{BOT}", response="{proof}"'
    answer += f', algorithm={challenge.algorithm}, cnonce="c", qop=auth, nc=00000001'
    await peer.invites(cseq=2, headers=[("Authorization", answer)])
    assert len(lab.incoming) == 1


async def test_each_source_may_have_a_guard_of_its_own(lab: Laboratory) -> None:
    guard = DigestServer("trunk", {}.get, b"secret", algorithms=("MD5",))
    agent = await lab.agent(digest=lambda source, request: guard if source[0] == "192.0.2.98" else None)
    free, guarded = lab.peer(), lab.peer("192.0.2.98")
    for peer in (free, guarded):
        peer.send(peer.compose("INVITE", BOT, call_id=str(peer.uri), body=peer.sdp()), agent.address)
    await free.response(200)
    challenges = (await guarded.response(401)).headers.all("WWW-Authenticate")
    assert len(challenges) == 1 and Challenge.parse(challenges[0]).algorithm == "MD5" and len(lab.incoming) == 1


async def test_listener_that_raises_does_not_disturb_the_call(lab: Laboratory) -> None:
    def fails(event: object) -> None:
        raise RuntimeError("listener fault")

    peer = await (await caller(lab)).is_through()
    lab.incoming[0].on_event = fails
    peer.within("BYE")
    await peer.peer.response(200)
    assert (await ended(lab.incoming[0])).by == "remote"
