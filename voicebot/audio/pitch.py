"""Pitch of the voice by autocorrelation: enough to hear that somebody gets agitated."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicebot.audio.frames import RATE

LOWEST_HZ, HIGHEST_HZ = 70, 400
WINDOW: Final = RATE * 40 // 1000
"""Samples of one look (40 ms: three periods of the deepest voice)."""
STEP: Final = RATE * 10 // 1000
LOOKED_BACK: Final = RATE * 3 // 2
_ENOUGH, _LAST = 25, 10
"""Values (10 ms each) that a judgement needs, and how many of them are its end."""
_LOW: Final = 0.82
_VOICED: Final = 0.5
"""Height of the autocorrelation peak above which a sound is voiced."""
_QUIET: Final = 100.0
"""RMS below which there is no voice (-50 dBFS)."""


def pitch_hz(pcm: bytes) -> float | None:
    """Fundamental frequency of the first 40 ms of s16le 8 kHz; None if unvoiced, quiet or too short."""
    track = pitch_track(pcm[: 2 * WINDOW])
    return track[0] if track else None


def pitch_track(pcm: bytes) -> list[float | None]:
    """Pitch every 10 ms; len is 0 for less than 40 ms of sound. About 1 ms for a second of voice."""
    samples = np.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(np.float64)
    if samples.size < WINDOW:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::STEP]
    windows = windows - windows.mean(axis=1, keepdims=True)
    loud = np.flatnonzero(np.sqrt(np.mean(windows * windows, axis=1)) >= _QUIET)
    track: list[float | None] = [None] * len(windows)
    for place, likeness in zip(loud, _likeness(windows[loud]), strict=True):
        track[place] = _fundamental(likeness)
    return track


def ends_low(pcm: bytes) -> bool:
    """Whether the voice went down at the end of s16le 8 kHz, as at the end of a statement; False where it is unclear.

    Looks at the last 1.5 s: the last voiced tenth of a second against all of it.
    """
    track = [hertz for hertz in pitch_track(pcm[-2 * LOOKED_BACK :]) if hertz is not None]
    if len(track) < _ENOUGH:
        return False
    return float(np.median(track[-_LAST:])) <= _LOW * float(np.median(track))


def _likeness(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Autocorrelation of each row by lag, corrected for the samples that a lag leaves out; 1 at lag 0."""
    spectrum = np.fft.rfft(windows, 2 * WINDOW)
    raw = np.fft.irfft(np.abs(spectrum) ** 2)[:, :WINDOW]
    shrinking = 1 - np.arange(WINDOW) / WINDOW
    return np.asarray(raw / shrinking / raw[:, :1])


def _fundamental(likeness: NDArray[np.float64]) -> float | None:
    shortest, longest = RATE // HIGHEST_HZ, RATE // LOWEST_HZ
    heights = likeness[shortest : longest + 1]
    best = heights.max()
    if best < _VOICED:
        return None
    # The first peak nearly as high as the best is the period; the best may be a multiple of it.
    before, after = likeness[shortest - 1 : longest], likeness[shortest + 1 : longest + 2]
    peaks = np.flatnonzero((heights >= 0.9 * best) & (before <= heights) & (heights >= after))
    return RATE / _between(likeness, shortest + int(peaks[0])) if peaks.size else None


def _between(likeness: NDArray[np.float64], lag: int) -> float:
    """The top of the parabola through a peak and its neighbours."""
    left, top, right = likeness[lag - 1 : lag + 2]
    bend = left - 2 * top + right
    return lag if bend == 0 else float(lag + 0.5 * (left - right) / bend)
