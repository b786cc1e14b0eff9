"""The sound of waiting: a soft, slow chime and, now and then, a sentence; a held callee never hears silence."""

from __future__ import annotations

import functools

import numpy as np

_RATE = 8000
_NOTES_HZ = (523.25, 659.25, 783.99, 659.25)
_NOTE_S = 0.75
_REST_S = 1.0
_LEVEL = 1100
_RINGBACK_HZ = 450.0
"""As exchanges in China ring: 1 s of tone, 4 s of nothing."""

GREETING = "greeting"
"""Both hear it when an agent has joined."""
COMPANY = "company"
"""Said to somebody in danger who waits where no bot is left to talk with them."""
_QUEUE = "queue-"
_MOST_COUNTED = 5

SENTENCES = {
    GREETING: "同事已经接通，请您直接说。",
    COMPANY: "我还在这里陪着您，正在请同事过来。全国心理援助热线幺二三五六，随时可以打。",
    f"{_QUEUE}0": "马上就轮到您了，请您再稍等一下。",
    f"{_QUEUE}1": "您前面还有一位，请您稍等。",
    f"{_QUEUE}2": "您前面还有两位，请您稍等。",
    f"{_QUEUE}3": "您前面还有三位，请您稍等。",
    f"{_QUEUE}4": "您前面还有四位，请您稍等。",
    f"{_QUEUE}5": "现在等候的人比较多，谢谢您的耐心，请您再等一等。",
}
"""What is said while people are fetched, by name; the brain leaves the sound of each with the line."""


def place_sentence(before: int) -> str:
    """The name of the sentence that tells how many are served before."""
    return f"{_QUEUE}{min(max(before, 0), _MOST_COUNTED)}"


@functools.cache
def hold_sound() -> bytes:
    """One round of the chime, s16le mono 8 kHz, about 4 s; play it in a loop."""
    t = np.arange(int(_RATE * _NOTE_S)) / _RATE
    envelope = np.minimum(t / 0.03, 1.0) * np.exp(-3.5 * t)
    notes = [np.sin(2 * np.pi * hz * t) * envelope for hz in _NOTES_HZ]
    round_ = np.concatenate([*notes, np.zeros(int(_RATE * _REST_S))])
    return bytes((round_ * _LEVEL).astype("<i2").tobytes())


@functools.cache
def ringback() -> bytes:
    """One round of the sound that tells a caller that it rings, s16le mono 8 kHz, 5 s."""
    t = np.arange(_RATE) / _RATE
    tone = np.sin(2 * np.pi * _RINGBACK_HZ * t) * _LEVEL
    return bytes(np.concatenate([tone, np.zeros(4 * _RATE)]).astype("<i2").tobytes())


class HoldLoop:
    """Endless 320-byte frames of a sound, the chime unless told otherwise."""

    def __init__(self, sound: bytes | None = None) -> None:
        self._sound = hold_sound() if sound is None else sound
        self._at = 0

    def next(self) -> bytes:
        frame = self._sound[self._at : self._at + 320]
        self._at = (self._at + 320) % len(self._sound)
        return frame.ljust(320, b"\0")
