"""VoiceFigures: pitch, level and pauses of one turn, measured while it runs; numpy alone, 8 kHz."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicebot.audio.frames import RATE

LONGEST_MS: Final = 20_000
LOWEST_HZ, HIGHEST_HZ = 70, 400
_WINDOW: Final = RATE * 32 // 1000
_PADDED: Final = 512
_LOOKS: Final = 48
"""Windows at most that one turn is looked at: enough for mean and range, cheap enough for every turn."""
_VOICED: Final = 0.55
_QUIET: Final = 80.0
_LOUD_SHARE: Final = 0.1
"""A window this much below the loudest tenth (amplitude) is a pause."""
_FULL_SCALE: Final = 32768.0


@dataclass(frozen=True, slots=True)
class VoiceFigures:
    """One turn. `pitch_hz` median of voiced sound (None: too little of it); `spread` semitones between its 10th and
    90th percentile; `level_db` dBFS of voiced sound; `voiced_ms` sound that is not pause; `longest_pause_ms` inside
    the turn; `overlap` share of the turn, 0..1, in which we were speaking too."""

    pitch_hz: float | None = None
    spread: float = 0.0
    level_db: float = -100.0
    voiced_ms: int = 0
    longest_pause_ms: int = 0
    overlap: float = 0.0


def measure(pcm: bytes, overlap: float = 0.0) -> VoiceFigures:
    """Figures of a turn, s16le 8 kHz, of which the last 20 s are read. Under a millisecond for any length."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")[-LONGEST_MS * RATE // 1000 :].astype(np.float32)
    count = samples.size // _WINDOW
    if not count:
        return VoiceFigures(overlap=overlap)
    windows = samples[: count * _WINDOW].reshape(count, _WINDOW)
    loud = np.sqrt(np.einsum("ij,ij->i", windows, windows) / _WINDOW)
    speaking = loud > max(_QUIET, _LOUD_SHARE * float(np.quantile(loud, 0.9)))
    if not speaking.any():
        return VoiceFigures(overlap=overlap)
    pitches = _pitches(windows[speaking])
    level = 20 * np.log10(float(np.sqrt(np.mean(loud[speaking] ** 2))) / _FULL_SCALE)
    return VoiceFigures(
        float(np.median(pitches)) if pitches.size >= 5 else None,
        _semitones(pitches), round(float(level), 1),
        int(speaking.sum()) * _WINDOW * 1000 // RATE, _longest_pause(speaking), overlap,
    )


def _pitches(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fundamental frequencies of those of up to `_LOOKS` windows, spread evenly, that are voiced."""
    chosen = windows[:: -(-len(windows) // _LOOKS)]
    chosen = chosen - chosen.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(chosen, _PADDED)
    likeness = np.fft.irfft(np.abs(spectrum) ** 2)[:, : RATE // LOWEST_HZ + 2].astype(np.float32)
    likeness /= np.maximum(likeness[:, :1], 1e-6)
    likeness /= 1 - np.arange(likeness.shape[1], dtype=np.float32) / _WINDOW
    shortest = RATE // HIGHEST_HZ
    best = likeness[:, shortest:-1].max(axis=1)
    # The first peak nearly as high as the best is the period; the best may be a multiple of it.
    middle = likeness[:, shortest:-1]
    peak = (middle >= 0.88 * best[:, None]) & (middle >= likeness[:, shortest - 1 : -2]) & (
        middle >= likeness[:, shortest + 1 :]
    )
    lags = peak.argmax(axis=1)
    sure = (best >= _VOICED) & peak.any(axis=1)
    return np.asarray(RATE / _refined(middle, likeness, lags, shortest)[sure], dtype=np.float32)


def _refined(
    middle: NDArray[np.float32], likeness: NDArray[np.float32], lags: NDArray[np.int64], shortest: int
) -> NDArray[np.float32]:
    """Lags in samples at the top of the parabola through each peak and its neighbours."""
    rows = np.arange(len(lags))
    left, top, right = likeness[rows, lags + shortest - 1], middle[rows, lags], likeness[rows, lags + shortest + 1]
    bend = left - 2 * top + right
    shift = np.where(np.abs(bend) > 1e-6, 0.5 * (left - right) / np.where(bend == 0, 1, bend), 0)
    return np.asarray(lags + shortest + np.clip(shift, -0.5, 0.5), dtype=np.float32)


def _semitones(pitches: NDArray[np.float32]) -> float:
    if pitches.size < 5:
        return 0.0
    low, high = np.quantile(pitches, (0.1, 0.9))
    return round(float(12 * np.log2(high / low)), 2)


def _longest_pause(speaking: NDArray[np.bool_]) -> int:
    """Milliseconds of the longest stretch without voice between the first and the last voice."""
    places = np.flatnonzero(speaking)
    gap = int(np.diff(places).max() - 1) if places.size > 1 else 0
    return gap * _WINDOW * 1000 // RATE
