"""RTP packets: what is built is read back, and any bytes at all give a packet or RtpError."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.rtp import RtpError, RtpPacket, build_rtp, parse_rtp

packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127), marker=st.booleans(), sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF), ssrc=st.integers(0, 0xFFFFFFFF), payload=st.binary(max_size=400),
).filter(lambda packet: not (packet.marker and 72 <= packet.payload_type <= 76))


@given(packets)
def test_a_built_packet_is_read_back(packet):
    assert parse_rtp(build_rtp(packet)) == packet


@given(st.binary(max_size=64))
def test_any_bytes_give_a_packet_or_the_one_documented_error(data):
    try:
        packet = parse_rtp(data)
    except RtpError:
        return
    assert len(packet.payload) <= len(data) - 12


@given(packets, st.integers(0, 15), st.integers(0, 4), st.integers(1, 20))
def test_sources_extension_and_padding_are_taken_off(packet, sources, words, padding):
    plain = build_rtp(packet)
    extension = b"\xbe\xde" + words.to_bytes(2) + bytes(4 * words)
    tail = bytes(padding - 1) + bytes([padding])
    first = bytes([0x80 | 0x20 | 0x10 | sources])
    full = first + plain[1:12] + bytes(4 * sources) + extension + packet.payload + tail
    assert parse_rtp(full) == packet


@pytest.mark.parametrize(("data", "why"), [
    (b"", "too short"),
    (bytes(11), "too short"),
    (bytes(172), "version"),
    (b"\x80\xc8" + bytes(26), "RTCP"),
    (b"\x8f\x08" + bytes(30), "longer"),
    (b"\x90\x08" + bytes(10) + b"\xbe\xde\xff\xff", "longer"),
    (b"\x90\x08" + bytes(10) + b"\xbe", "cut off"),
    (b"\xa0\x08" + bytes(10) + b"\x05", "padding"),
    (b"\xa0\x08" + bytes(10), "padding"),
])
def test_malformed_packets_are_refused_with_a_reason(data, why):
    with pytest.raises(RtpError, match=why):
        parse_rtp(data)
