"""Watched: a recogniser's work with a deadline. What hangs is left behind in its thread, and the calls go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final

SLICE_S: Final = 0.02
STILL_S: Final = 0.24
"""Work that used no processor for so long waits for something that does not come."""
LONGEST_S: Final = 0.4
"""Work that takes longer than this, busy or not, is given up: the line takes a brain for lost after 460 ms."""
_PROGRESS_S: Final = 0.0005


class HungError(RuntimeError):
    """The recogniser did not come back in time."""


class Watched:
    """Does work in a thread of its own, one piece at a time. Time is counted in slices in which we are awake
    ourselves, so that a machine that stands still gives nothing up."""

    def __init__(self) -> None:
        self._hand: _Hand | None = None
        self.left_behind = 0
        """Threads that never came back."""

    def run(self, work: Callable[[], Any]) -> Any:
        """What `work` returns or raises; HungError when it does not come back."""
        hand = self._hand or _Hand()
        self._hand = None
        hand.begin(work)
        if not _comes_back(hand):
            self.left_behind += 1
            hand.leave()
            raise HungError(f"the recogniser hangs; threads left behind so far: {self.left_behind}")
        self._hand = hand
        return hand.result()

    def __del__(self) -> None:
        if self._hand is not None:
            self._hand.leave()


class _Hand:
    """A thread that does what it is given. Once left, it ends after its work."""

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._done = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="recogniser", daemon=True)
        self._thread.start()

    def begin(self, work: Callable[[], Any]) -> None:
        self._done.clear()
        self._value = self._error = None
        self._work.put(work)

    def wait(self, seconds: float) -> bool:
        return self._done.wait(seconds)

    def cpu_s(self) -> float:
        """Processor time so far; the clock on the wall where the system has no such clock."""
        try:
            return time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident or 0))
        except (AttributeError, OSError):
            return time.monotonic()

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value

    def leave(self) -> None:
        self._work.put(None)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                self._value = work()
            except BaseException as error:  # it belongs to whoever asked
                self._error = error
            self._done.set()


def _comes_back(hand: _Hand) -> bool:
    still_s = total_s = used_s = 0.0
    while not hand.wait(SLICE_S):
        before_s, used_s = used_s, hand.cpu_s()
        total_s += SLICE_S
        still_s = 0.0 if used_s - before_s > _PROGRESS_S else still_s + SLICE_S
        if still_s >= STILL_S or total_s >= LONGEST_S:
            return hand.wait(0)
    return True
