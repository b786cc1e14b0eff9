"""Nothing that arrives stops the agent or ends somebody else's call; every request gets a fitting answer."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import looptime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sip import Call, CallState
from sip.message import Request, Response
from sip.testing import SDP, ScriptedPeer, SimNetwork
from tests.sip.laboratory import Laboratory, answer_at_once

pytestmark = pytest.mark.looptime
BOT = "sip:bot@192.0.2.1"
METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "INFO", "UPDATE", "OPTIONS", "REFER", "NOTIFY", "PRACK")
OFFER = SDP.format(ip="192.0.2.99", port=40000, direction="sendonly").encode()
AGENT = ("192.0.2.1", 5060)
TORTURE = [path.read_bytes() for path in sorted((Path(__file__).parent / "torture").glob("*.dat"))]


async def asked(lab: Laboratory, request: Request | bytes, status: int) -> Response:
    peer = lab.peer()
    peer.send(request, AGENT)
    return await peer.response(status)


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", 200),
        ("REFER", 403),
        ("NOTIFY", 481),
        ("PRACK", 481),
        ("REGISTER", 405),
        ("MESSAGE", 405),
        ("DANCE", 501),
        ("BYE", 481),
        ("INFO", 481),
    ],
)
async def test_requests_outside_a_call(lab: Laboratory, method: str, status: int) -> None:
    await lab.agent()
    peer = lab.peer()
    peer.send(peer.compose(method, BOT), AGENT)
    response = await peer.response(status)
    assert response.to.tag
    if status in (200, 405, 501):
        assert "INVITE" in (response.headers.get("Allow") or "")


@pytest.mark.parametrize("method", ["BYE", "INFO", "INVITE", "OPTIONS", "UPDATE", "REFER"])
async def test_requests_of_an_unknown_dialog(lab: Laboratory, method: str) -> None:
    await lab.agent()
    peer = lab.peer()
    peer.send(peer.compose(method, BOT, to_tag="nobody"), AGENT)
    await peer.response(481)


@pytest.mark.parametrize(
    ("headers", "body", "status", "field"),
    [
        ([("Require", "100rel, x")], b"", 420, ("Unsupported", "x")),
        ([("Content-Type", "text/plain")], b"hello", 415, ("Accept", "application/sdp, multipart/mixed")),
        ([("Content-Type", "multipart/mixed;boundary=b")], b"--b\r\n\r\nx\r\n--b--", 415, None),
        ([("Content-Encoding", "gzip")], b"v=0", 415, ("Accept", "application/sdp, multipart/mixed")),
        ([], b"nonsense", 488, None),
        ([], b"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nm=audio 4 RTP/SAVP 8\r\n", 488, None),
    ],
)
async def test_invites_we_cannot_serve(
    lab: Laboratory, headers: list[tuple[str, str]], body: bytes, status: int, field: tuple[str, str] | None
) -> None:
    await lab.agent()
    peer = lab.peer()
    peer.send(peer.compose("INVITE", BOT, headers=headers, body=body), AGENT)
    response = await peer.response(status)
    assert field is None or response.headers.get(field[0]) == field[1]
    assert lab.incoming == []


async def test_unknown_scheme_and_missing_contact(lab: Laboratory) -> None:
    await lab.agent()
    peer = lab.peer()
    peer.send(peer.compose("OPTIONS", "nobody:knows"), AGENT)
    await peer.response(416)
    invite = peer.compose("INVITE", BOT)
    peer.send(invite.with_headers(invite.headers.without("Contact")), AGENT)
    await peer.response(400)


async def test_unreadable_request_is_answered_where_it_can_be(lab: Laboratory) -> None:
    agent, peer = await lab.agent(), lab.peer()
    good = peer.compose("OPTIONS", BOT).encode()
    peer.send(good.replace(b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE"), AGENT)
    assert "CSeq" in (await peer.response(400)).reason
    peer.send(good.replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1), AGENT)
    await peer.response(505)
    peer.send(b"\x00" * 50 + b"garbage", AGENT)
    peer.send(good + b"x" * 9000, AGENT)
    await asyncio.sleep(1)
    assert agent.unreadable == 4 and len(peer.heard) == 2


async def test_keep_alives_are_no_messages(lab: Laboratory) -> None:
    agent, peer = await lab.agent(), lab.peer()
    for data in (b"\r\n\r\n", b"", b"\0", b"\r\n"):
        peer.send(data, AGENT)
    await asyncio.sleep(1)
    assert agent.unreadable == 0 and peer.heard == []


async def test_strangers_are_refused_and_capacity_is_told(lab: Laboratory) -> None:
    await lab.agent(allow=lambda source, request: 503 if source[0] == "192.0.2.99" else 403)
    friend, stranger = lab.peer(), lab.peer("203.0.113.9")
    friend.send(friend.compose("INVITE", BOT, body=friend.sdp()), AGENT)
    assert (await friend.response(503)).headers.get("Retry-After")
    stranger.send(stranger.compose("INVITE", BOT, body=stranger.sdp()), AGENT)
    await stranger.response(403)
    assert lab.incoming == []


async def test_a_judge_that_fails_is_an_error_of_ours_not_an_end(lab: Laboratory) -> None:
    def fails(source: object, request: object) -> int | None:
        raise RuntimeError("judge fault")

    await lab.agent(allow=fails)
    peer = lab.peer()
    peer.send(peer.compose("OPTIONS", BOT), AGENT)
    await peer.response(500)


async def test_merged_request_gets_482(lab: Laboratory) -> None:
    await lab.agent(takes=lambda call: call.ring())
    peer = lab.peer()
    first = peer.compose("INVITE", BOT, body=peer.sdp())
    peer.send(first, AGENT)
    await peer.response(180)
    peer.send(peer.compose("INVITE", BOT, body=peer.sdp()), AGENT)
    await peer.response(482)
    assert len(lab.incoming) == 1


async def standing_call(lab: Laboratory) -> tuple[ScriptedPeer, Call]:
    await lab.agent(takes=answer_at_once)
    peer = lab.peer()
    peer.send(peer.compose("INVITE", BOT, body=peer.sdp()), AGENT)
    tag = (await peer.response(200)).to.tag
    peer.send(peer.compose("ACK", BOT, to_tag=tag), AGENT)
    await asyncio.sleep(0.5)
    return peer, lab.incoming[0]


async def test_a_stranger_cannot_end_a_call(lab: Laboratory) -> None:
    _, call = await standing_call(lab)
    stranger = lab.peer("203.0.113.9")
    for tags in (("peer", "guess"), ("guess", call.local_tag), ("", "")):
        stranger.send(stranger.compose("BYE", BOT, call_id=call.id, from_tag=tags[0], to_tag=tags[1], cseq=9), AGENT)
        await stranger.response(481)
    stranger.send(stranger.compose("CANCEL", BOT, call_id=call.id), AGENT)
    await stranger.response(481)
    assert call.state is CallState.CONFIRMED


async def test_old_cseq_inside_a_call(lab: Laboratory) -> None:
    peer, call = await standing_call(lab)
    peer.send(peer.compose("INFO", BOT, to_tag=call.local_tag, cseq=1), AGENT)
    await peer.response(500)
    peer.send(peer.compose("MESSAGE", BOT, to_tag=call.local_tag, cseq=5), AGENT)
    await peer.response(405)
    peer.send(peer.compose("DANCE", BOT, to_tag=call.local_tag, cseq=6), AGENT)
    await peer.response(501)


async def test_responses_to_nothing_are_dropped(lab: Laboratory) -> None:
    _, call = await standing_call(lab)
    stranger = lab.peer("203.0.113.9")
    bye = stranger.compose("BYE", BOT, call_id=call.id)
    for status in (100, 200, 407, 486):
        stranger.send(bye.reply(status, to_tag="x"), AGENT)
    await asyncio.sleep(1)
    assert call.state is CallState.CONFIRMED and stranger.heard == []


async def test_torture_messages_leave_a_standing_call_alone(lab: Laboratory) -> None:
    _, call = await standing_call(lab)
    stranger = lab.peer("203.0.113.9")
    chance = random.Random(1)
    for data in TORTURE * 4:
        stranger.send(data, AGENT)
        spoiled = bytearray(data)
        for _ in range(5):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        stranger.send(bytes(spoiled), AGENT)
    await asyncio.sleep(200)
    assert call.state is CallState.CONFIRMED
    stranger.send(stranger.compose("OPTIONS", BOT), AGENT)
    await stranger.response(200)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(METHODS),
            st.integers(0, 5),
            st.sampled_from([b"", OFFER, OFFER, b"v=0\r\n", b"Signal=1", b"\xff\xfe"]),
            st.sampled_from([None, "mine", "other"]),
        ),
        max_size=15,
    )
)
def test_any_order_of_requests_ends_in_silence(script: list[tuple[str, int, bytes, str | None]]) -> None:
    """Whatever a peer sends in whatever order: later it is all over and nothing is left."""
    with asyncio.Runner(loop_factory=lambda: looptime.patch_event_loop(asyncio.new_event_loop())) as runner:
        runner.run(_play(script))


async def _play(script: list[tuple[str, int, bytes, str | None]]) -> None:
    lab = Laboratory(SimNetwork())
    agent, peer = await lab.agent(), lab.peer()
    for method, cseq, body, to in script:
        tag = lab.incoming[0].local_tag if to == "mine" and lab.incoming else to
        options = [("Content-Type", "application/dtmf-relay")] if method == "INFO" else []
        options += [("Refer-To", "<sip:x@192.0.2.77>"), ("Event", "refer"), ("RAck", f"{cseq} {cseq} INVITE")]
        options += [("Supported", "timer, 100rel"), ("Session-Expires", "100;refresher=uac")]
        options += [("Require", "100rel")] if method == "INVITE" and cseq % 2 else []
        peer.send(
            peer.compose(
                method, BOT, cseq=cseq, body=body or b"", to_tag=tag, headers=options, branch=f"z9hG4bK{cseq}"
            ),
            AGENT,
        )
        await asyncio.sleep(0.1)
    await asyncio.sleep(150)
    for call in agent.calls:
        await call.hangup()
    await asyncio.sleep(100)
    assert not agent._running._incoming and not agent._running._outgoing
    await agent.close()
