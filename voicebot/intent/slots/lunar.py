"""Lunar dates and movable feasts from a table; outside its years nothing is guessed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class LunarYear:
    """`new_year`: first day. `months`: (number, days), leap months negative. Solar terms: days in April, December."""

    new_year: date
    months: tuple[tuple[int, int], ...]
    qingming: int
    dongzhi: int

    def day(self, month: int, day: int) -> date | None:
        """Gregorian date of the ordinary lunar `month` and `day`; None where that day does not exist."""
        first = self.new_year
        for number, length in self.months:
            if number == month:
                return first + timedelta(day - 1) if 1 <= day <= length else None
            first += timedelta(length)
        return None

    def firsts(self) -> list[date]:
        """The first day of each of its months."""
        lengths = accumulate((length for _, length in self.months[:-1]), initial=0)
        return [self.new_year + timedelta(days) for days in lengths]

    @property
    def eve(self) -> date:
        """The last day of this lunar year (除夕)."""
        return self.new_year + timedelta(sum(length for _, length in self.months) - 1)


@cache
def _table() -> dict[int, LunarYear]:
    text = files("voicebot.intent").joinpath("data/lunar.json").read_text(encoding="utf-8")
    return {
        int(year): LunarYear(
            date.fromisoformat(row["new_year"]), tuple((m, n) for m, n in row["months"]), row["qingming"], row[
                "dongzhi"]
        )
        for year, row in json.loads(text).items()
    }


def lunar_day(month: int, day: int, today: date, past: bool) -> date | None:
    """The next (or, when `past`, the last) Gregorian date of a lunar day from `today` on; None beyond the table."""
    days = [found for year in _around(today) if (found := _table()[year].day(month, day)) is not None]
    return _nearest(days, today, past)


def next_month_day(day: int, today: date) -> date | None:
    """Gregorian date of `day` in the lunar month after that of `today`; None beyond the table."""
    firsts = [first for year in _around(today) for first in _table()[year].firsts()]
    ahead = min((first for first in firsts if first > today), default=None)
    return None if ahead is None else ahead + timedelta(day - 1)


def eve(today: date, past: bool) -> date | None:
    """The next (or last) 除夕; None beyond the table."""
    years = [year for year in (today.year - 2, today.year - 1, today.year) if year in _table()]
    return _nearest([_table()[year].eve for year in years], today, past) if len(years) == 3 else None


def qingming(today: date, past: bool) -> date | None:
    return _nearest([date(year, 4, _table()[year].qingming) for year in _around(today)], today, past)


def dongzhi(today: date, past: bool) -> date | None:
    return _nearest([date(year, 12, _table()[year].dongzhi) for year in _around(today)], today, past)


def _around(today: date) -> list[int]:
    """The years beside that of `today`; none when the table lacks one of them."""
    years = [year for year in (today.year - 1, today.year, today.year + 1) if year in _table()]
    return years if len(years) == 3 else []


def _nearest(days: list[date], today: date, past: bool) -> date | None:
    if past:
        return max((day for day in days if day <= today), default=None)
    return min((day for day in days if day >= today), default=None)
