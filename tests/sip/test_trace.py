"""Ladders: readable, per call, bounded."""

from __future__ import annotations

from sip.message import Headers, Request, Uri
from sip.trace import MAX_CALLS, MAX_MESSAGES_PER_CALL, MAX_STRANGERS, Trace
from sip.transport import Hop

PEER = Hop("UDP", "192.0.2.9", 5060)


def invite(call_id: str) -> Request:
    fields = [("Via", "SIP/2.0/UDP a;branch=z9hG4bK1"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>")]
    return Request("INVITE", Uri.parse("sip:c@d"), Headers([*fields, ("Call-ID", call_id), ("CSeq", "7 INVITE")]))


def test_a_rung_shows_time_direction_peer_and_message() -> None:
    trace = Trace()
    trace.note(1.5, True, PEER, invite("x"))
    trace.note(1.75, False, PEER, invite("x").reply(486))
    assert trace.ladder("x").splitlines() == [
        "     1.500 ──▶ 192.0.2.9:5060       INVITE (CSeq 7 INVITE)",
        "     1.750 ◀── 192.0.2.9:5060       486 Busy Here (CSeq 7 INVITE)",
    ]
    assert trace.ladder("other") == ""


def test_old_calls_and_endless_calls_cost_no_more_memory() -> None:
    trace = Trace()
    for number in range(MAX_CALLS + 1):
        trace.follow(str(number))
        trace.note(0, True, PEER, invite(str(number)))
    assert trace.rungs("0") == () and len(trace.rungs(str(MAX_CALLS))) == 1
    for number in range(MAX_STRANGERS + 1):
        trace.note(0, False, PEER, invite(f"scanner {number}"))
    assert trace.rungs("scanner 0") == () and len(trace.rungs("1")) == 1
    for _ in range(MAX_MESSAGES_PER_CALL + 5):
        trace.note(0, True, PEER, invite("endless"))
    assert len(trace.rungs("endless")) == MAX_MESSAGES_PER_CALL
