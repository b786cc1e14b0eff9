"""CpuClock: CPU seconds of a process by part of its work, taken by the clocks of its threads, always on.

    with CLOCK.part("recogniser"):
        ...

Two readings of clock_gettime(2) make a part cost a few microseconds, so parts are put around batches and never around
one frame of one call. A part must not await: what others do meanwhile in that thread would be counted in.
"""

from __future__ import annotations

import threading
import time


class _Thread:
    """What one thread is at: the parts it is in, the innermost last, and since when."""

    __slots__ = ("inside", "since", "spent")

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.since = 0.0
        self.spent: dict[str, float] = {}


class Part:
    """A block whose CPU time belongs to `name`."""

    __slots__ = ("_clock", "_name")

    def __init__(self, clock: CpuClock, name: str) -> None:
        self._clock, self._name = clock, name

    def __enter__(self) -> None:
        mine, now = self._clock.thread(), time.thread_time()
        if mine.inside:
            mine.spent[mine.inside[-1]] += now - mine.since
        if self._name not in mine.spent:
            self._clock.learn(mine, self._name)
        mine.inside.append(self._name)
        mine.since = now

    def __exit__(self, *raised: object) -> None:
        mine, now = self._clock.thread(), time.thread_time()
        mine.spent[mine.inside.pop()] += now - mine.since
        mine.since = now


class CpuClock:
    """Parts may lie in one another: the time of the inner one is its own and not the outer one's."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._threads: list[_Thread] = []
        self._parts: dict[str, Part] = {}
        self._lock = threading.Lock()

    def part(self, name: str) -> Part:
        """The CPU time of this thread until the end of the block belongs to `name`."""
        known = self._parts.get(name)
        return known or self._parts.setdefault(name, Part(self, name))

    def spent_s(self) -> dict[str, float]:
        """CPU seconds of every part so far, of all threads, also of those that have ended."""
        total: dict[str, float] = {}
        with self._lock:
            rows = [dict(thread.spent) for thread in self._threads]
        for row in rows:
            for name, seconds in row.items():
                total[name] = total.get(name, 0.0) + seconds
        return total

    def thread(self) -> _Thread:
        """What the calling thread is at."""
        try:
            return self._local.mine  # type: ignore[no-any-return]
        except AttributeError:
            mine = self._local.mine = _Thread()
            return mine

    def learn(self, mine: _Thread, name: str) -> None:
        """A part that this thread does for the first time; behind the lock, for nobody may copy what grows."""
        with self._lock:
            if not mine.spent:
                self._threads.append(mine)
            mine.spent[name] = 0.0


CLOCK = CpuClock()
"""The one of this process."""
REST = "rest"


def spent() -> dict[str, float]:
    """CPU seconds of this process since it began, by part; what lay in no part is REST."""
    total_s, parts = time.process_time(), CLOCK.spent_s()
    return parts | {REST: max(0.0, total_s - sum(parts.values()))}
