"""What one call receives: datagrams in, checked and put in order, one frame of speech out per tick."""

import socket
from collections.abc import Callable
from typing import Final

from sip.codec import G711, PCMA, PCMU, Speech
from sip.media.nat import Address, SourceLatch
from sip.media.port import SILENCE
from sip.media.shield import Shield
from sip.media.sockets import STAMP_BYTES, arrival_s
from sip.rtp import (
    ComfortNoise,
    Concealment,
    Digit,
    EventReceiver,
    JitterBuffer,
    Reception,
    RtpError,
    RtpPacket,
    parse_rtp,
)
from sip.sdp import FORMATS, Negotiated

COMFORT_NOISE: Final = 13
"""Static payload type (RFC 3389), agreed upon or not."""
FORGOTTEN_S: Final = 5.0
"""A source that has been silent so long may have moved: the same stream from elsewhere is believed."""
_MOST_PER_READ: Final = 64
_LARGEST: Final = 2048
_RTCP: Final = range(192, 224)
"""Second bytes that mean RTCP on a shared port (RFC 5761 section 4)."""


class Receiver:
    """Life: start (again on every re-INVITE), then read and hear once per tick."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.latch: Final = SourceLatch()
        self.reception: Final = Reception()
        self.digits = EventReceiver()
        self.pressed: list[Digit] = []
        """Keys let go since the caller of this looked last."""
        self.gap = True
        self.hears = False
        self.heard_at = clock()
        self._clock = clock
        self._concealment, self._comfort = Concealment(), ComfortNoise()
        self._jitter = JitterBuffer(PCMA.silence, PCMA.magnitude)
        self._speech: Speech | None = None
        self._shield: Shield | None = None
        self._recode: dict[int, bytes | None] = {}
        self._event_type: int | None = None
        self._take_rtcp: Callable[[bytes], None] | None = None
        self._late_before = self._discarded = 0
        self._last_tick: int | None = None

    @property
    def late(self) -> int:
        return self._late_before + self._jitter.late

    @property
    def discarded(self) -> int:
        rejected = self._shield.rejected if self._shield else 0
        return (self._discarded + rejected + self.latch.strangers + self.reception.duplicates
                + self._jitter.discarded)

    @property
    def concealed(self) -> int:
        return self._concealment.concealed

    @property
    def delay_ms(self) -> float:
        return self._jitter.depth * 20.0

    def start(self, agreed: Negotiated, speech: Speech, shield: Shield | None,
              take_rtcp: Callable[[bytes], None] | None) -> None:
        """`take_rtcp`: where RTCP on the RTP port goes; None: there is none."""
        if speech is not self._speech:
            self._late_before += self._jitter.late
            self._discarded += self._jitter.discarded
            self._jitter = _jitter(speech)
        if agreed.telephone_event != self._event_type:
            self.digits = EventReceiver(clock=agreed.event_clock)
        self._speech, self._shield, self._take_rtcp = speech, shield, take_rtcp
        self._event_type = agreed.telephone_event
        # A peer may switch between the laws it was offered without a word; recode rather than play noise.
        laws = (PCMA, PCMU) if isinstance(speech, G711) else ()
        self._recode = {law.payload_type: speech.recode_from(law) for law in laws if isinstance(speech, G711)}
        self._recode[agreed.payload_type] = None
        self.hears = agreed.direction in ("sendrecv", "recvonly")
        self.reception.count_in(FORMATS[agreed.codec].clock)
        self.latch.signal(agreed.remote)

    def hear(self, tick: int) -> bytes:
        """The next 20 ms: real, made up, or silence. What has come must have been read before."""
        missed = 0 if self._last_tick is None else tick - self._last_tick - 1
        self._last_tick = tick
        if missed:  # what came during the stall tells how far to skip
            self._jitter.skip(missed)
        if ended := self.digits.tick():
            self.pressed += ended
        return self._play(self._jitter.pop())

    def _play(self, payload: bytes | None) -> bytes:
        pcm = None if payload is None or self._speech is None else self._speech.decode(payload)
        self.gap = pcm is None
        if not self.hears:
            return SILENCE
        if pcm is not None:
            return self._concealment.heard(pcm)
        noise = self._comfort.frame()
        return self._concealment.missing() if noise is None else noise

    def drain(self, sock: socket.socket) -> None:
        """Read what came since the last tick. Waking for each packet would cost half as much again."""
        for _ in range(_MOST_PER_READ):
            if not self.read(sock):
                return

    def read(self, sock: socket.socket) -> bool:
        """Take one datagram; False where there is none."""
        try:
            data, ancillary, _, source = sock.recvmsg(_LARGEST, STAMP_BYTES)
        except OSError:
            return False
        self._receive(data, source[:2], arrival_s(ancillary))
        return True

    def _receive(self, data: bytes, source: Address, arrived_s: float) -> None:
        if self._take_rtcp is not None and len(data) > 1 and data[1] in _RTCP:
            if self.latch.admits(source):
                self._take_rtcp(data)
            return
        packet = self._admitted(data, source)
        if packet is None:
            return
        kind = packet.payload_type
        audio = kind in self._recode
        if not audio and kind not in (self._event_type, COMFORT_NOISE):
            self._discarded += 1
            return
        self.latch.learn(source)
        self.heard_at = self._clock()
        if not self.reception.note(packet.ssrc, packet.sequence):
            return
        if audio:
            self.reception.time(packet.timestamp, arrived_s)
            self._take_audio(packet)
        elif kind == self._event_type:
            self.pressed += self.digits.receive(packet)
        else:
            self._comfort.receive(packet.payload)

    def _admitted(self, data: bytes, source: Address) -> RtpPacket | None:
        """The packet, unless it is a stranger's or no RTP. Where there are keys they tell who is a stranger."""
        if self._shield is not None:
            plain = self._shield.unprotect(data)
            if plain is None:
                return None
            data = plain
        elif not self.latch.admits(source) and not self._has_moved(data):
            return None
        try:
            return parse_rtp(data)
        except RtpError:
            self._discarded += 1
            return None

    def _has_moved(self, data: bytes) -> bool:
        """The stream we knew, after a silence, from elsewhere: a NAT has given it another port."""
        ssrc = self.reception.ssrc
        if ssrc is None or self._clock() - self.heard_at < FORGOTTEN_S:
            return False
        return len(data) >= 12 and int.from_bytes(data[8:12]) == ssrc

    def _take_audio(self, packet: RtpPacket) -> None:
        self._comfort.speech()
        table = self._recode[packet.payload_type]
        if table is not None:
            packet = packet._replace(payload=packet.payload.translate(table))
        if self.hears:
            self._jitter.push(packet)


def _jitter(speech: Speech) -> JitterBuffer:
    if isinstance(speech, G711):
        return JitterBuffer(speech.silence, speech.magnitude)
    return JitterBuffer(0, bytes(256), units=speech.units, duration=speech.duration)
