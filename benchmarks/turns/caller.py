"""Caller: says its sentences one after the other and times the bot's answers, without any model of its own."""

from __future__ import annotations

import numpy as np

FRAME_BYTES = 320
LOUD = 250
"""A sample above about -42 dBFS is more than line noise."""
QUIET_TICKS = 75
"""The bot has finished when it was silent for 1.5 s: longer than any pause in or between its sentences should be."""
SOONEST_MS = 300.0
"""Sound that comes sooner is no answer, for the bot waits 320 ms at least: it had not finished and we cut in."""


def is_loud(pcm: bytes) -> bool:
    samples = memoryview(pcm).cast("h")
    return max(samples) > LOUD or min(samples) < -LOUD


def trimmed(pcm: bytes) -> bytes:
    """Speech without the silence at its end, so that its last sample is its last sound."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(int)) > LOUD)
    return pcm[: 2 * (int(loud[-1]) + 1)] if len(loud) else b""


class Caller:
    """An audio port. `latencies_ms`: from our last sound to the bot's first, in the sound that reached us.

    `cut_in`: turns that do not count because the bot had not finished.
    """

    def __init__(self, sentences: list[bytes]) -> None:
        self.latencies_ms: list[float] = []
        self.cut_in = 0
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
        if not self._lips and self._spoken is not None:
            self._answered((tick - self._spoken) * 20.0)
            self._spoken = None
        self._heard = True

    def _answered(self, waited_ms: float) -> None:
        if waited_ms < SOONEST_MS:
            self.cut_in += 1
        else:
            self.latencies_ms.append(waited_ms)

    def _begin(self, pcm: bytes) -> None:
        frames = [pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for at in range(0, len(pcm), FRAME_BYTES)]
        self._lips = frames[::-1]
        self._heard = False
