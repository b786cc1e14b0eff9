"""Loudness of PCM in dBFS: 0 is a full-scale square wave, a full-scale sine is -3."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FLOOR_DB: Final = -100.0
"""Reported for digital silence."""
_FULL_SCALE: Final = 32768.0


def rms_dbfs(pcm: bytes) -> float:
    """Root mean square of s16le samples; FLOOR_DB for silence or nothing."""
    samples = _samples(pcm)
    return _decibels(float(np.sqrt(np.mean(samples * samples))) if samples.size else 0.0)


def peak_dbfs(pcm: bytes) -> float:
    """The loudest sample."""
    samples = _samples(pcm)
    return _decibels(float(np.abs(samples).max()) if samples.size else 0.0)


def amplify(pcm: bytes, gain_db: float) -> bytes:
    """Louder by this many decibels (quieter if negative); what is too loud is cut at full scale."""
    louder = _samples(pcm) * 10 ** (gain_db / 20)
    return louder.round().clip(-_FULL_SCALE, _FULL_SCALE - 1).astype("<i2").tobytes()


def _samples(pcm: bytes) -> NDArray[np.float32]:
    return np.frombuffer(pcm, "<i2").astype(np.float32)


def _decibels(amplitude: float) -> float:
    if amplitude <= 0:
        return FLOOR_DB
    return max(float(20 * np.log10(amplitude / _FULL_SCALE)), FLOOR_DB)
