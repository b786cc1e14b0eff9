"""Tones: who is heard in a recording is told by the pitch of the tone that party plays (Goertzel)."""

from __future__ import annotations

import asyncio
import struct
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000
PATIENCE_S = 25.0
"""How long a tone is waited for: on a machine that is starved, sound comes late and with holes."""
NOTHING = np.zeros(0, np.int16)
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


async def until_heard(
    heard: Callable[[], bytes | bytearray | NDArray[np.int16]], hz: int, ms: int, *, share: float = 0.5,
    within_s: float = PATIENCE_S,
) -> None:  # fmt: skip
    """Wait until more than `ms` of a growing sound are this tone."""
    until = time.monotonic() + within_s
    while (so_far := tone_ms(heard(), hz, share)) <= ms:
        assert time.monotonic() < until, f"{so_far} ms of {hz} Hz heard in {within_s} s, more than {ms} wanted"
        await asyncio.sleep(0.05)


def write_wav(path: Path, pcm: bytes, rate: int = RATE) -> Path:
    """A mono file for a peer to play."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return path


def read_wav(path: Path) -> NDArray[np.int16]:
    """The first channel at 8 kHz of what has been written so far. A writer that fills in its header at the end
    (linphone) is taken to write mono at that rate until then."""
    data = path.read_bytes() if path.exists() else b""
    if data[:4] != b"RIFF":
        channels, rate, start = 1, RATE, 44
    else:
        channels, rate = struct.unpack_from("<HI", data, data.index(b"fmt ") + 10)
        start = data.index(b"data") + 8
    samples = np.frombuffer(data[start : start + (len(data) - start) // 2 * 2], "<i2") if data[start:] else NOTHING
    step = rate // RATE
    assert rate % RATE == 0, f"{path.name} has {rate} Hz"
    mono = samples[: len(samples) // channels * channels].reshape(-1, channels)[:, 0]
    averaged = mono[: len(mono) // step * step].reshape(-1, step).mean(axis=1)
    return averaged.astype(np.int16)
