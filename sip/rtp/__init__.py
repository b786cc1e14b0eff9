"""RTP (RFC 3550, RFC 4733) without sockets or clocks: bytes and ticks come in as arguments."""

from sip.rtp.comfort import ComfortNoise
from sip.rtp.concealment import Concealment
from sip.rtp.events import DIGITS, Digit, EventReceiver, EventSender
from sip.rtp.jitter import JitterBuffer
from sip.rtp.packet import RtpError, RtpPacket, build_rtp, parse_rtp
from sip.rtp.reception import Reception, ReceptionReport
from sip.rtp.rtcp import Rtcp, SenderInfo, build_rtcp, parse_rtcp
from sip.rtp.sequencer import FRAME_SAMPLES, Sequencer

__all__ = [
    "DIGITS", "FRAME_SAMPLES", "ComfortNoise", "Concealment", "Digit", "EventReceiver", "EventSender", "JitterBuffer",
    "Reception", "ReceptionReport", "Rtcp", "RtpError", "RtpPacket", "SenderInfo", "Sequencer",
    "build_rtcp", "build_rtp", "parse_rtcp", "parse_rtp",
]
