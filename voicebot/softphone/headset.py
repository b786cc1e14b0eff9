"""Headset: the audio port of a browser's call, where 8 kHz frames of the line meet Opus packets of the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from av.packet import Packet

from voicebot.softphone.jitter import JitterBuffer
from voicebot.softphone.opus import OpusDecoder, OpusEncoder

_QUIET: Final = 300
"""Peak below which a frame may be left out unheard (s16)."""
_PATIENCE: Final = 25
"""Frames to wait for a quiet one before a loud one is left out: half a second."""

Sink = Callable[["Packet[Any]"], None]


class Headset:
    """Plugged into a leg; the browser behind it may change or be away for a while, then the line hears silence."""

    def __init__(self) -> None:
        self.buffer = JitterBuffer()
        self._encoder, self._decoder = OpusEncoder(), OpusDecoder()
        self._sink: Sink | None = None
        self._patience = _PATIENCE

    def plug(self, sink: Sink | None) -> None:
        """From now on the browser behind `sink` hears; None: nobody. What the one before had sent is forgotten."""
        self._sink = sink
        self.buffer, self._decoder = JitterBuffer(), OpusDecoder()

    def take(self, stamp: int, payload: bytes) -> None:
        """A packet of the browser's microphone; `stamp` is its RTP time stamp."""
        self.buffer.push(stamp, payload)

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        """Called by the leg every 20 ms: to the browser what was heard, to the line what the agent says."""
        if self._sink is not None:
            for packet in self._encoder.encode(received, tick):
                self._sink(packet)
        return self._spoken() if self.buffer.received else None

    def _spoken(self) -> bytes:
        frame = self._decoder.frame(None if self._decoder.waiting else self.buffer.pop())
        if self.buffer.surplus and not self._decoder.waiting:
            self._patience -= 1
            if self._patience <= 0 or _peak(frame) < _QUIET:
                frame, self._patience = self._decoder.frame(self.buffer.shorten()), _PATIENCE
        return frame


def _peak(frame: bytes) -> int:
    return int(np.abs(np.frombuffer(frame, "<i2").astype(np.int32)).max())
