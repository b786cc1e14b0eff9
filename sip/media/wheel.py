"""One 20 ms clock for the media of all calls of a process."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from sip.media.inbox import Inbox
from sip.media.lateness import Lateness

TICK_S: Final = 0.02
_EARLY_S: Final = 0.001
"""Event loop timers have a resolution of 1 ms and may fire that much too early."""

log = logging.getLogger(__name__)


class Ticking(Protocol):
    """Anything that wants to be told of every tick."""

    def tick(self, tick: int) -> None: ...


class Schedule:
    """Which ticks are due. Deadlines are multiples of 20 ms after the start, so lateness never adds up.

    After a stall at most `burst` ticks are made up for; the rest is skipped, and tick numbers jump with the
    clock.
    """

    def __init__(self, start_s: float, burst: int = 3, first: int = 0) -> None:
        """`start_s`: when tick `first` is due."""
        self._start_s = start_s - first * TICK_S
        self._burst = burst
        self.tick = first
        """The next tick."""
        self.skipped = 0

    @property
    def deadline_s(self) -> float:
        return self._start_s + self.tick * TICK_S

    def due(self, now_s: float) -> range:
        """The ticks to run now, and no longer due afterwards."""
        reached = int((now_s + _EARLY_S - self._start_s) / TICK_S) + 1
        if reached <= self.tick:
            return range(self.tick, self.tick)
        first = max(self.tick, reached - self._burst)
        self.skipped += first - self.tick
        self.tick = reached
        return range(first, reached)


class MediaWheel:
    """Runs `before` callbacks, every session, then `after` callbacks, once per tick.

    So a caller can hand over the frames of all calls in one message per tick. A session that raises is logged
    and goes on; it never stops the wheel or another session.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, burst: int = 3) -> None:
        """`clock`: monotonic seconds; must run at the pace of the event loop's own clock."""
        self._clock, self._burst = clock, burst
        self._sessions: dict[Ticking, None] = {}
        self._before: list[Callable[[int], None]] = []
        self._after: list[Callable[[int], None]] = []
        self._schedule: Schedule | None = None
        self._ticks_before = self._skipped_before = 0
        self._timer: asyncio.TimerHandle | None = None
        self.lateness: Final = Lateness()
        self.inbox: Final = Inbox()
        self.has_collected = False
        """Whether the sockets of all sessions were read for the tick that is running."""
        self.failures = 0

    @property
    def clock(self) -> Callable[[], float]:
        return self._clock

    @property
    def tick(self) -> int:
        """The next tick; 0 before the start. Never goes back, not even over a stop."""
        return self._schedule.tick if self._schedule else self._ticks_before

    @property
    def skipped(self) -> int:
        """Ticks given up after stalls."""
        return self._skipped_before + (self._schedule.skipped if self._schedule else 0)

    def start(self) -> None:
        """Begin to turn, on the running event loop. Turning already: nothing happens."""
        if self._schedule is None:
            self._schedule = Schedule(self._clock() + TICK_S, self._burst, self._ticks_before)
            self._arm(self._schedule)

    def stop(self) -> None:
        """Stop turning; sessions stay and go on when started again."""
        self._ticks_before, self._skipped_before = self.tick, self.skipped
        if self._timer:
            self._timer.cancel()
        self._timer = self._schedule = None

    def add(self, session: Ticking) -> None:
        self._sessions[session] = None

    def remove(self, session: Ticking) -> None:
        """Forget a session; one that is not here is no error."""
        self._sessions.pop(session, None)

    def before(self, callback: Callable[[int], None]) -> None:
        """Call this with the tick before the sessions."""
        self._before.append(callback)

    def after(self, callback: Callable[[int], None]) -> None:
        """Call this with the tick after the sessions."""
        self._after.append(callback)

    def _arm(self, schedule: Schedule) -> None:
        wait_s = max(schedule.deadline_s - self._clock(), 0.0)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._fire, schedule)

    def _fire(self, schedule: Schedule) -> None:
        deadline_s, now_s = schedule.deadline_s, self._clock()
        ticks = schedule.due(now_s)
        if ticks:
            self.lateness.note(now_s - deadline_s)
        for tick in ticks:
            self._turn(tick)
        if self._schedule is schedule:
            self._arm(schedule)

    def _turn(self, tick: int) -> None:
        self.has_collected = self.inbox.collect()
        for callback in self._before:
            self._guarded(callback, tick)
        for session in list(self._sessions):
            if session in self._sessions:  # an earlier session may have closed this one
                self._guarded(session.tick, tick)
        for callback in self._after:
            self._guarded(callback, tick)
        self.has_collected = False

    def _guarded(self, turn: Callable[[int], None], tick: int) -> None:
        try:
            turn(tick)
        except Exception:
            self.failures += 1
            if self.failures < 10 or self.failures % 1000 == 0:
                log.exception("media tick failed (failure %d)", self.failures)
