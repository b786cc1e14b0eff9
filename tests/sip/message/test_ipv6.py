"""The cases that RFC 5118 is about, in messages of our own: IPv6 addresses wherever a SIP message can hold one."""

from __future__ import annotations

import pytest

from sip import SipParseError
from sip.message import Request, Via, parse_message
from sip.sdp import OfferAnswer
from sip.transport import Hop, literal


def message(
    uri: str = "sip:[2001:db8::10]",
    *,
    via: str = "[2001:db8::9:1]",
    contact: str = "<sip:[2001:db8::9:1]>",
    sdp: str = "",
) -> bytes:
    return (
        f"INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKv6\r\nMax-Forwards: 70\r\n"
        f"From: <sip:caller@example.net>;tag=v6\r\nTo: <{uri}>\r\nCall-ID: v6@[2001:db8::9:1]\r\nCSeq: 1 INVITE\r\n"
        f"Contact: {contact}\r\nContent-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}"
    ).encode()


def description(connection: str, media: str = "") -> str:
    return f"v=0\r\no=- 1 1 IN IP6 2001:db8::9:1\r\ns=-\r\n{connection}t=0 0\r\nm=audio 6000 RTP/AVP 8\r\n{media}"


#: What must be read (RFC 5118 4.1, 4.3 to 4.6, 4.9, 4.10) …
SOUND = {
    "a reference everywhere": message(),
    "a port within the brackets is part of the address": message("sip:[2001:db8::10:5070]"),
    "a port behind the brackets": message("sip:user@[2001:db8::10]:5070", via="[2001:db8::9:1]:5062"),
    "received with brackets": message(via="[2001:db8::9:1];received=[2001:db8::9:255]"),
    "received without brackets": message(via="[2001:db8::9:1];received=2001:db8::9:255"),
    "an IPv4 address in an IPv6 one": message(contact="<sip:user@[::ffff:192.0.2.10]:19823>"),
    "three colons, which the grammar of RFC 3261 let pass": message(via="[2001:db8:::192.0.2.1]:9000"),
    "letters in capitals": message("sip:[2001:DB8::A]"),
    "IPv6 in the description": message(sdp=description("c=IN IP6 2001:db8::9:1\r\n")),
    "two families of media": message(
        sdp=description("", "c=IN IP6 2001:db8::9:1\r\n") + "m=video 0 RTP/AVP 31\r\nc=IN IP4 192.0.2.1\r\n"
    ),
}
#: … and what must not (4.2): an address without brackets can't be told from its port.
UNSOUND = {
    "no brackets in the Request-URI": message("sip:2001:db8::10"),
    "no brackets in the Via": message(via="2001:db8::9:1"),
    "brackets left open": message("sip:[2001:db8::10"),
    "a zone, which no URI has a place for": message("sip:[fe80::1%25eth0]"),
    "no brackets in the Contact": message(contact="<sip:user@2001:db8::9:1>"),
}


@pytest.mark.parametrize("data", SOUND.values(), ids=SOUND.keys())
def test_read_and_written_again_the_same(data: bytes) -> None:
    request = parse_message(data)
    again = parse_message(request.encode())
    assert isinstance(request, Request) and isinstance(again, Request)
    assert (again.uri, again.via, again.contact, again.body) == (
        request.uri,
        request.via,
        request.contact,
        request.body,
    )
    parse_message(request.reply(200, to_tag="x").encode())


@pytest.mark.parametrize("data", UNSOUND.values(), ids=UNSOUND.keys())
def test_refused_with_400(data: bytes) -> None:
    with pytest.raises(SipParseError) as caught:
        parse_message(data)
    assert caught.value.status == 400


def test_the_port_is_where_the_grammar_puts_it() -> None:
    within, behind = (parse_message(SOUND[name]) for name in list(SOUND)[1:3])
    assert isinstance(within, Request) and isinstance(behind, Request)
    assert literal(within.uri) == Hop("UDP", "2001:db8::10:5070", 5060)
    assert literal(behind.uri) == Hop("UDP", "2001:db8::10", 5070)
    assert behind.via.sent_by == ("[2001:db8::9:1]", 5062)


def test_what_we_note_of_the_source_has_no_quotes() -> None:
    via = Via.parse("SIP/2.0/UDP [2001:db8::1];branch=z9hG4bK1;rport").seen_from(("2001:db8::99", 6000))
    assert ";received=2001:db8::99;rport=6000" in str(via)
    assert Via.parse(str(via)) == via


@pytest.mark.parametrize("name", ["IPv6 in the description", "two families of media"])
def test_media_of_the_other_family_is_answered_or_refused_by_the_session(name: str) -> None:
    body, agreed = OfferAnswer(("2001:db8::1", 7000), 1).answer(parse_message(SOUND[name]).body)
    assert agreed.remote == ("2001:db8::9:1", 6000)
    assert b"IP6 2001:db8::1" in body
