"""RTCP: sender and receiver reports, CNAME and BYE (RFC 3550 section 6), just what a phone call needs."""

import struct
from dataclasses import dataclass
from typing import Final

from sip.rtp.packet import RtpError
from sip.rtp.reception import ReceptionReport

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
NTP_EPOCH_S: Final = 2_208_988_800
"""Seconds from 1900 to 1970."""


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What we have sent until now (RFC 3550 section 6.4.1); `unix_s` is wall time."""

    unix_s: float
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Rtcp:
    """What a compound packet told: who reports, what they sent, how they hear us, who left."""

    ssrc: int
    sender: SenderInfo | None
    reports: tuple[ReceptionReport, ...]
    goodbye: bool


def build_rtcp(ssrc: int, cname: str, sender: SenderInfo | None, heard: ReceptionReport | None,
               *, goodbye: bool = False) -> bytes:
    """A compound packet: SR (or RR when nothing was sent), SDES CNAME and, on leaving, BYE."""
    blocks = _block(heard) if heard else b""
    body = _sender(sender) if sender else b""
    kind = SENDER_REPORT if sender else RECEIVER_REPORT
    name = cname.encode()[:255]
    item = bytes([1, len(name)]) + name
    described = item + bytes(4 - len(item) % 4)  # at least one zero ends the list
    compound = _packet(kind, 1 if heard else 0, ssrc, body + blocks)
    compound += _packet(SOURCE_DESCRIPTION, 1, ssrc, described)
    return compound + _packet(GOODBYE, 1, ssrc, b"") if goodbye else compound


def parse_rtcp(data: bytes) -> Rtcp:
    """Read a compound packet; raises RtpError unless it begins with a whole SR or RR.

    Kinds that we do not use (SDES, APP, feedback) are passed over.
    """
    reporter: int | None = None
    sender: SenderInfo | None = None
    reports: list[ReceptionReport] = []
    goodbye = False
    while data:
        kind, count, body, data = _next(data)
        if reporter is None:
            if kind not in (SENDER_REPORT, RECEIVER_REPORT):
                raise RtpError("a compound RTCP packet begins with a report")
            reporter = int.from_bytes(body[:4])
        if kind == SENDER_REPORT:
            sender = _read_sender(body)
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            reports += _read_blocks(body[24 if kind == SENDER_REPORT else 4 :], count)
        goodbye = goodbye or kind == GOODBYE
    if reporter is None:
        raise RtpError("an empty datagram is no RTCP")
    return Rtcp(reporter, sender, tuple(reports), goodbye)


def _packet(kind: int, count: int, ssrc: int, body: bytes) -> bytes:
    return struct.pack("!BBHI", 0x80 | count, kind, 1 + len(body) // 4, ssrc) + body


def _sender(info: SenderInfo) -> bytes:
    ntp = int((info.unix_s + NTP_EPOCH_S) * 2**32) & 0xFFFFFFFFFFFFFFFF
    return struct.pack("!QIII", ntp, info.timestamp, info.packets & 0xFFFFFFFF, info.octets & 0xFFFFFFFF)


def _block(report: ReceptionReport) -> bytes:
    lost = report.fraction_lost << 24 | report.cumulative_lost & 0xFFFFFF
    return struct.pack("!IIIIII", report.ssrc, lost, report.highest_sequence, report.jitter, 0, 0)


def _next(data: bytes) -> tuple[int, int, bytes, bytes]:
    if len(data) < 8 or data[0] & 0xC0 != 0x80:
        raise RtpError("no RTCP header")
    end = 4 + 4 * int.from_bytes(data[2:4])
    if not 8 <= end <= len(data):
        raise RtpError("an RTCP packet is longer than its datagram")
    return data[1], data[0] & 31, data[4:end], data[end:]


def _read_sender(body: bytes) -> SenderInfo:
    if len(body) < 24:
        raise RtpError("the sender report is cut off")
    ntp, timestamp, packets, octets = struct.unpack_from("!QIII", body, 4)
    return SenderInfo(ntp / 2**32 - NTP_EPOCH_S, timestamp, packets, octets)


def _read_blocks(body: bytes, count: int) -> list[ReceptionReport]:
    if len(body) < 24 * count:
        raise RtpError("a report block is cut off")
    blocks = (struct.unpack_from("!IIIIII", body, 24 * index) for index in range(count))
    return [ReceptionReport(ssrc, lost >> 24, _signed(lost & 0xFFFFFF), highest, jitter)
            for ssrc, lost, highest, jitter, _, _ in blocks]


def _signed(lost: int) -> int:
    """Cumulative loss is negative when duplicates outnumber losses."""
    return lost - 0x1000000 if lost & 0x800000 else lost
