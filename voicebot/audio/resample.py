"""Sample rate conversion: soxr for whole sounds, a short filter of our own for live streams.

soxr's stream hands out its result in blocks, 40 to 115 ms late at the rates of speech; a caller would hear and wait
for that in every turn.
"""

from functools import cache
from math import ceil, gcd
from typing import Final, cast

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

QUALITY: Final = "MQ"
"""soxr's medium quality: 16 bits of accuracy, more than the telephone has."""
_HALF: Final = 16
"""Zero crossings of the filter on each side, at the lower of the two rates: 2 ms of delay at 8 kHz."""
_PASS: Final = 0.93
"""Share of the lower rate's band that passes (8 kHz: to 3.7 kHz)."""


def resample(pcm: bytes, source_rate: int, target_rate: int) -> bytes:
    """A whole sound, s16le mono. Same rate: returned as it is."""
    if source_rate == target_rate or not pcm:
        return pcm
    samples = np.frombuffer(pcm, "<i2")
    resampled = cast(NDArray[np.int16], soxr.resample(samples, source_rate, target_rate, quality=QUALITY))
    return resampled.astype("<i2").tobytes()


class Resampler:
    """A stream of s16le mono pieces of any length (whole samples), 2 ms behind."""

    def __init__(self, source_rate: int, target_rate: int) -> None:
        common = gcd(source_rate, target_rate)
        self._up, self._down = target_rate // common, source_rate // common
        self._phases = _phases(self._up, self._down)
        self._taps = self._phases.shape[1]
        self._past: NDArray[np.float32] = np.zeros(self._taps - 1, np.float32)
        self._at = self._taps // 2 * self._up
        """The next output sample, in steps of the common multiple of both rates, from the start of `_past`."""
        self._fed = self._given = 0

    def push(self, pcm: bytes) -> bytes:
        """What is ready after this piece; may be empty."""
        if self._up == self._down:
            return pcm
        self._fed += len(pcm) // 2
        sound = self._filter(pcm)
        self._given += len(sound) // 2
        return sound

    def flush(self) -> bytes:
        """The rest, so that the whole is as long as it was. The stream takes nothing afterwards."""
        if self._up == self._down:
            return b""
        missing = ceil(self._fed * self._up / self._down) - self._given
        return self._filter(bytes(2 * self._taps))[: 2 * missing]

    def _filter(self, pcm: bytes) -> bytes:
        heard = np.concatenate([self._past, np.frombuffer(pcm, "<i2").astype(np.float32)])
        fresh = heard.size - self._taps + 1
        if fresh <= 0:
            self._past = heard
            return b""
        steps = np.arange(self._at, fresh * self._up, self._down)
        windows = sliding_window_view(heard, self._taps)[steps // self._up]
        sound: NDArray[np.float32] = np.einsum("ij,ij->i", windows, self._phases[steps % self._up])
        self._at += len(steps) * self._down - fresh * self._up
        self._past = heard[fresh:]
        return sound.round().clip(-32768, 32767).astype("<i2").tobytes()


@cache
def _phases(up: int, down: int) -> NDArray[np.float32]:
    """Windowed sinc, one row per phase: [up, taps]; the sum of each row is 1."""
    half = _HALF * max(1, ceil(down / up))
    offsets = np.arange(-half + 1, half + 1)[None, :] - np.arange(up)[:, None] / up
    width = min(1.0, up / down) * _PASS
    window = np.i0(8.0 * np.sqrt((1 - (offsets / half) ** 2).clip(0)))  # Kaiser
    sinc = np.sinc(offsets * width) * window
    return np.asarray(sinc / sinc.sum(axis=1, keepdims=True), np.float32)
