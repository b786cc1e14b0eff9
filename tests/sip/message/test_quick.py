"""The quick way takes only what the thorough one takes, and gives the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import SipParseError
from sip.message import NameAddr, Uri, Via
from sip.message.parser import _parse_thoroughly
from sip.message.quick import parse_quickly

TORTURE = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "torture").glob("*.dat"))]
USUAL = (
    b"INVITE sip:955550001@198.51.100.7:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bK1;rport\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2;received=192.0.2.9\r\nRecord-Route: <sip:203.0.113.5;lr>\r\n"
    b'Max-Forwards: 69\r\nFrom: "13800000000" <sip:13800000000@203.0.113.1>;tag=t1\r\n'
    b"To: <sip:955550001@198.51.100.7>\r\nCall-ID: abc@192.0.2.1\r\nCSeq: 7 INVITE\r\n"
    b"Contact: <sip:13800000000@192.0.2.9:5060;transport=udp>\r\nContent-Length: 3\r\n\r\nv=0"
)
RESPONSE = USUAL.replace(b"INVITE sip:955550001@198.51.100.7:5060 SIP/2.0", b"SIP/2.0 486 Busy Here")
PIECES = [
    b"\r\n", b" ", b"\t", b";", b",", b'"', b"<", b">", b":", b"\\", b"\x00", b"@", b"[", b"%", b"=", b"\xff", b"0",
    b"?", b"9999999999", b"65536", b"sip:", b"*", b"From: <sip:a@b>\r\n", b"l: 3\r\n", b"\x7f", b"\xc2\x85",
]  # fmt: skip


def compare(data: bytes) -> None:
    """Wherever the quick way has an answer, the thorough one has the same."""
    head, _, body = data.partition(b"\r\n\r\n")
    quick = parse_quickly(head, body)
    if quick is None:
        return
    thorough = _parse_thoroughly(head, body)
    assert quick == thorough
    assert (quick.via, quick.from_, quick.to, quick.cseq, quick.contact) == (
        thorough.via, thorough.from_, thorough.to, thorough.cseq, thorough.contact,
    )  # fmt: skip


@pytest.mark.parametrize("data", [USUAL, RESPONSE])
def test_the_usual_is_read_quickly(data: bytes) -> None:
    head, _, body = data.partition(b"\r\n\r\n")
    assert parse_quickly(head, body) is not None
    compare(data)


@settings(max_examples=300)
@given(
    st.sampled_from([USUAL, RESPONSE]),
    st.lists(st.tuples(st.integers(0, 1000), st.sampled_from(PIECES), st.integers(0, 3)), max_size=4),
)
def test_syntax_thrown_in(seed: bytes, edits: list[tuple[int, bytes, int]]) -> None:
    data = bytearray(seed)
    for place, piece, replaced in edits:
        at = place % (len(data) + 1)
        data[at : at + replaced] = piece
    compare(bytes(data))


def test_every_single_byte_changed() -> None:
    chance = random.Random(4)
    for at in range(len(USUAL)):
        for value in {0, 9, 10, 13, 32, 34, 44, 58, 59, 60, 62, 64, 92, 127, 255, chance.randrange(256)}:
            compare(USUAL[:at] + bytes([value]) + USUAL[at + 1 :])


@pytest.mark.parametrize("data", TORTURE)
def test_torture_messages(data: bytes) -> None:
    compare(data.lstrip(b"\r\n"))


FIELDS = [
    "SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bK1;rport;received=192.0.2.9",
    "SIP/2.0/TCP [2001:db8::1]:5061;alias",
    "sip:13800000000@203.0.113.1:5060;transport=udp;lr",
    "sips:example.com",
    '"13800000000" <sip:13800000000@203.0.113.1>;tag=t1;x',
    "Bob <sip:bob@example.com;user=phone>;expires=60;q=0.5",
    "<sip:+861@a;lr>",
]
CHARACTERS = [
    " ",
    "\t",
    ";",
    ",",
    '"',
    "<",
    ">",
    ":",
    "\\",
    "\x00",
    "\x7f",
    "@",
    "[",
    "]",
    "%41",
    "=",
    "é",
    "?",
    "A",
    "",
]


@settings(max_examples=300)
@given(
    st.sampled_from(FIELDS),
    st.lists(st.tuples(st.integers(0, 80), st.sampled_from(CHARACTERS), st.integers(0, 2)), max_size=3),
)
def test_plain_fields_are_read_as_the_longer_way_reads_them(text: str, edits: list[tuple[int, str, int]]) -> None:
    for place, piece, replaced in edits:
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + replaced :]
    for kind in (Uri, NameAddr, Via):
        assert _reading(kind.parse, text) == _reading(kind._parse_fully, text if kind is Uri else text.strip())


def _reading(parse: Callable[[str], object], text: str) -> object:
    try:
        return parse(text)
    except SipParseError:
        return "refused"
