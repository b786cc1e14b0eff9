"""RFC 3261 section 12: where in-dialog requests go, and in which order they count."""

from __future__ import annotations

from sip.dialog import Dialog, next_hop
from sip.message import Headers, NameAddr, Request, Uri


def invite(*extra: tuple[str, str]) -> Request:
    fields = [
        ("Via", "SIP/2.0/UDP a;branch=z9hG4bK1"),
        ("From", "<sip:caller@a>;tag=c"),
        ("To", "<sip:callee@b>"),
    ]
    fields += [("Call-ID", "x"), ("CSeq", "10 INVITE"), ("Contact", "<sip:caller@10.0.0.1:5070>")]
    return Request("INVITE", Uri.parse("sip:callee@b"), Headers([*fields, *extra]))


RECORDED = [("Record-Route", "<sip:p2;lr>, <sip:p1;lr>")]


def caller(*routes: tuple[str, str]) -> Dialog:
    response = invite(*routes).reply(200, to_tag="e", headers=[("Contact", "<sip:callee@10.0.0.2>")])
    return Dialog.as_caller(invite(), response)


def test_both_ends_have_mirrored_ids() -> None:
    here, there = caller(), Dialog.as_callee(invite(), "e")
    assert (here.id.local_tag, here.id.remote_tag) == (there.id.remote_tag, there.id.local_tag) == ("c", "e")


def test_route_set_is_reversed_for_the_caller_only() -> None:
    assert [str(route.uri) for route in caller(*RECORDED).routes] == ["sip:p1;lr", "sip:p2;lr"]
    there = Dialog.as_callee(invite(*RECORDED), "e")
    assert [str(route.uri) for route in there.routes] == ["sip:p2;lr", "sip:p1;lr"]


def test_requests_count_up_and_go_to_the_contact_through_the_routes() -> None:
    dialog = caller(*RECORDED)
    first, second = dialog.request("INFO"), dialog.request("BYE")
    assert (first.cseq.number, second.cseq.number) == (11, 12)
    assert str(second.uri) == "sip:callee@10.0.0.2"
    assert second.headers.elements("Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert str(next_hop(second)) == "sip:p1;lr"
    assert str(next_hop(caller().request("BYE"))) == "sip:callee@10.0.0.2"


def test_the_ack_keeps_the_number_of_its_invite() -> None:
    dialog = caller()
    assert str(dialog.request("ACK", cseq=10).cseq) == "10 ACK"
    assert dialog.request("BYE").cseq.number == 11


def test_a_strict_router_becomes_the_request_uri() -> None:
    request = caller(("Record-Route", "<sip:strict>")).request("BYE")
    assert str(request.uri) == "sip:strict"
    assert request.headers.elements("Route") == ["<sip:callee@10.0.0.2>"]
    assert str(next_hop(request)) == "sip:strict"


def test_old_requests_are_not_accepted() -> None:
    there = Dialog.as_callee(invite(), "e")
    bye = invite().with_headers(invite().headers.with_("CSeq", "11 BYE"))
    assert there.accepts(bye) and not there.accepts(bye) and not there.accepts(invite())


def test_target_refresh_moves_the_peer_but_not_the_routes() -> None:
    there = Dialog.as_callee(invite(*RECORDED), "e")
    there.refresh(invite(("Record-Route", "<sip:other;lr>")).with_headers(Headers([("Contact", "<sip:new@10.0.0.9>")])))
    assert str(there.target) == "sip:new@10.0.0.9" and len(there.routes) == 2


def test_headers_in_a_contact_never_reach_the_request_line() -> None:
    dialog = caller()
    dialog.target = NameAddr.parse("<sip:x@y?Route=%3Csip:evil%3E>").uri
    assert str(dialog.request("BYE").uri) == "sip:x@y"
