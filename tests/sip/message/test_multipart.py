"""A session description among other parts, as carriers send it beside ISUP or a location."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.message import Headers, Request, Response, Uri
from sip.message.multipart import part_of
from sip.testing import SimNetwork
from tests.sip.laboratory import Laboratory
from tests.sip.standing import Standing

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
ISUP = b"\x01\x11\x48\x00\x0a\x03\x02\x0a\x08\x83\x90\xa0"


def wrapped(*parts: tuple[bytes, bytes], edge: bytes = b"edge", newline: bytes = b"\r\n") -> bytes:
    pieces = [b"--" + edge + newline + head + (newline if head else b"") + newline + body for head, body in parts]
    return newline.join([b"a preamble", *pieces, b"--" + edge + b"--", b"an epilogue"])


def test_the_description_is_found_wherever_it_stands() -> None:
    sdp, isup = (b"Content-Type: application/sdp", SDP), (b"Content-Type: application/ISUP;version=itu-t92+", ISUP)
    for parts in ([sdp, isup], [isup, sdp], [sdp]):
        assert part_of("multipart/mixed;boundary=edge", wrapped(*parts), "application/sdp") == SDP
    assert part_of("multipart/mixed;boundary=edge", wrapped(isup), "application/sdp") == b""


@pytest.mark.parametrize(
    ("field", "head", "newline"),
    [
        ('multipart/mixed; boundary="e d+g(e)"', b"content-type:application/sdp", b"\r\n"),
        ("Multipart/Mixed;charset=x ; BOUNDARY=e.dge", b"Content-Type : Application/SDP; charset=utf-8", b"\n"),
        ("multipart/mixed;boundary=edge", b"Content-Disposition: session\r\nc: application/sdp", b"\r\n"),
    ],
)
def test_as_the_world_writes_it(field: str, head: bytes, newline: bytes) -> None:
    edge = {"e d+g(e)": b"e d+g(e)"}.get(field.partition('"')[2].rstrip('"'), field.rpartition("=")[2].encode())
    body = wrapped((b"", b"hello"), (head, SDP), edge=edge, newline=newline)
    assert part_of(field, body, "application/sdp") == SDP


@given(st.text(max_size=40), st.binary(max_size=80))
def test_any_bytes_have_a_part_or_none(field: str, body: bytes) -> None:
    assert isinstance(part_of(field, body, "application/sdp"), bytes)
    assert part_of("multipart/mixed;boundary=a", body, "application/sdp") in body


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_a_part_comes_out_as_it_went_in(other: bytes, content: bytes) -> None:
    body = wrapped((b"Content-Type: text/x", other), (b"Content-Type: application/sdp", content), edge=b"E" * 60)
    assert part_of(f"multipart/mixed;boundary={'E' * 60}", body, "application/sdp") == content


def test_the_description_of_a_message() -> None:
    def message(kind: str | None, body: bytes) -> bytes:
        return Request("INVITE", Uri.parse("sip:a@b"), Headers([("Content-Type", kind)] if kind else []), body).sdp

    assert message("application/sdp", SDP) == message(None, SDP) == SDP
    assert message("text/plain", SDP) == message("multipart/mixed", SDP) == b""
    assert message('multipart/mixed;boundary="edge"', wrapped((b"Content-Type: application/sdp", SDP))) == SDP


def test_100_returns_the_time_stamp() -> None:
    request = Request(
        "INVITE", Uri.parse("sip:a@b"), Headers([("CSeq", "1 INVITE"), ("To", "<sip:a@b>"), ("Timestamp", "54")])
    )
    assert request.reply(100).headers.get("Timestamp") == "54" and "Timestamp" not in request.reply(180).headers


@pytest.mark.looptime
async def test_a_call_with_isup_beside_its_offer() -> None:
    lab = Laboratory(SimNetwork())
    agent, peer = await lab.agent(), lab.peer()
    kind = [("Content-Type", "multipart/mixed;boundary=edge")]
    body = wrapped((b"Content-Type: application/ISUP", ISUP), (b"Content-Type: application/sdp", peer.sdp()))
    invite = peer.compose("INVITE", "sip:bot@192.0.2.1", body=body, headers=kind)
    peer.send(invite, agent.address)
    response = await peer.response(200)
    assert isinstance(response, Response) and b"m=audio" in response.body
    there = Standing(agent, peer, lab.incoming[0], invite, cseq=1)
    there.within("ACK")
    held = wrapped((b"Content-Type: application/sdp", peer.sdp("sendonly")))
    there.within("INVITE", headers=kind, body=held)
    assert b"a=recvonly" in (await peer.response(200)).body
    there.within("ACK")
    there.within("INVITE", headers=[("Content-Type", "text/plain")], body=b"hello")
    await peer.response(415)
    await there.bye()
    await agent.close()
