"""RTCP of one call: a report every five seconds and a goodbye."""

import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sip.media.nat import Address, SourceLatch
from sip.media.shield import Shield
from sip.rtp.packet import RtpError
from sip.rtp.reception import Reception
from sip.rtp.rtcp import SenderInfo, build_rtcp, parse_rtcp
from sip.rtp.sequencer import Sequencer

INTERVAL_TICKS: Final = 250
"""Five seconds (RFC 3550 section 6.2: the fixed minimum)."""
_MOST_PER_READ: Final = 16


class Reports:
    """Sends and reads RTCP on the port above the RTP port, or on the RTP port itself (RFC 5761)."""

    def __init__(self, sock: socket.socket, sequencer: Sequencer, reception: Reception, latch: SourceLatch,
                 clock: Callable[[], float]) -> None:
        self._own, self._sock = sock, sock
        self._sequencer, self._reception, self._latch, self._clock = sequencer, reception, latch, clock
        self._cname = f"{sequencer.ssrc:08x}"
        self._due = random.randrange(INTERVAL_TICKS // 2)  # calls of one second should not report together
        self._named: Address | None = None
        self._shield: Shield | None = None
        self.far_lost: int | None = None
        self.goodbye = False
        self.heard_at = clock()

    def route(self, named: Address | None, shared: socket.socket | None, shield: Shield | None) -> None:
        """`named`: the peer's RTCP address from its SDP. `shared`: the RTP socket where RTCP goes through it."""
        self._named, self._sock, self._shield = named, shared or self._own, shield

    def tick(self, tick: int) -> None:
        """20 ms have passed."""
        self._due -= 1
        if self._due < 0:
            self._due = INTERVAL_TICKS
            self._read()
            self._send(tick)

    def take(self, data: bytes) -> None:
        """A datagram that may be RTCP, from the peer's address."""
        plain = data if self._shield is None else self._shield.unprotect_rtcp(data)
        if plain is None:
            return
        try:
            told = parse_rtcp(plain)
        except RtpError:
            return
        self.heard_at = self._clock()
        self.goodbye = self.goodbye or told.goodbye
        for report in told.reports:
            if report.ssrc == self._sequencer.ssrc:
                self.far_lost = report.cumulative_lost

    def close(self, tick: int) -> None:
        """Say goodbye and close the socket above the RTP port."""
        if self._sequencer.packets:
            self._send(tick, goodbye=True)
        self._own.close()

    @property
    def _remote(self) -> Address | None:
        remote = self._latch.remote
        if remote is None or self._sock is not self._own:
            return remote
        # What the SDP names is true as long as the SDP was true of the media.
        return self._named if self._named and self._latch.is_signalled else (remote[0], remote[1] + 1)

    def _send(self, tick: int, *, goodbye: bool = False) -> None:
        remote = self._remote
        if remote is None:
            return
        numbers = self._sequencer
        sent = SenderInfo(time.time(), numbers.timestamp(tick), numbers.packets, numbers.octets)
        report = build_rtcp(numbers.ssrc, self._cname, sent if numbers.packets else None,
                            self._reception.report(), goodbye=goodbye)
        with suppress(OSError, OverflowError):  # the next report comes in five seconds
            self._sock.sendto(report if self._shield is None else self._shield.protect_rtcp(report), remote)

    def _read(self) -> None:
        remote = self._remote
        for _ in range(_MOST_PER_READ):
            try:
                data, source = self._own.recvfrom(2048)
            except OSError:
                return
            if remote is not None and source[0] == remote[0]:
                self.take(data)
