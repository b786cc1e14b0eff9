"""RTCP of one call: a report every five seconds and a goodbye."""

import random
import socket
import time
from contextlib import suppress
from typing import Final

from sip.media.nat import Address
from sip.rtp.packet import RtpError
from sip.rtp.reception import Reception
from sip.rtp.rtcp import SenderInfo, build_rtcp, parse_rtcp
from sip.rtp.sequencer import Sequencer

INTERVAL_TICKS: Final = 250
"""Five seconds (RFC 3550 section 6.2: the fixed minimum)."""
_MOST_PER_READ: Final = 16


class Reports:
    """Sends and reads RTCP on the port above the RTP port."""

    def __init__(self, sock: socket.socket, sequencer: Sequencer, reception: Reception) -> None:
        self._sock, self._sequencer, self._reception = sock, sequencer, reception
        self._cname = f"{sequencer.ssrc:08x}"
        self._due = random.randrange(INTERVAL_TICKS // 2)  # calls of one second should not report together
        self.far_lost: int | None = None
        self.goodbye = False

    def tick(self, tick: int, remote: Address) -> None:
        """20 ms have passed; `remote` is the peer's RTP address."""
        self._due -= 1
        if self._due < 0:
            self._due = INTERVAL_TICKS
            self._read()
            self._send(tick, remote)

    def close(self, tick: int, remote: Address | None) -> None:
        """Say goodbye and close the socket."""
        if remote and self._sequencer.packets:
            self._send(tick, remote, goodbye=True)
        self._sock.close()

    def _send(self, tick: int, remote: Address, *, goodbye: bool = False) -> None:
        numbers = self._sequencer
        sent = SenderInfo(time.time(), numbers.timestamp(tick), numbers.packets, numbers.octets)
        report = build_rtcp(numbers.ssrc, self._cname, sent if numbers.packets else None,
                            self._reception.report(), goodbye=goodbye)
        with suppress(OSError, OverflowError):  # the next report comes in five seconds
            self._sock.sendto(report, (remote[0], remote[1] + 1))

    def _read(self) -> None:
        for _ in range(_MOST_PER_READ):
            try:
                data = self._sock.recv(2048)
            except OSError:
                return
            try:
                told = parse_rtcp(data)
            except RtpError:
                continue
            self.goodbye = self.goodbye or told.goodbye
            for report in told.reports:
                if report.ssrc == self._sequencer.ssrc:
                    self.far_lost = report.cumulative_lost
