"""Clock: the only source of wall time, passed in wherever time decides something."""

from __future__ import annotations

import datetime as dt
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
"""The zone of the law and of everything that is said aloud."""


class Clock(Protocol):
    def now(self) -> dt.datetime:
        """The current time, aware."""
        ...


class SystemClock:
    """The clock of the machine, in the law's zone."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(SHANGHAI)


class FixedClock:
    """A clock that stands where it was put; tests and replays move it by hand."""

    def __init__(self, now: dt.datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        self._now = now

    def now(self) -> dt.datetime:
        return self._now

    def advance(self, by: dt.timedelta) -> None:
        self._now += by
