"""Jitter buffer: packets come in as the network delivers them, one 20 ms frame goes out per tick.

Positions are frames of 20 ms on the sender's timeline. `slack` is how many ticks before its turn a
packet came: the buffer keeps the smallest slack of the last second near `floor`, one less on a line that has
been even for some seconds, and lets no packet wait longer than `ceiling`.
"""

from collections.abc import Callable
from typing import Final

from sip.rtp.packet import RtpPacket
from sip.rtp.sequencer import FRAME_SAMPLES

_SLOTS: Final = 64
_WINDOW: Final = 50
"""Packets (about one second) over which slack is judged."""
_LONGEST: Final = 6
"""Frames in one packet at most."""
_NEAR: Final = 50
"""Two packets this many frames apart at most (one second) belong to the same timeline."""
_LOST_TRACK: Final = 16
"""Packets late in a row after which the timeline is taken anew."""
_EVEN: Final = 6
"""Windows in a row with packets as punctual as the clock can tell, after which a frame less of delay will do."""
_QUIET: Final = 3
"""Magnitude (|sample| / 128) below which a frame may be dropped unheard."""
_PATIENCE: Final = 10
"""Ticks to wait for a quiet frame before a loud one is dropped."""


class JitterBuffer:
    """Bounded playout of audio with reordering, adaptation and resynchronisation.

    Of a codec with a byte per timestamp unit every byte finds its place; the payloads of another stay whole:
    each comes out for its first frame, and b"" for every further one.

    Duplicates must have been taken out (see Reception). A packet of another source or far off the timeline is
    believed when a second one agrees with it, or at once when it begins a talkspurt.
    """

    def __init__(self, silence: int, magnitude: bytes, *, floor: int = 2, ceiling: int = 10,
                 units: int = FRAME_SAMPLES, duration: Callable[[bytes], int] = len) -> None:
        """`silence`: the code that fills gaps. `magnitude`: translate table code -> |sample| / 128.

        `units`: timestamp units in 20 ms. `duration`: those that a payload lasts, 0 for a broken one.
        """
        self._blank, self._magnitude = bytes([silence]) * units, magnitude
        self._units, self._duration, self._whole = units, duration, duration is not len
        self._floor, self._ceiling = floor, ceiling
        self._frames: list[bytes | bytearray] = [b""] * _SLOTS
        self._owner = [-1] * _SLOTS
        self._ssrc: int | None = None
        self._origin = 0
        self._next = 0
        self._played = -1
        self._newest = -1
        self._candidate: RtpPacket | None = None
        self._late_run = 0
        self._surplus = self._waited = self._even = 0
        self._least, self._most, self._recent_most = _SLOTS, -_SLOTS, -_SLOTS
        self._judged, self._late_at = 0, -_WINDOW - 1
        self.late = 0
        self.discarded = 0
        self.dropped = 0

    @property
    def ready(self) -> bool:
        """Whether the frame whose turn is next is here."""
        return self._owner[self._next % _SLOTS] == self._next

    @property
    def depth(self) -> int:
        """Frames from the next to the newest: the delay that the buffer adds now, in ticks."""
        return max(self._newest - self._next + 1, 0)

    def push(self, packet: RtpPacket) -> None:
        """Take one audio packet of any length up to 120 ms."""
        if not 0 < self._duration(packet.payload) <= _LONGEST * self._units:
            self.discarded += 1
        elif packet.ssrc != self._ssrc:
            self._doubt(packet, _SLOTS)
        else:
            position = self._position(packet.timestamp)
            slack = position // self._units - self._next
            if packet.marker and slack < 0:
                self._synchronise(packet)
            elif -_SLOTS < slack <= self._ceiling + 1:
                self._candidate = None
                self._place(packet, position)
            else:
                self._doubt(packet, slack)

    def pop(self) -> bytes | None:
        """The payload for this tick, or None if it is not here; missing parts of a frame are silence."""
        frame = self._take()
        if self._surplus and self.ready and self._may_drop(frame):
            self._surplus -= 1
            self._waited = 0
            self.dropped += 1
            self._shift_slack(-1)
            return self._take()
        return frame

    def skip(self, ticks: int) -> None:
        """The clock missed ticks: what should have been played then is gone, so that delay does not grow."""
        ticks = min(ticks, self._newest + 1 - self._floor - self._next)
        if ticks > 0:
            self._next += ticks
            self._shift_slack(-ticks)

    def _position(self, timestamp: int) -> int:
        """Samples since the origin; wraps after three days."""
        step = (timestamp - self._origin) & 0xFFFFFFFF
        return step - 0x100000000 if step >= 0x80000000 else step

    def _doubt(self, packet: RtpPacket, slack: int) -> None:
        """A packet off the known timeline: a new stream, or a stray."""
        first, self._candidate = self._candidate, packet
        if self._ssrc is None or (packet.marker and packet.ssrc == self._ssrc):
            self._synchronise(packet)
        elif first is None or not self._agree(first, packet):
            self.discarded += first is not None
        elif self._ceiling < slack < _SLOTS:
            self._overflow(first, packet)
        else:
            self._synchronise(first)
            self.push(packet)

    def _overflow(self, first: RtpPacket, packet: RtpPacket) -> None:
        """More is waiting than may wait: give up the oldest frames."""
        self._candidate = None
        pair = [(self._position(each.timestamp), each) for each in (first, packet)]
        pair.sort(key=lambda each: each[0], reverse=True)  # the newer one sets how long is waited
        gained = pair[0][0] // self._units - self._ceiling - self._next
        self._next += gained
        self._shift_slack(-gained)
        for position, each in pair:
            self._place(each, position)

    def _synchronise(self, packet: RtpPacket) -> None:
        """Begin a timeline: this packet is played `floor` ticks from now."""
        position = (self._next + self._floor) * self._units
        self._ssrc, self._candidate = packet.ssrc, None
        self._origin = (packet.timestamp - position) & 0xFFFFFFFF
        self._owner = [-1] * _SLOTS
        self._newest = self._next - 1
        self._surplus = self._late_run = 0
        self._forget()
        self._place(packet, position)

    def _place(self, packet: RtpPacket, position: int) -> None:
        payload = packet.payload
        units, length = self._units, self._duration(payload)
        frame, offset = divmod(position, units)
        last = (position + length - 1) // units
        slack = frame - self._next
        if slack < self._least:
            self._least = slack
        if slack > self._most:
            self._most = slack
        self._judged += 1
        if self._judged % _WINDOW == 0:
            self._judge()
        if (last < self._next or last <= self._played) and not self._catch(packet, last):
            return
        self._late_run = 0
        if last > self._newest:
            self._newest = last
        if length == units and (offset == 0 or self._whole):
            self._frames[frame % _SLOTS], self._owner[frame % _SLOTS] = payload, frame
        elif self._whole:
            self._place_whole(payload, frame, length // units)
        else:
            self._place_pieces(payload, frame, offset)

    def _place_whole(self, payload: bytes, first: int, frames: int) -> None:
        for frame in range(max(first, self._next), first + frames):
            self._frames[frame % _SLOTS] = payload if frame == first else b""
            self._owner[frame % _SLOTS] = frame

    def _place_pieces(self, payload: bytes, frame: int, offset: int) -> None:
        """A payload of another length than 20 ms, or off the grid, over as many slots as it covers."""
        start = 0
        while start < len(payload):
            piece = payload[start : start + self._units - offset]
            if frame >= self._next and frame > self._played:
                slot = frame % _SLOTS
                held = self._frames[slot] if self._owner[slot] == frame else self._blank
                mixed = held if isinstance(held, bytearray) else bytearray(held)
                mixed[offset : offset + len(piece)] = piece
                self._frames[slot], self._owner[slot] = mixed, frame
            start, frame, offset = start + len(piece), frame + 1, 0

    def _take(self) -> bytes | None:
        slot, self._next = self._next % _SLOTS, self._next + 1
        if self._owner[slot] != self._next - 1:
            return None
        self._played = self._next - 1
        return bytes(self._frames[slot])

    def _judge(self) -> None:
        """A second has passed: what everybody was early by is more delay than is needed."""
        punctual = self._most - self._least <= 1 and self._judged - self._late_at > _WINDOW
        self._even = self._even + 1 if punctual else 0
        floor = max(self._floor - 1, 1) if self._even >= _EVEN else self._floor
        self._surplus = max(self._least - floor, 0)
        self._least, self._recent_most, self._most = _SLOTS, self._most, -_SLOTS

    def _catch(self, packet: RtpPacket, last: int) -> bool:
        """A packet came too late: wait longer from now on, if allowed. Whether it can still be played.

        One late packet is an accident, the second within a second is jitter.
        """
        accident = self._judged - self._late_at > _WINDOW
        self._late_at = self._judged
        self._late_run += 1
        wait = min(self._next - last, self._ceiling - max(self._most, self._recent_most))
        if self._late_run > _LOST_TRACK:
            self._synchronise(packet)
            return False
        if not accident and wait > 0:
            self._next -= wait
            self._shift_slack(wait)
            for slot, owner in enumerate(self._owner):  # what was played must not be played again
                self._owner[slot] = -1 if owner <= self._played else owner
        if last < self._next or last <= self._played:
            self.late += 1
            return False
        return True

    def _shift_slack(self, ticks: int) -> None:
        """The timeline moved later by `ticks`: what is known of slack moves with it."""
        self._least, self._most = self._least + ticks, self._most + ticks
        self._recent_most += ticks

    def _forget(self) -> None:
        self._least, self._most, self._recent_most = _SLOTS, -_SLOTS, -_SLOTS
        self._judged, self._late_at, self._even = 0, -_WINDOW - 1, 0

    def _may_drop(self, frame: bytes | None) -> bool:
        self._waited += 1
        if not frame or self._waited >= _PATIENCE:
            return True
        return max(frame.translate(self._magnitude)) < _QUIET

    def _agree(self, first: RtpPacket, second: RtpPacket) -> bool:
        """Whether two packets can be neighbours of one stream."""
        near = _NEAR * self._units
        step = (second.timestamp - first.timestamp + near) & 0xFFFFFFFF
        return first.ssrc == second.ssrc and first.sequence != second.sequence and step < 2 * near
