"""Standby: the recogniser behind the configured one. It takes calls over whose sessions broke for good, and new calls
while the configured one is down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from voicebot.asr.recognizer import Recognizer, RecognizerStream

log = structlog.get_logger(__name__)

CALLS: Final = 2
"""So many calls whose sessions broke, without a turn that worked between them, and the engine is down."""
AGAIN_AFTER_S: Final = 30.0
"""Then the next call tries it again."""


class Standby:
    """Judges the configured recogniser by its sessions. `lost`: why it could not be loaded at all."""

    def __init__(self, reserve: Recognizer, lost: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.reserve = reserve
        self.taken_over = 0
        """Calls that the reserve heard or took over."""
        self._lost = lost
        self._clock = clock
        self._broken: set[int] = set()
        self._why = ""
        self._down_until = 0.0

    @property
    def why(self) -> str:
        """Why new calls are not given to the configured recogniser; empty while they are."""
        return self._lost or (self._why if self._clock() < self._down_until else "")

    def open(self, hotwords: Sequence[str]) -> RecognizerStream:
        """A stream of the reserve."""
        return self.reserve.open(hotwords)

    def broke(self, call: int, why: str) -> None:
        """A session of the configured recogniser broke."""
        self._broken.add(call)
        if len(self._broken) >= CALLS and not self.why:
            self._why, self._down_until = why, self._clock() + AGAIN_AFTER_S
            log.error("the recogniser is down, new calls go to the one behind it", behind=self.reserve.name, why=why)

    def worked(self) -> None:
        """It read a turn to its end."""
        self._broken.clear()
        self._down_until = 0.0
