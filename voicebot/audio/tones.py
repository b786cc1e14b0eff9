"""Single tones in 20 ms frames: pitch, loudness and how pure; and how much of a frame is in few frequencies."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicebot.audio.frames import FRAME_SAMPLES, RATE

_WINDOW: Final[NDArray[np.float64]] = np.hanning(FRAME_SAMPLES + 1)[:-1]
_BIN_HZ: Final = RATE / FRAME_SAMPLES
_FAINT: Final = 100.0
"""RMS below which nothing is a tone (-50 dBFS)."""
_LOBE: Final = 2
"""Bins on each side that a Hann window spreads a tone over."""
PURE: Final = 0.93
"""Share of the energy in one spectral line above which a frame is a tone. Vowels stay below: they have overtones."""


@dataclass(frozen=True, slots=True)
class Tone:
    """One spectral line that holds nearly all energy of a frame."""

    hertz: float
    level_dbfs: float


_STRONGEST: Final = 12
"""Spectral lines of 81 among which the energy of notes and vowels is."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a frame consists of. `concentration`: share of its energy in the strongest lines, 0..1: noise has a third,
    music and vowels nearly all. `tone`: the one line that it is, if it is."""

    concentration: float
    tone: Tone | None


def look(pcm: bytes) -> Look | None:
    """Look at a frame (320 bytes); None if it is silent, or no whole frame. Tones are exact to some hertz between 150
    and 3500 Hz; noise and speech are none."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    if samples.size != FRAME_SAMPLES:
        return None
    rms = math.sqrt(float(samples @ samples) / FRAME_SAMPLES)
    if rms < _FAINT:
        return None
    spectrum = np.fft.rfft((samples - samples.mean()) * _WINDOW)
    power = spectrum.real**2 + spectrum.imag**2
    total = float(power.sum()) or 1.0
    strongest = float(np.partition(power, -_STRONGEST)[-_STRONGEST:].sum()) / total
    peak = int(power.argmax())
    if not 3 <= peak <= 70 or float(power[peak - _LOBE : peak + _LOBE + 1].sum()) / total < PURE:
        return Look(strongest, None)
    return Look(strongest, Tone(_BIN_HZ * _top(power, peak), 20 * math.log10(rms / 32768)))


def tone_of(pcm: bytes) -> Tone | None:
    """The tone that a frame (320 bytes) consists of; None if it is silence, noise or speech."""
    seen = look(pcm)
    return seen.tone if seen is not None else None


def _top(power: NDArray[np.float64], peak: int) -> float:
    """Where between the bins the line is: parabola through the logarithms."""
    left, top, right = np.log(power[peak - 1 : peak + 2] + 1e-9)
    return peak + 0.5 * float((left - right) / (left - 2 * top + right))
