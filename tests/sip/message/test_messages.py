"""Messages as values: URIs, addresses, Via notes, replies, and no way to smuggle a line break in."""

from __future__ import annotations

import pytest

from sip import SipParseError
from sip.message import CSeq, Headers, NameAddr, Request, Uri, Via, parse_message

INVITE = (
    b"INVITE sip:bob@192.0.2.4 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;rport, SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK2\r\n"
    b"f: \xe6\x9d\x8e <sip:a@b>;tag=1\r\nt: <sip:bob@192.0.2.4>\r\ni: c1\r\nCSeq: 7 INVITE\r\n"
    b"Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\nm: <sip:a@10.0.0.1>\r\n\r\n"
)


@pytest.mark.parametrize(
    ("text", "user", "host", "port", "number"),
    [
        ("sip:13800138000@10.1.2.3:5070;user=phone", "13800138000", "10.1.2.3", 5070, "13800138000"),
        ("sip:%2B8610@[2001:db8::1]:5060", "%2B8610", "[2001:db8::1]", 5060, "+8610"),
        ("SIPS:example.com", None, "example.com", None, ""),
        ("tel:+86-10-1234;phone-context=x", "+86-10-1234", "", None, "+86-10-1234"),
        ("sip:alice:secret@h;", "alice:secret", "h", None, "alice"),
    ],
)
def test_uris(text: str, user: str | None, host: str, port: int | None, number: str) -> None:
    uri = Uri.parse(text)
    assert (uri.user, uri.host, uri.port, uri.number) == (user, host, port, number)
    assert Uri.parse(str(uri)) == uri


@pytest.mark.parametrize("text", ["", "bob", "sip:", "sip:@h", "sip:a b@h", "sip:h:99999", "sip:a@h>", "sip:a@h:"])
def test_bad_uris(text: str) -> None:
    with pytest.raises(SipParseError):
        Uri.parse(text)


def test_display_names_survive_quoting() -> None:
    for name in ('李"雷"', "a, b", "back\\slash", ""):
        address = NameAddr(Uri.parse("sip:a@b"), name).with_tag("t1")
        assert NameAddr.parse(str(address)) == address


def test_parameters_of_a_bare_address_belong_to_the_field() -> None:
    assert NameAddr.parse("sip:a@b;tag=5").tag == "5"
    assert NameAddr.parse("<sip:a@b;tag=5>").tag is None


def test_reply_copies_what_rfc_3261_8_2_6_wants() -> None:
    request = parse_message(INVITE)
    assert isinstance(request, Request)
    reply = request.reply(180, to_tag="t9")
    assert reply.headers.elements("Via") == request.headers.elements("Via")
    assert reply.to.tag == "t9" and reply.from_.display == "李" and reply.cseq == CSeq(7, "INVITE")
    assert reply.headers.elements("Record-Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert request.reply(100, to_tag="t9").to.tag is None
    assert "Record-Route" not in request.reply(486).headers


def test_via_notes_where_a_request_came_from() -> None:
    asked = Via.parse("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;rport").seen_from(("198.51.100.7", 40001))
    assert dict(asked.parameters) == {"branch": "z9hG4bK1", "received": "198.51.100.7", "rport": "40001"}
    plain = Via.parse("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1").seen_from(("10.0.0.1", 5070))
    assert plain.parameters == (("branch", "z9hG4bK1"),)


def test_a_line_break_in_a_field_is_never_sent() -> None:
    request = Request("OPTIONS", Uri.parse("sip:a@b"), Headers([("Subject", "x\r\nEvil: 1")]))
    with pytest.raises(ValueError, match="line break"):
        request.encode()


def test_refusal_carries_what_an_answer_needs() -> None:
    with pytest.raises(SipParseError) as caught:
        parse_message(INVITE.replace(b"CSeq: 7 INVITE", b"CSeq: 7 BYE"))
    assert caught.value.method == "INVITE"
    assert dict(caught.value.fields)["Call-ID"] == "c1"
