"""Whatever bytes come, the parser gives a message or raises SipParseError, never anything else."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sip import SipParseError
from sip.message import Headers, NameAddr, Request, Uri, Via, parse_message

SEEDS = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "torture").glob("*.dat"))]
TOKENS = [
    b"\r\n",
    b"\r\n ",
    b";",
    b",",
    b'"',
    b"<",
    b">",
    b":",
    b"\\",
    b"\x00",
    b"@",
    b"[",
    b"%",
    b"=",
    b"\xff",
]


def survives(data: bytes) -> None:
    try:
        message = parse_message(data)
    except SipParseError as error:
        assert error.reason and 400 <= error.status < 600
        return
    again = parse_message(message.encode())
    assert again.call_id == message.call_id and again.cseq == message.cseq
    assert str(again.via) == str(message.via) and again.body == message.body
    if isinstance(message, Request):
        parse_message(message.reply(200, to_tag="t").encode())


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    survives(data)


@settings(max_examples=400)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(TOKENS), st.booleans())))
def test_torture_messages_with_syntax_thrown_in(seed: bytes, edits: list[tuple[int, bytes, bool]]) -> None:
    data = bytearray(seed)
    for position, token, replaces in edits[:6]:
        at = position % (len(data) + 1)
        data[at : at + (len(token) if replaces else 0)] = token
    survives(bytes(data))


@given(st.sampled_from(SEEDS), st.integers(0, 4000))
def test_truncated_messages(seed: bytes, length: int) -> None:
    survives(seed[: length % (len(seed) + 1)])


@given(st.text(max_size=80))
def test_any_text_as_uri_address_and_via(text: str) -> None:
    for parse in (Uri.parse, NameAddr.parse, Via.parse):
        try:
            value = parse(text)
        except SipParseError:
            continue
        assert str(parse(str(value))) == str(value)


@given(st.lists(st.tuples(st.sampled_from(["v", "VIA", "Contact", "x-A", "call-id"]), st.text(max_size=20))))
def test_headers_find_what_was_put_in(items: list[tuple[str, str]]) -> None:
    headers = Headers(items)
    for name in ("Via", "contact", "X-a", "i"):
        wanted = {"Via": ("v", "via"), "i": ("call-id", "i")}.get(name, (name.lower(),))
        assert headers.all(name) == [value for key, value in items if key.lower() in wanted]
        assert headers.with_(name, "one", "two").all(name) == ["one", "two"]
        assert name not in headers.without(name)


def test_many_header_fields_and_huge_messages_are_refused_quickly() -> None:
    for data in (b"A" * 9000, b"INVITE sip:a SIP/2.0\r\n" + b"a:b\r\n" * 1500 + b"\r\n", b"\r\n" * 4000, b""):
        try:
            parse_message(data)
        except SipParseError:
            continue
        raise AssertionError("accepted")
