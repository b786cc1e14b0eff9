"""The sound of waiting: a soft, slow chime, so that a held callee never hears silence."""

from __future__ import annotations

import functools

import numpy as np

_RATE = 8000
_NOTES_HZ = (523.25, 659.25, 783.99, 659.25)
_NOTE_S = 0.75
_REST_S = 1.0
_LEVEL = 1100


@functools.cache
def hold_sound() -> bytes:
    """One round of the chime, s16le mono 8 kHz, about 4 s; play it in a loop."""
    t = np.arange(int(_RATE * _NOTE_S)) / _RATE
    envelope = np.minimum(t / 0.03, 1.0) * np.exp(-3.5 * t)
    notes = [np.sin(2 * np.pi * hz * t) * envelope for hz in _NOTES_HZ]
    round_ = np.concatenate([*notes, np.zeros(int(_RATE * _REST_S))])
    return bytes((round_ * _LEVEL).astype("<i2").tobytes())


class HoldLoop:
    """Endless 320-byte frames of the chime."""

    def __init__(self) -> None:
        self._at = 0

    def next(self) -> bytes:
        sound = hold_sound()
        frame = sound[self._at : self._at + 320]
        self._at = (self._at + 320) % len(sound)
        return frame.ljust(320, b"\0")
