"""What the tests of a fleet share: a worker that joins, and seconds that pass when the test says so."""

from __future__ import annotations

from voicebot.domain.fleet import Joining

BERG = Joining("berg-0", "berg", "h", "l", "1.0", "0024")


class Steady:
    """Stands for time.monotonic; `now` in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now
