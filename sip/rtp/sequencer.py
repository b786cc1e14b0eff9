"""Sequence numbers and timestamps of the packets that one call sends."""

from typing import Final

from sip.rtp.packet import datagram

FRAME_SAMPLES: Final = 160
"""Samples of 20 ms at 8 kHz: how far the timestamp moves on each tick."""


class Sequencer:
    """Numbers outgoing packets of one synchronisation source.

    The timestamp follows the clock, the sequence number follows the packets: a tick without a packet moves
    only the first, and the next packet carries the marker (RFC 3551 section 4.1).
    """

    def __init__(self, ssrc: int, sequence: int, timestamp: int) -> None:
        """All three should be random (RFC 3550 section 5.1)."""
        self.ssrc: Final = ssrc
        self.packets = 0
        self.octets = 0
        self._sequence = sequence & 0xFFFF
        self._origin = timestamp
        self._first_tick: int | None = None
        self._last_tick: int | None = None
        self._units = FRAME_SAMPLES

    def count_in(self, units: int) -> None:
        """From the last packet on a tick is this many units of the timestamp: another codec, another clock."""
        if units != self._units and self._last_tick is not None:
            self._origin, self._first_tick = self.timestamp(self._last_tick), self._last_tick
        self._units = units

    def timestamp(self, tick: int) -> int:
        """RTP timestamp of the frame that belongs to this tick."""
        first = tick if self._first_tick is None else self._first_tick
        return (self._origin + (tick - first) * self._units) & 0xFFFFFFFF

    def audio(self, payload: bytes, payload_type: int, tick: int) -> bytes:
        """The datagram for the audio of this tick."""
        talkspurt = self._last_tick is None or tick != self._last_tick + 1
        return self._packet(payload, payload_type, tick, tick, marker=talkspurt)

    def event(self, payload: bytes, payload_type: int, tick: int, started: int) -> bytes:
        """The datagram for a telephone event that began at tick `started` (RFC 4733 section 2.5.1.1)."""
        return self._packet(payload, payload_type, tick, started, marker=tick == started)

    def _packet(self, payload: bytes, payload_type: int, tick: int, stamped: int, *, marker: bool) -> bytes:
        if self._first_tick is None:
            self._first_tick = tick
        sequence, self._sequence = self._sequence, (self._sequence + 1) & 0xFFFF
        self._last_tick = tick
        self.packets += 1
        self.octets += len(payload)
        return datagram(payload_type, marker, sequence, self.timestamp(stamped), self.ssrc, payload)
