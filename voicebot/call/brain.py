"""BrainSeat: the brain as a call sees it, whether it is there or not."""

from __future__ import annotations

from typing import Protocol

from voicebot.domain.talk import Report


class BrainSeat(Protocol):
    """The line's end of the tick protocol."""

    @property
    def alive(self) -> bool:
        """False while the brain is away or too slow to converse."""
        ...

    def report(self, report: Report) -> None:
        """Tell the brain what happened; dropped while it is away."""
        ...

    def frame(self, call: int, pcm: bytes) -> None:
        """Add 320 bytes of received sound to the tick that is being gathered."""
        ...

    def stored(self, name: str) -> bytes | None:
        """A prompt the brain left with the line for the day on which it is gone, s16le 8 kHz."""
        ...
