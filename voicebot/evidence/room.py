"""Room: dialling stops while the disk still has room for the calls that run; recording is the last thing to stop."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

LOOKED_EVERY_S = 1.0
LAST_PART = 8
"""Incoming calls are turned away when less than this part of the reserve is free."""


class RecordingRoom:
    """Asks the file system once a second at most. `reserve`: bytes kept for calls that run already, as of now."""

    def __init__(self, folder: Path, reserve: Callable[[], int], now: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._reserve, self._now = folder, reserve, now
        self._free, self._looked = 0, -LOOKED_EVERY_S

    @property
    def may_dial(self) -> bool:
        """Whether the reserve is untouched, and can be written to."""
        return self._look() >= self._reserve()

    @property
    def may_answer(self) -> bool:
        """Whether an incoming call can be recorded."""
        return self._look() >= self._reserve() // LAST_PART

    def _look(self) -> int:
        """Free bytes; -1 where nothing can be recorded."""
        if self._now() - self._looked >= LOOKED_EVERY_S:
            self._looked = self._now()
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._free = shutil.disk_usage(self._folder).free
            except OSError:
                self._free = -1
        return self._free
