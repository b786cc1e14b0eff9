"""Bridge: two legs joined in the line, a few milliseconds apart, with the callee's side open to the recorder."""

from __future__ import annotations

import asyncio
from collections import deque

_DEPTH = 3
"""Frames kept per direction; more means that one leg's clock runs ahead, and the oldest is dropped."""


class Bridge:
    """Carries 20 ms frames (320 bytes, s16le, 8 kHz) between callee and agent."""

    def __init__(self) -> None:
        self._to_agent: deque[bytes] = deque(maxlen=_DEPTH)
        self._to_callee: deque[bytes] = deque(maxlen=_DEPTH)

    def from_callee(self, received: bytes) -> bytes | None:
        """The callee's frame goes in, the agent's comes out."""
        self._to_agent.append(received)
        return self._to_callee.popleft() if self._to_callee else None

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        """The agent's leg: its frame goes in, the callee's comes out."""
        self._to_callee.append(received)
        return self._to_agent.popleft() if self._to_agent else None


class Monologue:
    """Plays one prompt to a leg and ignores what it says; `played` is set once the last frame was sent."""

    def __init__(self, pcm: bytes) -> None:
        self._frames = deque(pcm[at : at + 320].ljust(320, b"\0") for at in range(0, len(pcm), 320))
        self.played = asyncio.Event()

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        if not self._frames:
            self.played.set()
            return None
        return self._frames.popleft()
