"""The media of one call: RTP in and out, codec, jitter buffer, digits, and the port that hears and speaks."""

import logging
import secrets
import socket
from collections.abc import Callable
from typing import Final

from sip.codec import G711, PCMA, PCMU, law
from sip.media.nat import Address, SourceLatch
from sip.media.port import SILENCE, MediaPort
from sip.media.ports import PortPool
from sip.media.reports import Reports
from sip.media.sockets import STAMP_BYTES, arrival_s, bind_pair
from sip.media.stats import MediaStats
from sip.media.wheel import MediaWheel
from sip.rtp import (
    Concealment,
    Digit,
    EventReceiver,
    EventSender,
    JitterBuffer,
    Reception,
    RtpError,
    RtpPacket,
    Sequencer,
    parse_rtp,
)
from sip.sdp import Negotiated

COMFORT_NOISE: Final = 13
_MOST_PER_READ: Final = 64
_LARGEST: Final = 2048

log = logging.getLogger(__name__)


class MediaSession:
    """One call's media on one UDP port pair. Life: open, start (again on every re-INVITE), close."""

    offer_codecs: Final = ("PCMA", "PCMU")
    """SDP encoding names, best first."""

    def __init__(self, wheel: MediaWheel, local_ip: str, ports: PortPool, *,
                 port: MediaPort | None = None) -> None:
        self.on_dtmf: Callable[[str, int], None] | None = None
        """Called with (digit, duration in ms) when the peer lets go of a key."""
        self.on_silent: Callable[[], None] | None = None
        """Called once when the peer has sent nothing for MEDIA_TIMEOUT_S; not while we hold."""
        self.gap = True
        """Whether the frame of this tick did not come from the peer (concealed, or silence)."""
        self._clock: Final = wheel.clock
        self._wheel, self._local_ip, self._ports, self._port = wheel, local_ip, ports, port
        self._local_port = 0
        self._rtp: socket.socket | None = None
        self._reports: Reports | None = None
        self._sequencer = Sequencer(secrets.randbits(32), secrets.randbits(16), secrets.randbits(32))
        self._reception, self._latch, self._concealment = Reception(), SourceLatch(), Concealment()
        self._digits_in, self._digits_out = EventReceiver(), EventSender()
        self._codec: G711 | None = None
        self._payload_type = 0
        self._event_type: int | None = None
        self._recode: dict[int, bytes | None] = {}
        self._jitter = JitterBuffer(PCMA.silence, PCMA.magnitude)
        self._late_before = self._discarded = self._unsent = self._port_failures = 0
        self._sends = self._hears = False
        self._last_tick: int | None = None
        self._heard_at = self._clock()

    @property
    def local_port(self) -> int:
        """Our RTP port; 0 before open()."""
        return self._local_port

    @property
    def remote(self) -> Address | None:
        """Where we send: the learnt source, or else the address from the peer's SDP."""
        return self._latch.remote

    @property
    def stats(self) -> MediaStats:
        jitter, reception = self._jitter, self._reception
        discarded = self._discarded + self._latch.strangers + reception.duplicates + jitter.discarded
        return MediaStats(
            sent=self._sequencer.packets - self._unsent, received=reception.received, lost=reception.lost,
            late=self._late_before + jitter.late, concealed=self._concealment.concealed, discarded=discarded,
            jitter_ms=reception.jitter_ms, delay_ms=jitter.depth * 20.0,
            silence_s=self._clock() - self._heard_at,
            far_lost=self._reports.far_lost if self._reports else None)

    async def open(self) -> None:
        """Bind the sockets; raises PortsExhaustedError, or OSError if `local_ip` is not ours."""
        if self._rtp is None:
            self._local_port, self._rtp, rtcp = bind_pair(self._local_ip, self._ports)
            self._reports = Reports(rtcp, self._sequencer, self._reception)
            self._heard_at = self._clock()

    def start(self, agreed: Negotiated) -> None:
        """Take what offer and answer agreed on. KeyError for a codec that is not G.711.

        From now on the port is called on every tick, whatever the direction: while we do not receive it hears
        silence, while we do not send its speech goes nowhere.
        """
        chosen, payload_type, direction = law(agreed.codec), agreed.payload_type, agreed.direction
        if chosen is not self._codec:
            self._late_before += self._jitter.late
            self._discarded += self._jitter.discarded
            self._jitter = JitterBuffer(chosen.silence, chosen.magnitude)
        self._codec, self._payload_type, self._event_type = chosen, payload_type, agreed.telephone_event
        # A peer may switch between the laws it was offered without a word; recode rather than play noise.
        self._recode = {other.payload_type: chosen.recode_from(other) for other in (PCMA, PCMU)}
        self._recode[payload_type] = None
        self._sends = direction in ("sendrecv", "sendonly")
        self._hears = direction in ("sendrecv", "recvonly")
        self._latch.signal(agreed.remote)
        self._wheel.add(self)

    def set_port(self, port: MediaPort | None) -> None:
        """From the next tick on this port hears and speaks; None: silence."""
        self._port = port

    def send_dtmf(self, digits: str) -> None:
        """Queue digits 0-9 * # A-D; ValueError for others. They wait until telephone-event is negotiated."""
        self._digits_out.queue(digits)

    def close(self) -> None:
        """Leave the wheel, say goodbye, free the ports. Again: no effect."""
        self._wheel.remove(self)
        if self._rtp is None:
            return
        self._rtp.close()
        self._rtp = None
        if self._reports:
            self._reports.close(self._wheel.tick, self._latch.remote)
        self._ports.release(self._local_port)

    def tick(self, tick: int) -> None:
        """20 ms have passed (called by the wheel): play one frame to the port, send one."""
        received = self._hear(tick)
        reply = self._exchange(received, tick)
        for digit in self._digits_in.tick():
            self._tell(digit)
        remote = self._latch.remote
        if remote is not None and self._rtp is not None:
            self._speak(self._rtp, reply, tick, remote)
            if self._reports:
                self._reports.tick(tick, remote)

    def _hear(self, tick: int) -> bytes:
        missed = 0 if self._last_tick is None else tick - self._last_tick - 1
        self._last_tick = tick
        self._drain()
        if missed:  # only now: what came during the stall tells how far to skip
            self._jitter.skip(missed)
        frame = self._jitter.pop()
        self.gap = frame is None
        if not self._hears or self._codec is None:
            return SILENCE
        if frame is None:
            return self._concealment.missing()
        return self._concealment.heard(self._codec.decode(frame))

    def _exchange(self, received: bytes, tick: int) -> bytes | None:
        if self._port is None:
            return None
        try:
            reply = self._port.exchange(received, tick)
        except Exception:
            reply = None
            self._port_failures += 1
            if self._port_failures in (1, 10, 100, 1000):
                log.exception("media port failed (%d times); the peer hears silence", self._port_failures)
        return reply if reply is not None and len(reply) == len(SILENCE) else None

    def _speak(self, sock: socket.socket, reply: bytes | None, tick: int, remote: Address) -> None:
        codec = self._codec
        if not self._sends or codec is None:
            return
        data = self._key_press(tick) if self._digits_out.busy else None
        if data is None:
            payload = codec.silent_frame if reply is None else codec.encode(reply)
            data = self._sequencer.audio(payload, self._payload_type, tick)
        try:
            sock.sendto(data, remote)
        except (OSError, OverflowError):
            self._unsent += 1  # to the peer it is one lost packet, whatever the reason

    def _key_press(self, tick: int) -> bytes | None:
        pressed = None if self._event_type is None else self._digits_out.tick(tick)
        if pressed is None or self._event_type is None:
            return None
        return self._sequencer.event(pressed.payload, self._event_type, tick, pressed.started)

    def _drain(self) -> None:
        """Read what came since the last tick. Waking for each packet would cost half as much again."""
        sock = self._rtp
        if sock is None:
            return
        for _ in range(_MOST_PER_READ):
            try:
                data, ancillary, _, source = sock.recvmsg(_LARGEST, STAMP_BYTES)
            except OSError:
                return
            self._receive(data, source[:2], arrival_s(ancillary))

    def _receive(self, data: bytes, source: Address, arrived_s: float) -> None:
        if not self._latch.admits(source):
            return
        try:
            packet = parse_rtp(data)
        except RtpError:
            self._discarded += 1
            return
        kind = packet.payload_type
        audio = kind in self._recode
        if not audio and kind not in (self._event_type, COMFORT_NOISE):
            self._discarded += 1
            return
        self._latch.learn(source)
        self._heard_at = self._clock()
        if not self._reception.note(packet.ssrc, packet.sequence):
            return
        if audio:
            self._reception.time(packet.timestamp, arrived_s)
            self._take_audio(packet)
        elif kind == self._event_type:
            for digit in self._digits_in.receive(packet):
                self._tell(digit)

    def _take_audio(self, packet: RtpPacket) -> None:
        table = self._recode[packet.payload_type]
        if table is not None:
            packet = packet._replace(payload=packet.payload.translate(table))
        if self._hears:
            self._jitter.push(packet)

    def _tell(self, digit: Digit) -> None:
        if self.on_dtmf is None:
            return
        try:
            self.on_dtmf(digit.digit, digit.duration_ms)
        except Exception:
            log.exception("on_dtmf failed")
