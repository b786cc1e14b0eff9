"""Comfort noise: what the peer wants heard while it sends no speech (RFC 3389)."""

from __future__ import annotations

from typing import Final

import numpy as np

from sip.rtp.sequencer import FRAME_SAMPLES

_LOUDEST_DB: Final = 36
"""Below full scale; a peer that asks for more gets this."""
_STRIDE: Final = 1447
"""Samples from frame to frame: prime, so that it takes long to come round."""
_NOISE: Final = np.random.default_rng(3389).standard_normal(4096)


class ComfortNoise:
    """White noise at the level of the last comfort noise packet; the spectrum it may name is not used."""

    def __init__(self) -> None:
        self._noise: bytes | None = None
        self._at = 0

    def receive(self, payload: bytes) -> None:
        """A comfort noise packet: its first byte is the level in dB below full scale."""
        below_db = payload[0] & 0x7F if payload else 0x7F
        level = 32767 * 10 ** (-max(below_db, _LOUDEST_DB) / 20)
        self._noise = np.rint(_NOISE * level).astype("<i2").tobytes()

    def speech(self) -> None:
        """Speech came: the pause is over."""
        self._noise = None

    def frame(self) -> bytes | None:
        """20 ms of noise as s16le; None outside a pause."""
        if self._noise is None:
            return None
        self._at = (self._at + _STRIDE) % (len(_NOISE) - FRAME_SAMPLES)
        return self._noise[2 * self._at : 2 * (self._at + FRAME_SAMPLES)]
