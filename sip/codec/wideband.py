"""G.722 and Opus through PyAV, seen from a telephone: what is above 4 kHz is given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sip.codec.opus_packet import CLOCK, opus_duration
from sip.codec.resample import Decimator, Interpolator
from sip.codec.speech import FRAME_BYTES, CodecUnavailableError

try:
    import av
except ImportError:  # a line that speaks G.711 alone needs none
    av = None

OPUS_BITS_PER_S: Final = 24_000
_OPUS_OPTIONS: Final = {"application": "voip", "frame_duration": "20", "compression_level": "5"}


class _Stream:
    """An encoder and a decoder of libav with what they remember."""

    def __init__(self, name: str, encoded_hz: int, decoded_hz: int, options: dict[str, str], bits: int = 0) -> None:
        if av is None:
            raise CodecUnavailableError(f"{name} needs PyAV: install the package `av`, or offer G.711 alone")
        self._name, self._encoded_hz, self._decoded_hz = name, encoded_hz, decoded_hz
        self._encoder = self._context("w", encoded_hz)
        self._encoder.options = options
        if bits:
            self._encoder.bit_rate = bits
        self._decoder = self._context("r", decoded_hz)
        self._sent = 0

    def _context(self, mode: str, rate_hz: int) -> Any:
        context = av.CodecContext.create(self._name, mode)
        context.sample_rate, context.layout, context.format = rate_hz, "mono", "s16"
        return context

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
        frame.planes[0].update(samples.astype("<i2").tobytes())
        frame.sample_rate, frame.pts = self._encoded_hz, self._sent
        self._sent += len(samples)
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        """Empty for a payload that is broken."""
        try:
            frames = self._decoder.decode(av.Packet(payload))
        except (av.error.FFmpegError, ValueError):
            return np.zeros(0, np.int16)
        pieces = [np.frombuffer(frame.planes[0], "<i2", frame.samples) for frame in frames]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


class G722:
    """ITU-T G.722 at 64 kbit/s: 160 bytes hold 320 samples at 16 kHz, and the RTP clock counts 160."""

    units: Final = 160

    def __init__(self) -> None:
        self.duration: Final[Callable[[bytes], int]] = len
        self._stream = _Stream("g722", 16_000, 16_000, {})
        self._down, self._up = Decimator(2), Interpolator(2)

    def decode(self, payload: bytes) -> bytes | None:
        samples = self._stream.decode(payload)
        return self._down(samples).astype("<i2").tobytes() if len(samples) == 2 * self.units else None

    def encode(self, pcm: bytes) -> bytes:
        return self._stream.encode(self._up(np.frombuffer(pcm, "<i2").astype(np.int16)))


class Opus:
    """Opus, one channel, as RTP carries it (RFC 7587). We send narrow band, since we have no more."""

    units: Final = CLOCK // 50

    def __init__(self) -> None:
        self.duration: Final[Callable[[bytes], int]] = opus_duration
        self._stream = _Stream("libopus", 8000, CLOCK, _OPUS_OPTIONS, OPUS_BITS_PER_S)
        self._down = Decimator(6)
        self._rest = b""

    def decode(self, payload: bytes) -> bytes | None:
        if payload:
            samples = self._stream.decode(payload)
            self._rest = b"" if len(samples) % 6 else self._down(samples).astype("<i2").tobytes()
        frame, self._rest = self._rest[:FRAME_BYTES], self._rest[FRAME_BYTES:]
        return frame if len(frame) == FRAME_BYTES else None

    def encode(self, pcm: bytes) -> bytes:
        return self._stream.encode(np.frombuffer(pcm, "<i2").astype(np.int16))
