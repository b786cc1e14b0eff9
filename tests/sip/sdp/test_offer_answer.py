"""RFC 3264: what is offered, what is answered, which way the audio flows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip import SdpError
from sip.sdp import OfferAnswer, parse_sdp

OFFER = (
    "v=0\r\no=- 20518 0 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\n"
    "m=audio 54400 RTP/AVP 18 96 8 0 97\r\na=rtpmap:96 AMR/8000\r\na=rtpmap:97 telephone-event/8000\r\n"
)


def half() -> OfferAnswer:
    return OfferAnswer(("192.0.2.1", 30000), 42)


def offering(*, media: str = "m=audio 54400 RTP/AVP 8", session: str = "", tail: str = "") -> bytes:
    return (
        f"v=0\r\no=- 1 1 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\n{session}{media}\r\n{tail}"
    ).encode()


def test_two_halves_agree() -> None:
    caller, callee = half(), OfferAnswer(("192.0.2.2", 40000), 43)
    answer, at_callee = callee.answer(caller.offer())
    at_caller = caller.accept(answer)
    assert at_callee.remote == ("192.0.2.1", 30000) and at_caller.remote == ("192.0.2.2", 40000)
    assert at_callee.codec == at_caller.codec == "PCMA"
    assert at_callee.telephone_event == at_caller.telephone_event == 101
    assert at_callee.direction == at_caller.direction == "sendrecv"
    assert b"a=ptime:20" in answer


def test_first_codec_of_the_offer_that_we_have_wins() -> None:
    answer, agreed = half().answer(OFFER.encode())
    assert (agreed.codec, agreed.payload_type, agreed.telephone_event) == ("PCMA", 8, 97)
    assert parse_sdp(answer).media[0].formats == ("8", "97")


def test_dynamic_payload_type_of_a_codec_we_have() -> None:
    offer = offering(media="m=audio 4000 RTP/AVP 99", tail="a=rtpmap:99 pcmu/8000/1\r\n")
    answer, agreed = half().answer(offer)
    assert (agreed.codec, agreed.payload_type) == ("PCMU", 99)
    assert b"a=rtpmap:99 PCMU/8000" in answer


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv")],
)
@pytest.mark.parametrize("level", ["session", "media", "last line without a line end"])
def test_hold_is_answered_with_the_mirrored_direction(theirs: str, ours: str, level: str) -> None:
    line = f"a={theirs}"
    offer = offering(session=line + "\r\n") if level == "session" else offering(tail=line + "\r\n")
    answer, agreed = half().answer(offer if level != "last line without a line end" else offer[:-2])
    assert agreed.direction == ours
    assert parse_sdp(answer).media[0].direction == ours


def test_media_direction_beats_session_direction() -> None:
    _, agreed = half().answer(offering(session="a=inactive\r\n", tail="a=sendonly\r\n"))
    assert agreed.direction == "recvonly"


def test_hold_of_rfc_2543_sends_to_nobody() -> None:
    _, agreed = half().answer(OFFER.replace("c=IN IP4 203.0.113.1", "c=IN IP4 0.0.0.0").encode())
    assert agreed.direction == "recvonly"


def test_other_streams_are_refused_one_by_one() -> None:
    media = "m=video 5000 RTP/AVP 31\r\nm=audio 5002 RTP/SAVP 8\r\nm=audio 5004 RTP/AVP 0"
    answer, agreed = half().answer(offering(media=media))
    assert [(m.kind, m.port, m.protocol) for m in parse_sdp(answer).media] == [
        ("video", 0, "RTP/AVP"),
        ("audio", 0, "RTP/SAVP"),
        ("audio", 30000, "RTP/AVP"),
    ]
    assert agreed.remote[1] == 5004


@pytest.mark.parametrize(
    "media",
    ["m=audio 0 RTP/AVP 8", "m=audio 4000 RTP/AVP 18", "m=audio 4000 RTP/SAVP 8", "m=video 4000 RTP/AVP 8"],
)
def test_offers_without_anything_for_us(media: str) -> None:
    with pytest.raises(SdpError) as caught:
        half().answer(offering(media=media))
    assert caught.value.status == 488


def test_answer_that_refuses_us_is_no_answer() -> None:
    with pytest.raises(SdpError):
        half().accept(offering(media="m=audio 0 RTP/AVP 8"))


def test_connection_must_be_an_address() -> None:
    with pytest.raises(SdpError, match="IP address"):
        half().answer(OFFER.replace("c=IN IP4 203.0.113.1", "c=IN IP4 evil.example").encode())


def test_version_rises_only_when_something_changed() -> None:
    ours = half()
    first = parse_sdp(ours.answer(OFFER.encode())[0]).origin
    again = parse_sdp(ours.answer(OFFER.encode())[0]).origin
    held = parse_sdp(ours.answer(offering(tail="a=sendonly\r\n"))[0]).origin
    assert first == again
    assert held.session_id == first.session_id and int(held.version) == int(first.version) + 1


@given(st.binary(max_size=200))
def test_any_bytes_are_an_offer_or_an_sdp_error(data: bytes) -> None:
    answers_or_refuses(data)


LINES = [
    "v=0",
    "o=- 1 1 IN IP4 1.2.3.4",
    "s=",
    "c=IN IP4 1.2.3.4/127",
    "c=",
    "t=0 0",
    "m=audio 4000 RTP/AVP 8 0",
]
LINES += [
    "m=audio 99999 RTP/AVP 8",
    "m=audio 4 RTP/AVP x",
    "a=sendonly",
    "a=rtpmap:8",
    "a=rtpmap:8 ",
    "a",
    "=",
    "a=:",
]
LINES += [
    "a=rtpmap:101 telephone-event/8000",
    "m=video 1 RTP/AVPF 31",
    "c=IN IP6 ::",
    "m=audio 4/2 RTP/AVP 8 300",
]


@given(st.lists(st.sampled_from(LINES), max_size=12), st.sampled_from(["\r\n", "\n"]))
def test_any_mixture_of_lines(lines: list[str], end: str) -> None:
    answers_or_refuses(end.join(["v=0", *lines]).encode())


def answers_or_refuses(data: bytes) -> None:
    try:
        answer, agreed = half().answer(data)
    except SdpError as error:
        assert error.reason
        return
    again = parse_sdp(answer)
    assert len(again.media) == len(parse_sdp(data).media)
    assert sum(media.port > 0 for media in again.media) == 1
    assert 0 <= agreed.payload_type < 128
