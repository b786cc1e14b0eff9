"""Holidays: which days the State gives off; a year that nobody published yet is not guessed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import chinese_calendar

Free = Mapping[dt.date, str]
"""Days off of one year with the name of the holiday."""


@dataclass(frozen=True, slots=True)
class HolidayCalendar:
    """What the calendar library knows, and years that the operator added (`added`), which stand above it."""

    added: Mapping[int, Free] = field(default_factory=dict)

    def knows(self, year: int) -> bool:
        return year in self.added or _published(year)

    def holiday(self, day: dt.date) -> str | None:
        """The holiday of which a day is part; None for a working day and an ordinary weekend. KeyError: not known."""
        if day.year in self.added:
            return self.added[day.year].get(day)
        if not _published(day.year):
            raise KeyError(day.year)
        return _named(day)

    def last_day(self, today: dt.date) -> dt.date | None:
        """The last day up to which nothing is missing from `today` on; None when `today` is not known itself."""
        year = today.year
        while self.knows(year):
            year += 1
        return None if year == today.year else dt.date(year - 1, 12, 31)


@lru_cache(maxsize=4096)
def _named(day: dt.date) -> str | None:
    free, name = chinese_calendar.get_holiday_detail(day)
    return str(name) if free and name else None


@lru_cache(maxsize=256)
def _published(year: int) -> bool:
    try:
        chinese_calendar.get_holiday_detail(dt.date(year, 1, 1))
    except NotImplementedError:
        return False
    return True
