"""What a trunk wants said and says itself: caller ids, digits by INFO, causes, early media that goes on."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip import CallStateError, EarlyMedia, Ended, Hop, Ringing
from sip.dtmf_info import read_dtmf, write_dtmf
from sip.message import Headers, Request, Response, Uri
from sip.reason import Reason, reasons, retry_after_s
from tests.sip.laboratory import Laboratory, ended
from tests.sip.standing import standing

pytestmark = pytest.mark.looptime


async def test_caller_ids_and_the_user_of_our_contact(lab: Laboratory) -> None:
    headers = [("P-Asserted-Identity", '"某某银行" <sip:95588@bank.example>'), ("Privacy", "none")]
    headers += [("Diversion", "<sip:4001@bank.example>;reason=unconditional")]
    there = await standing(lab, headers=headers, contact_user="trunk-7", display="某某银行", codecs=("PCMU",))
    for name, value in headers:
        assert there.invite.headers.get(name) == value
    assert there.invite.contact is not None and there.invite.contact.uri.user == "trunk-7"
    assert b"m=audio 30000 RTP/AVP 0 101" in there.invite.body
    leaving = asyncio.ensure_future(there.call.hold())
    again = await there.peer.request("INVITE")
    assert again.contact is not None and again.contact.uri.user == "trunk-7"
    there.peer.reply(again, 200, sdp="recvonly")
    await leaving


@pytest.mark.parametrize("field", [("X-A", "1\r\nBYE sip:x SIP/2.0"), ("X-A\n", "1")])
async def test_a_header_with_a_line_break_is_refused(lab: Laboratory, field: tuple[str, str]) -> None:
    agent = await lab.agent()
    with pytest.raises(ValueError, match="line break"):
        agent.call("sip:x@192.0.2.99", from_uri="sip:a@b", headers=[field])


async def test_early_media_goes_on_when_a_bare_180_follows(lab: Laboratory) -> None:
    agent, peer = await lab.agent(), lab.peer()
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1")
    invite = await peer.request("INVITE")
    peer.reply(invite, 183, sdp="sendrecv")
    peer.reply(invite, 180)
    peer.reply(invite, 183, sdp="sendrecv")
    await asyncio.sleep(1)
    assert len(lab.medias[0].starts) == 1 and not lab.medias[0].is_closed and call.state == "early"
    peer.reply(invite, 480, headers=[("Reason", 'Q.850;cause=19;text="no answer"')])
    assert [event async for event in call.events()] == [
        Ringing(183),
        EarlyMedia(),
        Ringing(180),
        Ended("remote", 480, "Temporarily Unavailable", 19, None, "no answer"),
    ]


async def test_a_refusal_tells_its_causes_and_when_to_come_again(lab: Laboratory) -> None:
    agent, peer = await lab.agent(), lab.peer()
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1")
    assert not call.contacted  # type: ignore[attr-defined]
    invite = await peer.request("INVITE")
    peer.reply(invite, 100)
    await asyncio.sleep(0.1)
    assert call.contacted  # type: ignore[attr-defined]
    said = [("Reason", 'SIP;cause=486;text="busy, or so", Q.850;cause=17'), ("Retry-After", "120 (lunch);duration=60")]
    peer.reply(invite, 503, headers=said)
    assert await ended(call) == Ended("remote", 503, "Service Unavailable", 17, 486, "busy, or so", 120)


def told(*fields: tuple[str, str]) -> Response:
    return Response(486, "Busy", Headers(fields))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Q.850;cause=16", (Reason("Q.850", 16),)),
        ('q.850 ; text="a;b, c" ; cause = 31', (Reason("Q.850", 31, "a;b, c"),)),
        ("SIP;cause=200, Q.850;cause=1", (Reason("SIP", 200), Reason("Q.850", 1))),
        ("Q.850;cause=many", (Reason("Q.850", None),)),
        ('Q.850;cause=16;text="open', ()),
        ("", ()),
    ],
)
def test_reasons(text: str, read: tuple[Reason, ...]) -> None:
    assert reasons(told(("Reason", text))) == read


@given(st.text(max_size=40))
def test_any_reason_and_any_retry_after_can_be_read(text: str) -> None:
    message = told(("Reason", text), ("Retry-After", text))
    assert all(reason.protocol for reason in reasons(message))
    assert (retry_after_s(message) or 0) >= 0


@given(st.sampled_from("0123456789*#ABCD"), st.integers(40, 5000))
def test_digits_by_info_are_read_as_they_were_written(digit: str, duration_ms: int) -> None:
    headers, body = write_dtmf(digit, duration_ms)
    pressed = read_dtmf(Request("INFO", Uri.parse("sip:x@y"), Headers(headers), body))
    assert pressed is not None and (pressed.digit, pressed.duration_ms) == (digit, duration_ms)


async def test_digits_by_info_go_one_after_the_other(lab: Laboratory) -> None:
    there = await standing(lab)
    there.call.send_dtmf("1", "info")
    there.call.send_dtmf("#", "info")
    first = await there.peer.request("INFO")
    assert (first.content_type, first.body) == ("application/dtmf-relay", b"Signal=1\r\nDuration=160\r\n")
    await asyncio.sleep(0.3)
    assert not any(b"Signal=#" in message.body for message, _ in there.peer.heard)  # not before the answer
    there.peer.reply(first, 200)
    second = await there.peer.request("INFO")
    assert second.body.startswith(b"Signal=#") and second.cseq.number == first.cseq.number + 1
    there.peer.reply(second, 200)
    assert lab.medias[0].digits == ""
    with pytest.raises(ValueError, match="digit"):
        there.call.send_dtmf("5x", "info")
    await there.bye()
    with pytest.raises(CallStateError):
        there.call.send_dtmf("1", "info")


@pytest.mark.parametrize(
    ("events", "allow", "by_info"),
    [(True, "INVITE, INFO", False), (False, "INVITE, INFO", True), (False, "INVITE", False), (False, "", False)],
)
async def test_auto_takes_what_the_peer_can(lab: Laboratory, events: bool, allow: str, by_info: bool) -> None:
    agent, peer = await lab.agent(), lab.peer()
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1")
    body = peer.sdp() if events else peer.sdp().replace(b" 101\r\na=rtpmap:101 telephone-event/8000", b"")
    fields = [("Contact", f"<{peer.uri}>"), *([("Allow", allow)] if allow else [])]
    invite = await peer.request("INVITE")
    peer.send(invite.reply(200, to_tag="peer", headers=fields, body=body), agent.address)
    await peer.request("ACK")
    call.send_dtmf("7")
    if by_info:
        assert (await peer.request("INFO")).body.startswith(b"Signal=7")
    assert lab.medias[0].digits == ("" if by_info else "7")


async def test_a_peer_behind_a_translator_is_reached_where_it_was_heard(lab: Laboratory) -> None:
    """Its Contact is private, its packets come from a public address: our BYE goes there."""
    agent, peer = await lab.agent("203.0.113.1"), lab.peer("198.51.100.9")
    invite = peer.compose("INVITE", "sip:bot@203.0.113.1", body=peer.sdp())
    private = invite.headers.with_("Contact", "<sip:phone@192.168.1.20:5062>")
    peer.send(invite.with_headers(private), agent.address)
    tag = (await peer.response(200)).to.tag
    peer.send(peer.compose("ACK", "sip:bot@203.0.113.1", to_tag=tag), agent.address)
    await asyncio.sleep(0.1)
    leaving = asyncio.ensure_future(lab.incoming[0].hangup())
    bye = await peer.request("BYE", within_s=2)
    assert str(bye.uri) == "sip:phone@192.168.1.20:5062"
    peer.reply(bye, 200)
    await leaving


async def test_a_callee_behind_a_translator_is_reached_where_we_called_it(lab: Laboratory) -> None:
    agent, peer = await lab.agent("203.0.113.1"), lab.peer("198.51.100.9")
    call = agent.call("sip:phone@198.51.100.9", from_uri="sip:bot@203.0.113.1")
    invite = await peer.request("INVITE")
    private = [("Contact", "<sip:phone@192.168.1.20:5062>")]
    peer.send(invite.reply(200, to_tag="t", headers=private, body=peer.sdp()), agent.address)
    assert str((await peer.request("ACK", within_s=2)).uri) == "sip:phone@192.168.1.20:5062"
    leaving = asyncio.ensure_future(call.hangup())
    peer.reply(await peer.request("BYE", within_s=2), 200)
    await leaving


async def test_an_outbound_proxy_may_be_given_as_a_hop(lab: Laboratory) -> None:
    agent, proxy = await lab.agent(), lab.peer("192.0.2.50")
    agent.call("sip:x@carrier.example", from_uri="sip:a@b", via=Hop("UDP", "192.0.2.50", 5060))
    assert str((await proxy.request("INVITE")).uri) == "sip:x@carrier.example"
