"""Dates in a line: days, stretches and dates that must be asked for; for promises never the past."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from voicebot.intent.slots import calendar_dates, relative_dates
from voicebot.intent.slots.found_date import FoundDate, Today

_BEFORE = re.compile(r"(?:之前|以前|前(?![天年几些面])|为止|截止)")
_PASSED = re.compile(r"(?:过|出)[了完]$")

Finder = Callable[[str, Today], Iterable[FoundDate]]
_FINDERS: tuple[Finder, ...] = (
    calendar_dates.lunar,
    calendar_dates.full,
    calendar_dates.whole_months,
    calendar_dates.feasts,
    calendar_dates.parts_of_month,
    relative_dates.weekdays,
    calendar_dates.days_of_month,
    relative_dates.spans,
    relative_dates.days,
    relative_dates.weeks_and_months,
    relative_dates.paydays,
    relative_dates.conditions,
    relative_dates.soon,
)


def find_dates(line: str, today: date, past: bool) -> list[FoundDate]:
    """Every date in `line` (as `reading.masked` gives it), left to right. `past`: the line tells what has happened."""
    taken: list[FoundDate] = []
    for finder in _FINDERS:
        for found in finder(line, Today(today, past)):
            if all(found.end <= other.start or found.start >= other.end for other in taken):
                taken.append(_deadline(line, found, Today(today, past)))
    return sorted(taken, key=lambda found: found.start)


def _deadline(line: str, found: FoundDate, today: Today) -> FoundDate:
    """过了这个月 has to be asked for.

    Before the end of a stretch means by its last day; a stretch that has begun starts today.
    """
    if _PASSED.search(line[: found.start]):
        return FoundDate(found.start, found.end, ask=True)
    eve = re.match(r"(?:的)?前一[天日]", line[found.end :])
    if eve and found.first is not None:
        return FoundDate(found.start, found.end + eve.end(), found.first - timedelta(1))
    if found.first is None or found.last is None:
        return found
    if _BEFORE.match(line[found.end :]):
        return FoundDate(found.start, found.end, found.last)
    if found.first < today.day <= found.last and not today.past:
        return FoundDate(found.start, found.end, today.day, found.last)
    return found


def lasts(found: FoundDate) -> timedelta:
    """Length of the stretch, nothing for a day."""
    return (found.last - found.first) if found.first and found.last else timedelta(0)
