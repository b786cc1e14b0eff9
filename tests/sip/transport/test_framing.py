"""A stream is cut where its messages end, however it arrives; what can't be cut is refused."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import SipParseError
from sip.transport.framing import MAX_HEAD, MAX_STREAM_MESSAGE, Framer


def message(body: bytes, *, length: bytes = b"Content-Length: %d", first: bytes = b"OPTIONS sip:a SIP/2.0") -> bytes:
    return first + b"\r\nVia: x\r\n" + (length % len(body)) + b"\r\nX: y\r\n\r\n" + body


def cut(framer: Framer, data: bytes) -> list[bytes]:
    framer.feed(data)
    return list(iter(framer.next, None))


bodies = st.lists(st.binary(max_size=40) | st.just(b"\r\n\r\nContent-Length: 7\r\n\r\n"), max_size=6)
breaks = st.sampled_from([b"", b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n"])


@given(bodies, st.lists(breaks, min_size=6, max_size=6), st.lists(st.integers(0, 400)))
def test_messages_come_out_as_they_went_in_wherever_the_stream_is_broken(
    contents: list[bytes], between: list[bytes], places: list[int]
) -> None:
    whole = [message(body) for body in contents]
    stream = b"".join(gap + data for gap, data in zip(between, whole, strict=False))
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    framer = Framer()
    pieces = [stream[start:end] for start, end in itertools.pairwise(edges)]
    assert [found for piece in pieces for found in cut(framer, piece)] == whole


@pytest.mark.parametrize(
    "length",
    [b"Content-Length: %d", b"l:%d", b"CONTENT-LENGTH  :\t%d  ", b"Content-Length:\r\n %d", b"L: %d\r\nl: %d"],
)
def test_every_spelling_of_the_length_is_understood(length: bytes) -> None:
    data = b"OPTIONS sip:a SIP/2.0\r\n" + length.replace(b"%d", b"3") + b"\r\n\r\nabc"
    assert cut(Framer(), data + data) == [data, data]


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"X: 1", "no Content-Length"),
        (b"X-Content-Length: 1", "no Content-Length"),
        (b"Content-Length: 1\r\nContent-Length: 2", "disagree"),
        (b"Content-Length: 3\r\nl: 4", "disagree"),
        (b"Content-Length: -1", "bad"),
        (b"Content-Length: 0x1", "bad"),
        (b"Content-Length: 1 2", "bad"),
        (b"Content-Length:", "bad"),
        (b"Content-Length: 99999999999999999999", "bad"),
        (b"Content-Length: 65536", "longer"),
    ],
)
def test_lengths_that_cannot_be_trusted_end_the_connection(head: bytes, words: str) -> None:
    with pytest.raises(SipParseError, match=words):
        cut(Framer(), b"OPTIONS sip:a SIP/2.0\r\n" + head + b"\r\n\r\n")


def test_a_head_without_end_is_given_up_before_it_costs_memory() -> None:
    framer = Framer()
    with pytest.raises(SipParseError, match="no end"):
        for _ in range(MAX_HEAD):
            cut(framer, b"A: b\r\n")


def test_the_largest_message_passes() -> None:
    head = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 65470\r\nX: y\r\n\r\n"
    data = head + b"x" * 65470
    assert len(data) <= MAX_STREAM_MESSAGE and cut(Framer(), data) == [data]


def test_pings_are_counted_between_messages_only() -> None:
    framer = Framer()
    assert cut(framer, b"\r\n\r\n" + message(b"\r\n\r\n") + b"\r\n\r\n") == [message(b"\r\n\r\n")]
    assert cut(framer, b"") == [] and framer.pings == 2 and not framer.is_midway
    cut(framer, b"\r\n")
    assert framer.pings == 2 and not framer.is_midway


@given(st.binary(max_size=500), st.integers(1, 50))
def test_any_bytes_give_messages_or_one_error(data: bytes, step: int) -> None:
    framer = Framer()
    try:
        for at in range(0, len(data), step):
            cut(framer, data[at : at + step])
    except SipParseError as error:
        assert error.reason
