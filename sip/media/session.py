"""The media of one call: sockets, what comes and goes over them, and the port that hears and speaks."""

import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from sip.codec import Speech, speech
from sip.media.nat import Address
from sip.media.port import SILENCE, MediaPort
from sip.media.ports import PortPool
from sip.media.receiver import Receiver
from sip.media.reports import Reports
from sip.media.sender import Sender
from sip.media.shield import Shield
from sip.media.sockets import bind_pair
from sip.media.stats import MediaStats
from sip.media.wheel import MediaWheel
from sip.rtp import Digit
from sip.sdp import Negotiated

MEDIA_TIMEOUT_S: Final = 30.0
"""A peer that should speak and has sent neither RTP nor RTCP for so long is gone."""

log = logging.getLogger(__name__)


class MediaSession:
    """One call's media on one UDP port pair. Life: open, start (again on every re-INVITE), close."""

    def __init__(self, wheel: MediaWheel, local_ip: str, ports: PortPool, *,
                 port: MediaPort | None = None, timeout_s: float = MEDIA_TIMEOUT_S) -> None:
        self.on_dtmf: Callable[[str, int], None] | None = None
        """Called with (digit, duration in ms) when the peer lets go of a key."""
        self.on_silent: Callable[[], None] | None = None
        """Called when nothing came for `timeout_s` while both sides should speak, so never on hold."""
        self._clock: Final = wheel.clock
        self._wheel, self._local_ip, self._ports, self._port = wheel, local_ip, ports, port
        self._timeout_s = timeout_s
        self._local_port = 0
        self._rtp: socket.socket | None = None
        self._reports: Reports | None = None
        self._receiver, self._sender = Receiver(self._clock), Sender()
        self._speech: Speech | None = None
        self._shield: Shield | None = None
        self._last_shield: Shield | None = None
        self._agreed: Negotiated | None = None
        self._port_failures = 0
        self._silent_since = self._clock()

    @property
    def local_port(self) -> int:
        """Our RTP port; 0 before open()."""
        return self._local_port

    @property
    def remote(self) -> Address | None:
        """Where we send: the learnt source, or else the address from the peer's SDP."""
        return self._receiver.latch.remote

    @property
    def gap(self) -> bool:
        """Whether the frame of this tick did not come from the peer (concealed, or silence)."""
        return self._receiver.gap

    @property
    def stats(self) -> MediaStats:
        receiver, reception = self._receiver, self._receiver.reception
        return MediaStats(
            sent=self._sender.sequencer.packets - self._sender.unsent, received=reception.received,
            lost=reception.lost, late=receiver.late, concealed=receiver.concealed,
            discarded=receiver.discarded, jitter_ms=reception.jitter_ms, delay_ms=receiver.delay_ms,
            silence_s=self._clock() - receiver.heard_at,
            far_lost=self._reports.far_lost if self._reports else None)

    async def open(self) -> None:
        """Bind the sockets; raises PortsExhaustedError, or OSError if `local_ip` is not ours."""
        if self._rtp is None:
            self._local_port, self._rtp, rtcp = bind_pair(self._local_ip, self._ports)
            receiver = self._receiver
            self._reports = Reports(rtcp, self._sender.sequencer, receiver.reception, receiver.latch, self._clock)
            self._receiver.heard_at = self._clock()

    def start(self, agreed: Negotiated) -> None:
        """Take what offer and answer agreed on. KeyError for a codec that we lack, CodecUnavailableError.

        From now on the port is called on every tick, whatever the direction: while we do not receive it hears
        silence, while we do not send its speech goes nowhere.
        """
        if self._speech is None or self._agreed is None or agreed.codec != self._agreed.codec:
            self._speech = speech(agreed.codec)
        if agreed.keys is None:
            self._shield = None
        elif self._shield is None or self._shield.keys != agreed.keys:
            self._shield = self._last_shield = Shield(agreed.keys, self._last_shield)
        self._agreed = agreed
        self._silent_since = self._clock()
        self._receiver.start(agreed, self._speech, self._shield, self._route_reports(agreed))
        self._sender.start(agreed, self._speech, self._shield)
        if self._rtp is not None:
            self._wheel.inbox.add(self._rtp, partial(self._receiver.read, self._rtp))
        self._wheel.add(self)

    def _route_reports(self, agreed: Negotiated) -> Callable[[bytes], None] | None:
        if self._reports is None:
            return None
        self._reports.route(agreed.rtcp, self._rtp if agreed.rtcp_mux else None, self._shield)
        return self._reports.take if agreed.rtcp_mux else None

    def set_port(self, port: MediaPort | None) -> None:
        """From the next tick on this port hears and speaks; None: silence."""
        self._port = port

    def send_dtmf(self, digits: str) -> None:
        """Queue digits 0-9 * # A-D; ValueError for others. They wait until telephone-event is negotiated."""
        self._sender.digits.queue(digits)

    def close(self) -> None:
        """Leave the wheel, say goodbye, free the ports. Again: no effect."""
        self._wheel.remove(self)
        if self._rtp is None:
            return
        if self._reports:
            self._reports.close(self._wheel.tick)
        self._wheel.inbox.remove(self._rtp)
        self._rtp.close()
        self._rtp = None
        self._ports.release(self._local_port)

    def tick(self, tick: int) -> None:
        """20 ms have passed (called by the wheel): play one frame to the port, send one."""
        receiver, sock = self._receiver, self._rtp
        if not self._wheel.has_collected and sock is not None:
            receiver.drain(sock)
        reply = self._exchange(receiver.hear(tick), tick)
        if receiver.pressed:
            self._tell_digits()
        remote = receiver.latch.remote
        if remote is not None and sock is not None:
            self._sender.speak(sock, reply, tick, remote)
            if self._reports:
                self._reports.tick(tick)
        if tick % 50 == 0:
            self._watch()

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

    def _tell_digits(self) -> None:
        pressed, self._receiver.pressed = self._receiver.pressed, []
        for digit in pressed:
            self._tell(digit)

    def _tell(self, digit: Digit) -> None:
        if self.on_dtmf is None:
            return
        try:
            self.on_dtmf(digit.digit, digit.duration_ms)
        except Exception:
            log.exception("on_dtmf failed")

    def _watch(self) -> None:
        """Look once a second whether the peer still lives. A port that closed us meanwhile is told nothing."""
        now, agreed = self._clock(), self._agreed
        if agreed is None or agreed.direction != "sendrecv":
            self._silent_since = now
            return
        heard = max(self._receiver.heard_at, self._silent_since, self._reports.heard_at if self._reports else 0.0)
        if now - heard < self._timeout_s or self._rtp is None:
            return
        self._silent_since = now
        if self.on_silent is not None:
            self.on_silent()
