"""Tones: who is heard in a recording is told by the pitch of the tone that party plays (Goertzel)."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000
WINDOW = 800
"""Samples looked at together: 100 ms, so a bin is 10 Hz wide."""


def tone(hz: int, seconds: float, level: float = 0.3, rate: int = RATE) -> bytes:
    """A sine, s16le mono. `level` 1 is full scale."""
    at = np.arange(round(seconds * rate)) / rate
    return (np.sin(2 * np.pi * hz * at) * level * 32767).astype("<i2").tobytes()


def shares(pcm: bytes | bytearray | NDArray[np.int16], hz: int) -> NDArray[np.float64]:
    """For every 100 ms: the part of the energy (0..1) that lies at `hz`; 0 where there is only silence."""
    samples = np.frombuffer(bytes(pcm[: len(pcm) // 2 * 2]), "<i2") if isinstance(pcm, bytes | bytearray) else pcm
    windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW).astype(np.float64)
    probe = np.exp(-2j * np.pi * hz / RATE * np.arange(WINDOW))
    energy = (windows**2).sum(axis=1)
    at_pitch = 2 * np.abs(windows @ probe) ** 2 / WINDOW
    quiet = energy < WINDOW * 100.0**2
    return np.where(quiet, 0.0, at_pitch / np.maximum(energy, 1.0))


def tone_ms(pcm: bytes | bytearray | NDArray[np.int16], hz: int, share: float = 0.5) -> int:
    """How long a tone is the most of what is heard; among others ask for a smaller share."""
    return 100 * int(np.count_nonzero(shares(pcm, hz) > share))


def write_wav(path: Path, pcm: bytes, rate: int = RATE) -> Path:
    """A mono file for a peer to play."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return path


def read_wav(path: Path) -> NDArray[np.int16]:
    """The first channel at 8 kHz, also of a file whose writer was killed before it knew the length."""
    data = path.read_bytes()
    at = data.index(b"fmt ")
    channels, rate = struct.unpack_from("<HI", data, at + 10)
    start = data.index(b"data", at) + 8
    samples = np.frombuffer(data[start : start + (len(data) - start) // 2 * 2], "<i2")
    step = rate // RATE
    assert rate % RATE == 0, f"{path.name} has {rate} Hz"
    mono = samples[: len(samples) // channels * channels].reshape(-1, channels)[:, 0]
    averaged = mono[: len(mono) // step * step].reshape(-1, step).mean(axis=1)
    return averaged.astype(np.int16)
