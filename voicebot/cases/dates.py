"""Dates: what people and programs write for a day of the calendar; what can be read in two ways is refused."""

from __future__ import annotations

import datetime as dt
import re

from voicebot.cases.tables import plain

_CHINESE = str.maketrans("〇零○一二三四五六七八九", "000123456789")
_TIME = re.compile(r"[ T]\s*\d{1,2}:\d{2}.*$|[ T](?:上午|下午|AM|PM).*$", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4}|\d{2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})", re.ASCII)
_PACKED = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_ENGLISH = re.compile(r"(?:(\d{1,2})[ -]([a-z]{3})[a-z]*|([a-z]{3})[a-z]* (\d{1,2})(?:st|nd|rd|th)?),?[ -](\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?", re.ASCII)
_EPOCH = dt.date(1899, 12, 30)
"""Day 0 of spreadsheet programs that count from 1900 (ECMA-376 part 1, 18.17.4.1)."""


class DateError(ValueError):
    """Not a date, or one that can be read in two ways; the message (Chinese) says what to write."""


def read_date(text: str) -> dt.date:
    """A day as 2026-11-27, 26/11/27, 2026年11月27日, 二〇二六年十一月二十七日, 20261127, 27.11.2026 or Nov 27 2026.

    A spreadsheet's 46353 is understood too; a time of day behind it is left out. Raises DateError.
    """
    written = _TIME.sub("", plain(text)).strip()
    parts = _parts(_arabic(written))
    if parts is None:
        raise DateError("应为日期，例如 2026-11-27。")
    year, month, day = parts
    try:
        found = dt.date(year + 2000 if year < 100 else year, month, day)
    except ValueError as error:
        raise DateError("没有这一天。请核对日期。") from error
    if not 1900 <= found.year <= 2100:
        raise DateError("年份不对。请核对日期。")
    return found


def _parts(written: str) -> tuple[int, int, int] | None:
    if found := _YEAR_FIRST.fullmatch(written) or _PACKED.fullmatch(written):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _YEAR_LAST.fullmatch(written):
        return _year_last(int(found[1]), int(found[2]), int(found[3]))
    if found := _ENGLISH.fullmatch(written.lower()):
        name = found[2] or found[3]
        return (int(found[5]), _MONTHS.index(name) + 1, int(found[1] or found[4])) if name in _MONTHS else None
    if (found := _SERIAL.fullmatch(written)) and 20_000 <= int(found[1]) <= 73_000:
        day = _EPOCH + dt.timedelta(days=int(found[1]))
        return day.year, day.month, day.day
    return None


def _year_last(first: int, second: int, year: int) -> tuple[int, int, int]:
    """27/11/2026 and 11/27/2026 are one day; 5/6/2026 may be two."""
    if first != second and first <= 12 and second <= 12:
        raise DateError("分不清哪个是月、哪个是日。请写成 2026-11-27 的样式。")
    return (year, second, first) if first > 12 else (year, first, second)


def _arabic(written: str) -> str:
    """Chinese numerals of a date as digits: 二〇二六年十一月二十七日 is 2026年11月27日."""
    if not re.search("[一二三四五六七八九十]", written):
        return written
    written = re.sub("([一二三四五六七八九]?)十([一二三四五六七八九]?)", _ten, written)
    return written.translate(_CHINESE)


def _ten(found: re.Match[str]) -> str:
    return (found[1] or "1") + (found[2] or "0")
