"""Moments: bands of the day, the next time the clock shows something, and a Hold that lasts until then."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from voicebot.domain.permission import Band

DAY = dt.timedelta(days=1)
MIDNIGHT = dt.time(0)


@dataclass(frozen=True, slots=True)
class Hold:
    """A rule forbids. `until` None: no time is known; `passing`: until somebody on our side mends it."""

    rule: str
    reason: str
    source: str
    until: dt.datetime | None
    passing: bool = False


def within(time: dt.time, band: Band) -> bool:
    start, end = band
    return start <= time < end if start < end else time >= start or time < end


def following(now: dt.datetime, time: dt.time) -> dt.datetime:
    """The next moment, later than now, at which the local clock shows `time`."""
    today = now.replace(hour=time.hour, minute=time.minute, second=time.second, microsecond=time.microsecond)
    return today if today > now else today + DAY


def seconds_of(time: dt.time) -> float:
    return time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6


def time_of(seconds: float) -> dt.time:
    return (dt.datetime.min + dt.timedelta(seconds=seconds)).time()
