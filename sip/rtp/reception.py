"""What arrived, what was lost, how unevenly (RFC 3550 appendices A.1, A.3 and A.8)."""

from typing import Final, NamedTuple

MAX_DROPOUT: Final = 3000
"""A larger jump of the sequence number is a restarted sender, not loss (RFC 3550 appendix A.1)."""
_WINDOW: Final = (1 << 64) - 1


class ReceptionReport(NamedTuple):
    """The report block of an SR or RR (RFC 3550 section 6.4.1); `jitter` in timestamp units."""

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter: int


class Reception:
    """Counts the packets that reach one call, over all sources. Knows duplicates among the last 64."""

    def __init__(self) -> None:
        self.received = 0
        self.duplicates = 0
        self._ssrc: int | None = None
        self._first = self._highest = 0
        self._expected_before = 0
        self._seen = 0
        self._transit: float | None = None
        self._jitter = 0.0
        self._reported = (0, 0)
        self._clock = 8000

    @property
    def ssrc(self) -> int | None:
        """The source of the last packet."""
        return self._ssrc

    def count_in(self, clock: int) -> None:
        """The timestamps' clock in Hz."""
        if clock != self._clock:
            self._clock, self._transit, self._jitter = clock, None, 0.0

    def note(self, ssrc: int, sequence: int) -> bool:
        """Take one packet's number; False if it was here already."""
        ahead = ((sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000
        if ssrc != self._ssrc or abs(ahead) > MAX_DROPOUT:
            self._restart(ssrc, sequence)
        elif ahead > 0:
            self._highest += ahead
            self._seen = (self._seen << ahead | 1) & _WINDOW if ahead < 64 else 1
        elif ahead > -64:
            if self._seen >> -ahead & 1:
                self.duplicates += 1
                return False
            self._seen |= 1 << -ahead
        self.received += 1
        return True

    def time(self, timestamp: int, arrival_s: float) -> None:
        """Take one audio packet's timestamp and time of arrival for the jitter estimate."""
        transit = arrival_s * self._clock - timestamp
        if self._transit is not None:
            difference = abs(transit - self._transit)
            if difference < self._clock:  # more is a new timeline, not jitter
                self._jitter += (difference - self._jitter) / 16
        self._transit = transit

    @property
    def lost(self) -> int:
        return max(self._expected() - self.received, 0)

    @property
    def jitter_ms(self) -> float:
        return self._jitter * 1000 / self._clock

    def report(self) -> ReceptionReport | None:
        """The report block since the last call of this method; None before the first packet."""
        if self._ssrc is None:
            return None
        was_expected, was_received = self._reported
        self._reported = expected, received = self._expected(), self.received
        interval = expected - was_expected
        gone = max(interval - (received - was_received), 0)
        fraction = min(gone * 256 // interval, 255) if interval > 0 else 0
        return ReceptionReport(self._ssrc, fraction, min(self.lost, 0x7FFFFF),
                               self._highest & 0xFFFFFFFF, int(self._jitter))

    def _expected(self) -> int:
        return 0 if self._ssrc is None else self._expected_before + self._highest - self._first + 1

    def _restart(self, ssrc: int, sequence: int) -> None:
        self._expected_before = self._expected()
        self._ssrc, self._first, self._highest = ssrc, sequence, sequence
        self._seen, self._transit = 1, None
