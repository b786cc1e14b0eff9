"""Concealment of lost frames: repeat the last pitch period and fade (after ITU-T G.711 appendix I)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sip.rtp.sequencer import FRAME_SAMPLES

SILENCE: Final = bytes(2 * FRAME_SAMPLES)
"""One frame of 20 ms at 8 kHz, s16le."""
_HIDDEN_FRAMES: Final = 3
"""Loss longer than 60 ms is heard as silence, never as a drone."""
_SHORTEST, _LONGEST = 40, 160
"""Pitch periods tried, in samples: 200 Hz down to 50 Hz."""
_BLEND: Final = 32
"""Samples (4 ms) over which real speech takes over again."""


class Concealment:
    """Fills the gaps of one call's received speech. Costs nothing while nothing is lost."""

    def __init__(self) -> None:
        self.concealed = 0
        self._history = (SILENCE, SILENCE, SILENCE)
        self._period: NDArray[np.float32] = np.zeros(_LONGEST, np.float32)
        self._missing = _HIDDEN_FRAMES + 1

    def heard(self, pcm: bytes) -> bytes:
        """A frame that arrived; the first after a loss is blended with what was made up."""
        if 0 < self._missing <= _HIDDEN_FRAMES:
            pcm = self._blend(pcm)
        self._missing = 0
        self._history = (self._history[1], self._history[2], pcm)
        return pcm

    def missing(self) -> bytes:
        """A frame to play instead of one that did not come."""
        if self._missing == 0:
            self._period = _last_period(b"".join(self._history))
        self._missing += 1
        if self._missing > _HIDDEN_FRAMES:
            return SILENCE
        self.concealed += 1
        pcm = self._extrapolate(self._missing - 1).astype("<i2").tobytes()
        if self._missing == _HIDDEN_FRAMES:
            self._history = (SILENCE, SILENCE, SILENCE)
        return pcm

    def _extrapolate(self, frame: int) -> NDArray[np.float32]:
        at = np.arange(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES)
        fade = 1 - at / (_HIDDEN_FRAMES * FRAME_SAMPLES)
        return (self._period[at % len(self._period)] * fade).astype(np.float32)

    def _blend(self, pcm: bytes) -> bytes:
        frame = np.frombuffer(pcm, "<i2").astype(np.float32)
        if self._missing < _HIDDEN_FRAMES:
            made_up = self._extrapolate(self._missing)[:_BLEND]
        else:
            made_up = np.zeros(_BLEND, np.float32)
        ramp = np.linspace(0, 1, _BLEND, dtype=np.float32)
        frame[:_BLEND] = frame[:_BLEND] * ramp + made_up * (1 - ramp)
        return frame.astype("<i2").tobytes()


def _last_period(pcm: bytes) -> NDArray[np.float32]:
    """The last pitch period of 60 ms of speech: where the last 20 ms correlate best with what went before."""
    speech = np.frombuffer(pcm, "<i2").astype(np.float32)
    target = speech[-FRAME_SAMPLES:]
    shifted = np.lib.stride_tricks.sliding_window_view(speech, FRAME_SAMPLES)
    windows = shifted[len(speech) - FRAME_SAMPLES - _LONGEST : len(speech) - FRAME_SAMPLES - _SHORTEST + 1]
    energy = np.einsum("ij,ij->i", windows, windows)
    likeness = windows @ target / np.sqrt(energy + 1)
    lag = _LONGEST - int(np.argmax(likeness))
    return speech[-lag:]
