"""Refer-To, Replaces and sipfrag as values: what the world writes is read, anything else is one error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip import (
    SipParseError,
)
from sip.message import Headers, Uri
from sip.replaces import ReferTo, Replaces, frag_status

pytestmark = pytest.mark.looptime

BOT = "sip:95588@192.0.2.1"
TOKENS = st.text("abcXYZ0189-._~", min_size=1, max_size=12)


@given(TOKENS, TOKENS, TOKENS, TOKENS, st.booleans())
def test_replaces_survives_the_way_through_a_uri(a: str, b: str, to_tag: str, from_tag: str, early: bool) -> None:
    replaces = Replaces(f"{a}@{b}", to_tag, from_tag, early)
    assert Replaces.parse(str(replaces)) == replaces
    where = ReferTo(Uri.parse("sip:bob@192.0.2.4;transport=tcp"), replaces)
    assert ReferTo.of(Headers([("Refer-To", str(where))])) == where


@pytest.mark.parametrize(
    "text",
    [
        "<sip:bob@127.0.0.1?Replaces=a1%40b%3bto-tag%3dT1%3bfrom-tag%3dF1>",  # as linphone writes it
        "sip:bob@127.0.0.1 ",
        "<sip:bob@127.0.0.1?REPLACES=a1%40b%3Bfrom-tag%3DF1%3Bto-tag%3DT1&Require=replaces>",
    ],
)
def test_refer_to_as_the_world_writes_it(text: str) -> None:
    where = ReferTo.of(Headers([("r", text)]))
    assert str(where.uri) == "sip:bob@127.0.0.1"
    assert where.replaces in (None, Replaces("a1@b", "T1", "F1"))
    assert (where.replaces is None) == ("?" not in text)


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["<sip:a@b>", "<sip:c@d>"],
        ["<sip:a@b>, <sip:c@d>"],
        ["<sip:a@b;method=BYE>"],
        ["<mailto:a@b>"],
        ["<sip:a@b?Replaces=x>"],
        ["nonsense"],
    ],
)
def test_a_refer_that_points_nowhere(values: list[str]) -> None:
    with pytest.raises(SipParseError):
        ReferTo.of(Headers([("Refer-To", value) for value in values]))


@given(st.text(max_size=60))
def test_any_text_is_refer_to_or_one_error(text: str) -> None:
    for read in (Replaces.parse, lambda value: ReferTo.of(Headers([("Refer-To", value)]))):
        try:
            read(text)
        except SipParseError:
            continue


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"SIP/2.0 200 OK\r\n", (200, "OK")),
        (b"SIP/2.0 180 Ringing", (180, "Ringing")),
        (b"\r\nsip/2.0 486 Busy Here\nVia: x\r\n", (486, "Busy Here")),
        (b"SIP/2.0 200", (200, "")),
        (b"SIP/3.0 200 OK", None),
        (b"SIP/2.0 99 x", None),
        (b"SIP/2.0 999 x", None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_fragments(body: bytes, told: tuple[int, str] | None) -> None:
    assert frag_status(body) == told
