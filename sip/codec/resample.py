"""Sample rates by whole factors: a low-pass filter that remembers its stream, so that frames join without clicks."""

from __future__ import annotations

from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

_TAPS_PER_PHASE: Final = 16
Samples = NDArray[np.int16]


class Decimator:
    """Every `factor`-th sample of a stream, cleared of what would fold back. 8 samples late at the lower rate.

    The filter runs in `factor` short pieces, each on its own share of the samples.
    """

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._pieces = np.ascontiguousarray(_low_pass(factor).reshape(-1, factor).T)
        self._tail = np.zeros((_TAPS_PER_PHASE - 1) * factor, np.float32)

    def __call__(self, samples: Samples) -> Samples:
        """A whole number of `factor` samples in, one of each out."""
        stream = np.concatenate((self._tail, samples.astype(np.float32)))
        self._tail = stream[len(samples) :]
        shares = np.ascontiguousarray(stream.reshape(-1, self._factor).T)
        # The taps are symmetric: correlating is convolving.
        return _whole(reduce(np.add, map(np.correlate, shares, self._pieces)))


class Interpolator:
    """`factor` samples for each of a stream, without its mirror image."""

    def __init__(self, factor: int) -> None:
        self._pieces = np.ascontiguousarray(_low_pass(factor).reshape(-1, factor).T[::-1] * factor)
        self._tail = np.zeros(_TAPS_PER_PHASE - 1, np.float32)

    def __call__(self, samples: Samples) -> Samples:
        stream = np.concatenate((self._tail, samples.astype(np.float32)))
        self._tail = stream[len(samples) :]
        wide = np.empty((len(samples), len(self._pieces)), np.float32)
        for place, taps in enumerate(self._pieces):
            wide[:, place] = np.correlate(stream, taps)
        return _whole(wide.reshape(-1))


def _low_pass(factor: int) -> NDArray[np.float32]:
    """A windowed sinc that ends at the lower of the two Nyquist frequencies; its sum is 1."""
    length = _TAPS_PER_PHASE * factor
    at = np.arange(length) - (length - 1) / 2
    taps = np.sinc(at * 0.92 / factor) * np.kaiser(length, 7.0)
    unity: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return unity


def _whole(samples: NDArray[np.float32]) -> Samples:
    """Rounded and held within 16 bits; `samples` is used up."""
    np.rint(samples, out=samples)
    np.minimum(samples, 32767, out=samples)
    np.maximum(samples, -32768, out=samples)
    return samples.astype(np.int16)
