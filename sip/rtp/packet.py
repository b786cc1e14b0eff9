"""RTP data packets (RFC 3550 section 5.1): bytes <-> fields."""

import struct
from typing import Final, NamedTuple

_HEADER: Final = struct.Struct("!BBHII")
HEADER_BYTES: Final = _HEADER.size
VERSION_2: Final = 0x80
PADDING, EXTENSION, CSRC_COUNT = 0x20, 0x10, 0x0F
MARKER: Final = 0x80


class RtpError(ValueError):
    """These bytes are no RTP or RTCP. The peer (or a stranger) is at fault: drop them and go on."""


class RtpPacket(NamedTuple):
    """One RTP packet without its contributing sources, header extension and padding.

    A tuple, not a dataclass: one is made for every packet of every call, and this costs a third.
    """

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse_rtp(data: bytes) -> RtpPacket:
    """Read one datagram; raises RtpError for anything that is not RTP version 2.

    Payload types 72-76 with the marker are RTCP (RFC 5761 section 4) and are refused.
    """
    if len(data) < HEADER_BYTES:
        raise RtpError(f"{len(data)} bytes are too short for an RTP header")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first & 0xC0 != VERSION_2:
        raise RtpError(f"version bits {first >> 6} are not RTP version 2")
    if 200 <= second <= 204:
        raise RtpError("this is RTCP")
    payload = data[HEADER_BYTES:] if first == VERSION_2 else _strip(data, first)
    return RtpPacket(second & 0x7F, second >= MARKER, sequence, timestamp, ssrc, payload)


def _strip(data: bytes, first: int) -> bytes:
    """The payload of a packet with contributing sources, a header extension or padding."""
    start, end = HEADER_BYTES + 4 * (first & CSRC_COUNT), len(data)
    if first & EXTENSION:
        if start + 4 > end:
            raise RtpError("the header extension is cut off")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    if start > end:
        raise RtpError("the header is longer than the packet")
    if first & PADDING:
        padding = data[-1]
        if not 0 < padding <= end - start:
            raise RtpError(f"{padding} bytes of padding in {end - start} bytes of payload")
        end -= padding
    return data[start:end]


def build_rtp(packet: RtpPacket) -> bytes:
    """The packet with the plain twelve-byte header."""
    return datagram(*packet)


def datagram(payload_type: int, marker: bool, sequence: int, timestamp: int, ssrc: int, payload: bytes) -> bytes:
    """The same from loose fields, for senders of many packets."""
    second = payload_type | MARKER if marker else payload_type
    return _HEADER.pack(VERSION_2, second, sequence, timestamp, ssrc) + payload
