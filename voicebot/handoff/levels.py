"""Levels: bring quiet and loud voices nearer to each other, and add voices without overflow."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voicebot.audio.frames import FRAME_BYTES

SILENT_RMS = 120.0
"""Below it (-49 dBFS) nobody speaks, and nothing is learnt about their level."""
QUIET_RMS, LOUD_RMS = 900.0, 5200.0
"""Speech between these (-31 and -16 dBFS) is passed on as it is; beyond them it is brought to them."""
LEAST_GAIN, MOST_GAIN = 0.35, 4.0
_MEMORY = 0.04
_STEP = 1.02
"""Most change of gain per 20 ms: 8 dB per second."""
CEILING = 30000.0
_RELEASE = 1.05
Samples = NDArray[np.float32]


class LevelControl:
    """The level of one voice, followed over about half a second of speech."""

    def __init__(self) -> None:
        self._rms = 0.0
        self._gain = 1.0

    def __call__(self, frame: bytes) -> bytes:
        """One frame (s16le), louder or softer; the very frame while its level is right."""
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        rms = math.sqrt(float(samples.dot(samples)) / len(samples))
        if rms >= SILENT_RMS:
            self._rms = rms if self._rms == 0.0 else self._rms + _MEMORY * (rms - self._rms)
            self._follow()
        if self._gain == 1.0:
            return frame
        return _frame(samples * np.float32(self._gain))

    def _follow(self) -> None:
        wanted = max(1.0, QUIET_RMS / self._rms) * min(1.0, LOUD_RMS / self._rms)
        wanted = min(MOST_GAIN, max(LEAST_GAIN, wanted))
        self._gain = min(max(wanted, self._gain / _STEP), self._gain * _STEP)


class Mixer:
    """Adds the voices that one listener hears. A sum too loud is turned down for a moment, never wrapped around."""

    def __init__(self) -> None:
        self._gain = 1.0

    def __call__(self, frames: Sequence[bytes]) -> bytes | None:
        """The sum of frames of 20 ms; None of none."""
        if not frames:
            return None
        if len(frames) == 1 and self._gain == 1.0:
            return frames[0]
        total: Samples = np.frombuffer(frames[0], "<i2").astype(np.float32)
        for frame in frames[1:]:
            total += np.frombuffer(frame, "<i2")
        peak = max(float(total.max()), -float(total.min()))
        if peak <= CEILING and self._gain == 1.0:
            return bytes(total.astype("<i2").tobytes())
        before, self._gain = self._gain, min(1.0, self._gain * _RELEASE, CEILING / max(peak, 1.0))
        start = min(before, self._gain * _RELEASE)
        total *= np.linspace(start, self._gain, FRAME_BYTES // 2, dtype=np.float32)
        return _frame(total)


def _frame(samples: Samples) -> bytes:
    return bytes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())
