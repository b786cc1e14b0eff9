"""FoundDate: one mention of a day or a stretch of days, and the calendar arithmetic that all finders share."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class FoundDate:
    """`first` alone is a day, with `last` a stretch. `ask`: a date was meant but must be asked for; both are None."""

    start: int
    end: int
    first: date | None = None
    last: date | None = None
    ask: bool = False


@dataclass(frozen=True, slots=True)
class Today:
    """The day of the call (Asia/Shanghai) and whether the line tells of the past."""

    day: date
    past: bool = False


def month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def add_months(day: date, months: int) -> date:
    """First day of the month `months` away."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def same_day_months_on(day: date, months: int) -> date:
    """`day` that many months on, the last day of the month where it has no such day."""
    first = add_months(day, months)
    return first.replace(day=min(day.day, month_end(first).day))


def monday(day: date) -> date:
    return day - timedelta(day.weekday())


def real(year: int, month: int, day: int) -> date | None:
    """The date, or None where there is none (二月三十)."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def day_of_month(day: int, today: Today) -> date | None:
    """十五号: this month, next month when it is gone, the last one in a tale of the past. None where there is none."""
    first = today.day.replace(day=1)
    gone = day < today.day.day or (day == today.day.day and today.past)
    backwards, ahead = ((0, -1, -2) if gone else (-1, -2)), (1 if gone else 0,)
    for month in backwards if today.past else ahead:
        there = add_months(first, month)
        found = real(there.year, there.month, day)
        if found is not None:
            return found
    return None


def month_and_day(month: int, day: int, today: Today) -> date | None:
    """三月十五: the next one, in a tale of the past the last one."""
    years = (today.day.year, today.day.year - 1) if today.past else (today.day.year, today.day.year + 1)
    for year in years:
        found = real(year, month, day)
        if found is not None and (found <= today.day if today.past else found >= today.day):
            return found
    return None
