"""Messages as a carrier sends them, each one different, so that no cache can know them."""

from __future__ import annotations

import random
from collections.abc import Callable

SDP = (
    "v=0\r\no=- {n} {n} IN IP4 203.0.113.{h}\r\ns=-\r\nc=IN IP4 203.0.113.{h}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)


def _message(start_line: str, method: str, number: int, *, with_body: bool) -> bytes:
    chance = random.Random(number)
    n, h = chance.randrange(10**9), number % 250
    body = SDP.format(n=n, h=h, port=10_000 + number % 50_000) if with_body else ""
    kind = "Content-Type: application/sdp\r\n" if with_body else ""
    return (
        f"{start_line}\r\nVia: SIP/2.0/UDP 203.0.113.{h}:5060;branch=z9hG4bK{n:x}.{number};rport\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.{h}:5060;branch=z9hG4bKa{n:x};received=192.0.2.{h}\r\n"
        f"Record-Route: <sip:203.0.113.{h};lr;ftag=t{n}>\r\nMax-Forwards: 69\r\n"
        f'From: "{number:011d}" <sip:1{number:010d}@203.0.113.1>;tag=t{n}\r\nTo: <sip:95{number:09d}@198.51.100.7>\r\n'
        f"Call-ID: {n:x}-{number}@192.0.2.1\r\nCSeq: {number % 1000 + 1} {method}\r\n"
        f"Contact: <sip:1{number:010d}@192.0.2.{h}:5060;transport=udp>\r\n"
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE\r\nSupported: timer, replaces\r\n"
        f"User-Agent: carrier-sbc 4.{number % 9}\r\nSession-Expires: 1800\r\n"
        f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def invite(number: int) -> bytes:
    return _message(f"INVITE sip:95{number:09d}@198.51.100.7:5060 SIP/2.0", "INVITE", number, with_body=True)


def ok(number: int) -> bytes:
    return _message("SIP/2.0 200 OK", "INVITE", number, with_body=True)


def bye(number: int) -> bytes:
    return _message(f"BYE sip:95{number:09d}@198.51.100.7:5060 SIP/2.0", "BYE", number, with_body=False)


KINDS: dict[str, Callable[[int], bytes]] = {"INVITE": invite, "200": ok, "BYE": bye}
