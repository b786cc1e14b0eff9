"""Opus at the telephone's rate: the browser's codec (RFC 6716, in RTP RFC 7587), by libopus through PyAV."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
from av.packet import Packet

from voicebot.audio.frames import FRAME_BYTES, FRAME_SAMPLES, RATE
from voicebot.audio.resample import Resampler

_DECODED: Final = 48_000
"""libopus as FFmpeg drives it decodes to nothing else."""
_LINE, _WIRE = Fraction(1, RATE), Fraction(1, _DECODED)
"""Time bases of our frames, and of RTP for Opus (RFC 7587 section 4.1)."""
_BITRATE: Final = 24_000
"""Speech of 4 kHz width gains nothing above."""
_FADES: Final = (0.7, 0.4, 0.15)
"""How loud the last frame is repeated when the next ones are missing; after them silence."""


class OpusEncoder:
    """8 kHz speech to Opus; libopus takes 8 kHz as it is, and the browser's decoder makes of it what it needs."""

    def __init__(self) -> None:
        codec = av.CodecContext.create("libopus", "w")
        codec.bit_rate, codec.format, codec.layout, codec.sample_rate = _BITRATE, "s16", "mono", RATE
        codec.time_base = _LINE
        # `fec`: every packet holds the one before it, coarsely, so that one lost packet is not heard.
        codec.options = {
            "application": "voip",
            "frame_duration": "20",
            "fec": "1",
            "packet_loss": "5",
            "compression_level": "3",  # of 10: two thirds of the time, and nothing to hear at telephone width
        }
        self._codec = codec
        self._frames = 0

    def encode(self, pcm: bytes, tick: int) -> list[Packet[Any]]:
        """20 ms (FRAME_BYTES) to packets, usually one, stamped with the tick they were heard in."""
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        frame.planes[0].update(pcm)
        frame.sample_rate, frame.time_base, frame.pts = RATE, _LINE, self._frames * FRAME_SAMPLES
        self._frames += 1
        packets: list[Packet[Any]] = self._codec.encode(frame)
        for packet in packets:
            packet.pts, packet.time_base = tick * _DECODED // 50, _WIRE
        return packets


class OpusDecoder:
    """Opus to frames of 20 ms at 8 kHz, whatever the length of the packets; gaps are filled with a fading echo."""

    def __init__(self) -> None:
        self._codec = self._fresh()
        self._resampler = Resampler(_DECODED, RATE)
        self._ready = bytearray()
        self._last = bytes(FRAME_BYTES)
        self._gap = 0
        self.unreadable = 0

    @property
    def waiting(self) -> bool:
        """Whether a frame is left of a packet longer than 20 ms."""
        return len(self._ready) >= FRAME_BYTES

    def frame(self, payload: bytes | None) -> bytes:
        """The next FRAME_BYTES; None conceals. Bytes that are no Opus count as a gap."""
        if payload:
            self._ready += self._resampler.push(self._decode(payload))
        if len(self._ready) < FRAME_BYTES:
            return self._concealed()
        self._last, self._gap = bytes(self._ready[:FRAME_BYTES]), 0
        del self._ready[:FRAME_BYTES]
        return self._last

    def _decode(self, payload: bytes) -> bytes:
        try:
            frames = self._codec.decode(Packet(payload))
            return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)
        except av.FFmpegError:
            self.unreadable += 1
            self._codec = self._fresh()
            return b""

    def _concealed(self) -> bytes:
        level = _FADES[self._gap] if self._gap < len(_FADES) else 0.0
        self._gap += 1
        if not level:
            return bytes(FRAME_BYTES)
        faded: bytes = (np.frombuffer(self._last, "<i2") * level).astype("<i2").tobytes()
        return faded

    @staticmethod
    def _fresh() -> av.CodecContext:
        codec = av.CodecContext.create("libopus", "r")
        codec.format, codec.layout, codec.sample_rate = "s16", "mono", _DECODED
        return codec
