"""Watched: a recogniser's work with a deadline. What hangs is left behind in its thread, and the calls go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from voicebot.telemetry.cpu_clock import CLOCK

SLICE_S: Final = 0.02
STILL_S: Final = 0.24
"""Work that slept for so long waits for something that does not come; the line takes a brain for lost after 460 ms."""
LONGEST_S: Final = 1.0
"""Processor time after which work that never ends is given up."""


class HungError(RuntimeError):
    """The recogniser did not come back in time."""


class Watched:
    """Does work in a thread of its own, one piece at a time. Only a thread that sleeps without ever being woken hangs:
    one that waits for its turn on a busy machine, or for the interpreter, is slow and nothing else."""

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

    def pulse(self) -> str | None:
        """How often it was put to sleep and woken; None while it is ready to run, or nobody knows."""
        try:
            status = Path(f"/proc/self/task/{self._thread.native_id}/status").read_text()
        except OSError:  # not Linux
            return None
        asleep = "\nState:\tS" in status or "\nState:\tD" in status
        return status[status.rindex("\nvoluntary_ctxt_switches") :] if asleep else None

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value

    def leave(self) -> None:
        self._work.put(None)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                with CLOCK.part("recogniser"):
                    self._value = work()
            except BaseException as error:  # it belongs to whoever asked
                self._error = error
            self._done.set()


def _comes_back(hand: _Hand) -> bool:
    if hand.wait(SLICE_S):
        return True
    still_s, began_s, before = 0.0, hand.cpu_s(), hand.pulse()
    while not hand.wait(SLICE_S):
        pulse = hand.pulse()
        still_s = still_s + SLICE_S if pulse is not None and pulse == before else 0.0
        before = pulse
        if still_s >= STILL_S or hand.cpu_s() - began_s >= LONGEST_S:
            return hand.wait(0)
    return True
