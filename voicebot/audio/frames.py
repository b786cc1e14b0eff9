"""The one shape of sound inside the product: s16le mono at 8 kHz, cut into frames of 20 ms."""

from typing import Final

RATE: Final = 8000
"""Samples per second."""
TICK_MS: Final = 20
TICK_S: Final = 0.02
FRAME_SAMPLES: Final = 160
FRAME_BYTES: Final = 320
SILENCE: Final = bytes(FRAME_BYTES)


def cut(pcm: bytes) -> list[bytes]:
    """Frames of exactly FRAME_BYTES; the last one is filled up with silence."""
    return [pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for at in range(0, len(pcm), FRAME_BYTES)]


def duration_ms(pcm: bytes) -> int:
    """How long this sound lasts."""
    return len(pcm) * 1000 // (2 * RATE)
