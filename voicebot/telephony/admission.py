"""Admission: whether one more call may come, judged by how late the machine already is."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from sip.media.lateness import BOUNDS_MS

log = structlog.get_logger(__name__)

EVERY_S = 0.25
"""How often the load is measured."""


class Admission(Protocol):
    """Asked before every new call."""

    def may_take(self, running: int) -> bool:
        """`running`: calls there are already."""
        ...

    def may_dial(self) -> bool:
        """False while there is no way out: no trunk can take a call."""
        ...


class AlwaysOpen:
    """Admits whatever comes."""

    def may_take(self, running: int) -> bool:
        return True

    def may_dial(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Limits:
    """Milliseconds above which no further call is taken: the p99 of tick lateness, the p90 of the event loop's lag,
    and the brain's lag. It opens again below `reopen` of each, and not before `calm_s` of that."""

    tick_ms: float = 80.0
    loop_ms: float = 150.0
    brain_ms: float = 300.0
    reopen: float = 0.5
    calm_s: float = 3.0
    window_s: float = 10.0

    @classmethod
    def of(cls, tick_ms: float) -> Limits:
        """The other two in the same proportion to the ticks' as by default."""
        usual = cls()
        return cls(tick_ms, tick_ms * usual.loop_ms / usual.tick_ms, tick_ms * usual.brain_ms / usual.tick_ms)


@dataclass(frozen=True, slots=True)
class Measured:
    """The load of the last window, milliseconds."""

    tick_ms: float = 0.0
    loop_ms: float = 0.0
    brain_ms: float = 0.0


class LoadGate:
    """An Admission with hysteresis. One call at a time is always taken: a machine that is slow without any call
    would else never answer again."""

    def __init__(
        self,
        limits: Limits | None = None,
        bounds_ms: Sequence[float] = BOUNDS_MS,
        has_way_out: Callable[[], bool] = lambda: True,
    ) -> None:
        """`bounds_ms`: upper bounds of the tick histogram; what is later than the last counts as twice that.

        `has_way_out`: whether any trunk can take a call now.
        """
        self._has_way_out = has_way_out
        self.limits = limits or Limits()
        self.is_open = True
        self.measured = Measured()
        self.closings = 0
        self._bounds = (*bounds_ms, bounds_ms[-1] * 2)
        self._samples: deque[tuple[float, tuple[int, ...], float]] = deque()
        self._calm_since: float | None = None

    def may_take(self, running: int) -> bool:
        return self.is_open or running == 0

    def may_dial(self) -> bool:
        return self._has_way_out()

    def observe(self, now: float, tick_counts: Sequence[int], loop_ms: float, brain_ms: float) -> None:
        """One measurement: seconds, the tick histogram since the start, what the loop and the brain lag now."""
        self._samples.append((now, tuple(tick_counts), loop_ms))
        while now - self._samples[0][0] > self.limits.window_s:
            self._samples.popleft()
        self.measured = Measured(self._tick_p99(), self._loop_p90(), brain_ms)
        worst = self._worst()
        if worst > 1.0:
            self._close()
        elif worst > self.limits.reopen:
            self._calm_since = None
        elif not self.is_open:
            self._calm_since = now if self._calm_since is None else self._calm_since
            if now - self._calm_since >= self.limits.calm_s:
                self._open()

    def _worst(self) -> float:
        """The share of its limit that the worst measure reaches."""
        measured, limits = self.measured, self.limits
        return max(
            measured.tick_ms / limits.tick_ms,
            measured.loop_ms / limits.loop_ms,
            measured.brain_ms / limits.brain_ms,
        )

    def _tick_p99(self) -> float:
        """Upper bound of the bucket that 99 of 100 ticks of the window reach."""
        first, last = self._samples[0][1], self._samples[-1][1]
        counts = [b - a for a, b in zip(first, last, strict=True)]
        wanted, seen = 0.99 * sum(counts), 0
        for bound, count in zip(self._bounds, counts, strict=True):
            seen += count
            if count and seen >= wanted:
                return bound
        return 0.0

    def _loop_p90(self) -> float:
        lags = sorted(lag for _, _, lag in self._samples)
        return lags[int(0.9 * (len(lags) - 1))]

    def _close(self) -> None:
        self._calm_since = None
        if self.is_open:
            self.is_open = False
            self.closings += 1
            log.warning("overloaded: no further calls until it is calm", **self._shown())

    def _open(self) -> None:
        self.is_open, self._calm_since = True, None
        log.info("calm again: calls are taken", **self._shown())

    def _shown(self) -> dict[str, float]:
        measured = self.measured
        return {"tick_p99_ms": measured.tick_ms, "loop_p90_ms": measured.loop_ms, "brain_ms": measured.brain_ms}


async def watch(gate: LoadGate, tick_counts: Callable[[], Sequence[int]], brain_ms: Callable[[], float]) -> None:
    """Feed the gate with what is measured here, until cancelled."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(EVERY_S)
        now = time.monotonic()
        gate.observe(now, tick_counts(), (now - before - EVERY_S) * 1000, brain_ms())
