"""RFC 4475: every valid message is understood, every invalid one refused, or accepted for a reason stated here."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip import SipParseError
from sip.message import Request, Response, parse_message

FOLDER = Path(__file__).parents[1] / "torture"

# Section 3.1.1
VALID = [
    "wsinv",
    "intmeth",
    "esc01",
    "escnull",
    "esc02",
    "lwsdisp",
    "longreq",
    "dblreq",
    "semiuri",
    "transports",
    "mpart01",
    "unreason",
    "noreason",
]

# Section 3.1.2, with the words our refusal must hold
INVALID = {
    "badinv01": "parameter name",
    "clerr": "Content-Length",
    "ncl": "Content-Length",
    "scalar02": "CSeq",
    "scalarlg": "CSeq",
    "quotbal": "not closed",
    "ltgtruri": "URI",
    "lwsruri": "request line",
    "lwsstart": "request line",
    "trws": "request line",
    "escruri": "Request-URI",
    "regbadct": "angle brackets",
    "badaspec": "URI",
    "baddn": "blank line",
    "badvers": "version",
    "mismatch01": "CSeq",
    "mismatch02": "CSeq",
    "bigcode": "status line",
}

# Accepted although section 3.1.2 lists it: we never read Date, and a call must not fail for its time zone.
TOLERATED = ["baddate"]

# Sections 3.2 to 3.4: sound for the parser, to be judged above it …
FOR_HIGHER_LAYERS = [
    "badbranch",
    "unkscm",
    "novelsc",
    "unksm2",
    "bext01",
    "invut",
    "regaut01",
    "bcast",
    "zeromf",
    "cparam01",
    "cparam02",
    "regescrt",
    "sdp01",
    "inv2543",
]

# … and those where a field that a reply needs is missing or stands twice.
INCOMPLETE = {"insuf": "0 From", "multi01": "2 From", "mcl01": "Content-Length"}


def load(name: str) -> bytes:
    return (FOLDER / f"{name}.dat").read_bytes()


@pytest.mark.parametrize("name", [*VALID, *TOLERATED, *FOR_HIGHER_LAYERS])
def test_understood_and_written_again_the_same(name: str) -> None:
    message = parse_message(load(name))
    again = parse_message(message.encode())
    assert again.headers.without("Content-Length") == message.headers.without("Content-Length")
    assert again.body == message.body
    assert again.call_id and again.via and again.cseq.number >= 0


@pytest.mark.parametrize(("name", "words"), [*INVALID.items(), *INCOMPLETE.items()])
def test_refused_with_a_reason(name: str, words: str) -> None:
    with pytest.raises(SipParseError, match=words) as caught:
        parse_message(load(name))
    assert caught.value.status == (505 if name == "badvers" else 400)


def test_every_file_has_its_verdict() -> None:
    judged = {*VALID, *INVALID, *TOLERATED, *FOR_HIGHER_LAYERS, *INCOMPLETE}
    assert judged == {path.stem for path in FOLDER.glob("*.dat")}
    assert len(judged) == 49


def test_wsinv_is_read_in_full() -> None:
    invite = parse_message(load("wsinv"))
    assert isinstance(invite, Request)
    assert invite.via.host == "192.0.2.2" and invite.via.branch == "390skdjuw"
    assert next(via.split()[0] for via in invite.headers.elements("Via")) == "SIP"
    assert len(invite.headers.elements("Via")) == 3
    assert invite.to.tag == "1918181833n"
    assert invite.from_.display == 'J Rosenberg \\"' and invite.from_.tag == "98asjd8"
    assert (invite.cseq.number, invite.cseq.method) == (9, "INVITE")
    assert invite.contact is not None and str(invite.contact.uri) == "sip:jdrosen@example.com"
    assert invite.content_type == "application/sdp" and len(invite.body) == 150


def test_intmeth_keeps_the_strangest_method() -> None:
    request = parse_message(load("intmeth"))
    assert isinstance(request, Request)
    assert request.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert request.uri.host == "example.com"
    assert not any(ord(character) < 32 for character in request.to.display)


def test_semiuri_keeps_the_semicolon_in_the_user() -> None:
    request = parse_message(load("semiuri"))
    assert isinstance(request, Request)
    assert request.uri.user == "user;par=u%40example.net" and request.uri.parameters == ()


def test_dblreq_ends_where_its_length_says() -> None:
    request = parse_message(load("dblreq"))
    assert isinstance(request, Request)
    assert request.method == "REGISTER" and request.body == b""


def test_noreason_and_unreason() -> None:
    plain, unicode = parse_message(load("noreason")), parse_message(load("unreason"))
    assert isinstance(plain, Response) and isinstance(unicode, Response)
    assert (plain.status, plain.reason) == (100, "")
    assert unicode.status == 200 and "простое" in unicode.reason


def test_mpart01_keeps_a_binary_body() -> None:
    message = parse_message(load("mpart01"))
    assert len(message.body) == int(message.headers.get("Content-Length") or 0)
    assert message.body.count(b"--7a9cbec02ceef655") == 3
