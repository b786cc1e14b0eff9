"""FleetClock: the database's time, carried on by this machine's steady clock, so that all machines compare alike."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable

import structlog

from voicebot.domain.clock import SHANGHAI, Clock, SystemClock
from voicebot.store.database import is_away
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

EVERY_S = 10.0


def skew_s(began: dt.datetime, told: dt.datetime, ended: dt.datetime) -> float:
    """How far our clock is before that of who told us `told` some time between `began` and `ended`; 0 inside that."""
    if began <= told <= ended:
        return 0.0
    return ((began if told < began else ended) - told).total_seconds()


class FleetClock:
    """A Clock. Leases, orders and places in a queue are written by one machine and judged by another.

    Whose own clock is wrong, or jumps, neither takes back what is another's nor finds its orders stale. `own`: the
    machine's clock, which counts until the database has told its time.
    """

    def __init__(self, own: Clock | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.own = own or SystemClock()
        self.monotonic = monotonic
        self._told: tuple[dt.datetime, float] | None = None

    def now(self) -> dt.datetime:
        return self._at(self.monotonic()) if self._told is not None else self.own.now()

    def learn(self, began: float, told: dt.datetime, ended: float) -> None:
        """The database told its time some time between two moments of the steady clock.

        What may be the length of the way moves nothing: the clock does not jitter.
        """
        if self._told is None or skew_s(self._at(began), told, self._at(ended)) != 0.0:
            self._told = told.astimezone(SHANGHAI), (began + ended) / 2

    def _at(self, steady: float) -> dt.datetime:
        assert self._told is not None
        at, then = self._told
        return at + dt.timedelta(seconds=steady - then)


async def keep_time(store: Store, clock: FleetClock) -> None:
    """Set the clock of a process that shows no signs of life, until cancelled."""
    while True:
        try:
            began = clock.monotonic()
            clock.learn(began, await store.time(), clock.monotonic())
        except Exception as error:
            if not is_away(error):
                log.exception("the database does not tell its time")
        await asyncio.sleep(EVERY_S)
