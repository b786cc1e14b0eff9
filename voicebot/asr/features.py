"""Telephone speech to filter-bank features: Kaldi's fbank at 8 kHz, whole or streaming with identical values.

40 mel bands 20-3600 Hz, 25 ms Povey windows every 10 ms, pre-emphasis 0.97, DC removed. The first window is centred
on 5 ms (60 mirrored samples stand before the signal), as Kaldi does with snip_edges=False.
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

RATE, BANDS = 8000, 40
WINDOW, HOP, _FFT = 200, 80, 256
_MIRRORED = WINDOW // 2 - HOP // 2
_EPSILON = np.finfo(np.float32).eps
SILENCE = float(np.log(_EPSILON))

Floats = NDArray[np.float32]


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log(1 + hz / 700.0)


def _mel_filters(low: float = 20.0, high: float = RATE / 2 - 400) -> Floats:
    lowest, highest = _mel(np.array([low, high]))
    edges = np.linspace(lowest, highest, BANDS + 2)
    bins = _mel(np.arange(_FFT // 2) * RATE / _FFT)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    weights = np.clip(np.minimum(rising, falling), 0, None)
    return np.pad(weights, ((0, 0), (0, 1))).T.astype(np.float32)


_FILTERS = _mel_filters()
_POVEY = np.power(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1)), 0.85).astype(np.float32)


def fbank(signal: Floats) -> Floats:
    """float32 samples in [-1, 1] -> (frames, 40); frame t is complete once 140 + 80 t samples are there."""
    if len(signal) < WINDOW - _MIRRORED:
        return np.zeros((0, BANDS), np.float32)
    return _frames(np.concatenate([signal[:_MIRRORED][::-1], signal]))


def _frames(samples: Floats) -> Floats:
    """Features of every whole window of samples."""
    return _bands(_windows(samples))


def _windows(samples: Floats) -> Floats:
    """(windows, 200); no window where there are fewer samples."""
    if len(samples) < WINDOW:
        return np.zeros((0, WINDOW), np.float32)
    return sliding_window_view(samples, WINDOW)[::HOP]


def _bands(windows: Floats) -> Floats:
    frames = windows - windows.mean(-1, keepdims=True)
    emphasised = np.empty_like(frames)
    emphasised[:, 0] = frames[:, 0] * 0.03
    emphasised[:, 1:] = frames[:, 1:] - 0.97 * frames[:, :-1]
    spectrum = np.fft.rfft(emphasised * _POVEY, _FFT, axis=-1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.asarray(np.log(np.maximum(power @ _FILTERS, _EPSILON)), np.float32)


class StreamingFbank:
    """The same features from pieces of any length."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._started = False

    def missing(self, frames: int) -> int:
        """How many more samples complete so many frames."""
        first = WINDOW if self._started else WINDOW - _MIRRORED
        return first + (frames - 1) * HOP - len(self._rest)

    def accept(self, samples: Floats) -> Floats:
        """Takes float32 samples in [-1, 1]; gives the frames (n, 40) that they complete, n >= 0."""
        return _bands(self._cut(samples))

    def _cut(self, samples: Floats) -> Floats:
        """The windows that samples complete."""
        self._rest = np.concatenate([self._rest, samples])
        if not self._started:
            if len(self._rest) < WINDOW - _MIRRORED:
                return np.zeros((0, WINDOW), np.float32)
            self._rest = np.concatenate([self._rest[:_MIRRORED][::-1], self._rest])
            self._started = True
        windows = _windows(self._rest)
        self._rest = self._rest[len(windows) * HOP :]
        return windows


def accept_all(pieces: Sequence[tuple[StreamingFbank, Floats]]) -> list[Floats]:
    """`accept` of many streams in one go, which costs little more than that of one."""
    windows = [stream._cut(samples) for stream, samples in pieces]
    frames = _bands(np.concatenate(windows))
    return np.split(frames, np.cumsum([len(one) for one in windows[:-1]]))
