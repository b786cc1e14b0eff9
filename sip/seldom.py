"""Log lines that can't flood a disk."""

from __future__ import annotations


class Seldom:
    """Lets one log line of a kind through per period."""

    def __init__(self, every_s: float = 10.0) -> None:
        self._every_s = every_s
        self._next = float("-inf")
        self._held_back = 0

    def due(self, now: float) -> int | None:
        """How many have happened since the last line, this one included; None: say nothing."""
        self._held_back += 1
        if now < self._next:
            return None
        self._next = now + self._every_s
        count, self._held_back = self._held_back, 0
        return count
