"""Caller: says its sentences one after the other and times the bot's answers, without any model of its own."""

from __future__ import annotations

import numpy as np

FRAME_BYTES = 320
LOUD = 250
"""A sample above about -42 dBFS is more than line noise."""
QUIET_TICKS = 45
"""The bot has finished when it was silent for 900 ms: longer than any pause inside its sentences."""


def is_loud(pcm: bytes) -> bool:
    samples = memoryview(pcm).cast("h")
    return max(samples) > LOUD or min(samples) < -LOUD


def trimmed(pcm: bytes) -> bytes:
    """Speech without the silence at its end, so that its last sample is its last sound."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(int)) > LOUD)
    return pcm[: 2 * (int(loud[-1]) + 1)] if len(loud) else b""


class Caller:
    """An audio port. `latencies_ms`: from our last sound to the bot's first, in the sound that reached us."""

    def __init__(self, sentences: list[bytes]) -> None:
        self.latencies_ms: list[float] = []
        self.talked_over = 0
        self._sentences = list(sentences)
        self._lips: list[bytes] = []
        self._quiet = 0
        self._heard = False
        self._spoken: int | None = None

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        self._listen(is_loud(received), tick)
        if self._lips:
            frame = self._lips.pop()
            if not self._lips:
                self._spoken = tick
            return frame
        if self._heard and self._quiet >= QUIET_TICKS and self._sentences:
            self._begin(self._sentences.pop(0))
        return None

    def _listen(self, loud: bool, tick: int) -> None:
        self._quiet = 0 if loud else self._quiet + 1
        if not loud:
            return
        if self._lips:
            self.talked_over += 1
        elif self._spoken is not None:
            self.latencies_ms.append((tick - self._spoken) * 20.0)
            self._spoken = None
        self._heard = True

    def _begin(self, pcm: bytes) -> None:
        frames = [pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for at in range(0, len(pcm), FRAME_BYTES)]
        self._lips = frames[::-1]
        self._heard = False
