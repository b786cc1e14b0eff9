"""Which codec under which number, and what a re-INVITE of ours must keep of the session (RFC 3264 section 8)."""

from __future__ import annotations

import pytest

from sip import SdpError
from sip.sdp import Codec, OfferAnswer, parse_sdp

HEAD = "v=0\r\no=- 1 1 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\n"
ALL: tuple[Codec, ...] = ("PCMA", "PCMU", "G722", "opus")
BROWSER = (
    "m=audio 4000 RTP/AVP 96 9 8 0 97 98\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:97 telephone-event/48000\r\n"
    "a=rtpmap:98 telephone-event/8000\r\na=rtcp-mux\r\n"
)


def half(*codecs: Codec) -> OfferAnswer:
    return OfferAnswer(("192.0.2.1", 30000), 42, codecs or ("PCMA", "PCMU"))


def offering(media: str) -> bytes:
    return (HEAD + media).encode()


@pytest.mark.parametrize(("codecs", "agreed", "number", "event", "clock"), [
    (ALL, "opus", 96, 97, 48000), (("G722", "PCMA"), "G722", 9, 98, 8000), (("PCMU",), "PCMU", 0, 98, 8000)])
def test_digits_have_the_clock_of_the_audio(codecs, agreed, number, event, clock) -> None:  # type: ignore[no-untyped-def]
    answer, result = half(*codecs).answer(offering(BROWSER))
    assert (result.codec, result.payload_type) == (agreed, number)
    assert (result.telephone_event, result.event_clock) == (event, clock)
    assert parse_sdp(answer).media[0].formats == (str(number), str(event))


def test_names_and_clocks_in_our_offer() -> None:
    text = half(*ALL).offer().decode()
    for line in ("rtpmap:9 G722/8000", "rtpmap:111 opus/48000/2", "rtpmap:101 telephone-event/8000",
                 "rtpmap:110 telephone-event/48000"):
        assert f"a={line}\r\n" in text


def test_a_codec_that_was_not_wanted_is_not_taken() -> None:
    with pytest.raises(SdpError, match="PCMA"):
        half("PCMA").answer(offering("m=audio 4000 RTP/AVP 9 96\r\na=rtpmap:96 opus/48000/2\r\n"))


def test_our_re_invite_keeps_numbers_and_streams_of_the_peers_offer() -> None:
    ours = half(*ALL)
    ours.answer(offering(
        "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8 101 96\r\na=rtpmap:101 opus/48000/2\r\n"
        "a=rtpmap:96 telephone-event/8000\r\n"))
    again = parse_sdp(ours.offer())
    video, audio = again.media
    assert (video.kind, video.port, audio.port) == ("video", 0, 30000)
    assert audio.formats[0] == "8", "the codec that is spoken comes first"
    assert audio.rtpmap("101") == "OPUS/48000/2" and audio.rtpmap("96") == "TELEPHONE-EVENT/8000"
    assert len(set(audio.formats)) == len(audio.formats)


def test_the_answer_is_read_at_the_place_of_our_stream() -> None:
    ours = half()
    ours.answer(offering("m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8\r\n"))
    ours.offer()
    agreed = ours.accept(offering("m=video 0 RTP/AVP 31\r\nm=audio 4002 RTP/AVP 8\r\na=sendonly\r\n"))
    assert agreed.remote[1] == 4002 and agreed.direction == "recvonly"
    with pytest.raises(SdpError):
        ours.accept(offering("m=audio 4002 RTP/AVP 8\r\n"))


def test_rtcp_shares_the_port_only_where_both_say_so() -> None:
    answer, agreed = half().answer(offering(BROWSER))
    assert agreed.rtcp_mux and b"a=rtcp-mux" in answer
    quiet = half()
    quiet.offer()
    assert not quiet.accept(offering(BROWSER)).rtcp_mux
    assert b"rtcp-mux" not in half().answer(offering("m=audio 4000 RTP/AVP 8\r\n"))[0]


@pytest.mark.parametrize(("line", "address"), [
    ("rtcp:53020", ("203.0.113.1", 53020)), ("rtcp:53020 IN IP4 203.0.113.9", ("203.0.113.9", 53020)),
    ("rtcp:0", None), ("rtcp:x", None), ("rtcp", None), ("rtcp:99999999999", None)])
def test_rtcp_address_of_the_peer(line: str, address: tuple[str, int] | None) -> None:
    assert half().answer(offering(f"m=audio 4000 RTP/AVP 8\r\na={line}\r\n"))[1].rtcp == address


def test_the_public_address_stands_in_for_ours() -> None:
    ours = OfferAnswer(("10.0.0.5", 30000), 42, public_address="198.51.100.7")
    written = parse_sdp(ours.offer())
    assert written.connection == written.origin.address == "198.51.100.7"
