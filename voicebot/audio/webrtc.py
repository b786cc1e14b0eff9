"""The voice activity detection of WebRTC: cheap, by energy in six bands, fooled by loud noise."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import webrtcvad

from voicebot.audio.frames import RATE, TICK_MS

AGGRESSIVENESS: Final = 2
"""0 takes most sounds for voice, 3 the fewest."""
_SMOOTHED: Final = 5
"""Verdicts of 20 ms averaged into a probability."""


class WebRtcState:
    """The detector of one stream and its last verdicts."""

    __slots__ = ("detector", "verdicts")

    def __init__(self) -> None:
        self.detector = webrtcvad.Vad(AGGRESSIVENESS)
        self.verdicts: deque[bool] = deque(maxlen=_SMOOTHED)


class WebRtcScorer:
    """The share of voiced frames among the last 100 ms."""

    window_ms: Final = float(TICK_MS)

    def open(self) -> WebRtcState:
        return WebRtcState()

    def score(self, frames: Sequence[tuple[WebRtcState, bytes]]) -> list[list[float]]:
        """One probability for each frame of 20 ms."""
        scores = []
        for state, pcm in frames:
            state.verdicts.append(state.detector.is_speech(pcm, RATE))
            scores.append([sum(state.verdicts) / len(state.verdicts)])
        return scores
