"""Amounts, days and dates as they are said in Mandarin, found in a normalised sentence."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_BEYOND = 1e15
"""No sum is larger; more digits than a float can hold would be no number any more."""
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2, "幺": 1}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000}
NUMERAL = "[0-9零〇一二三四五六七八九十百千万两俩幺.wk]"
_NUMBER = re.compile(NUMERAL + "+")
_AFTER_AMOUNT = re.compile("块钱|块|元钱|元|圆")
_NOT_MONEY = re.compile(
    "天|日|号|个|年|月|期|次|遍|条|名|位|分|秒|小时|点|人|路|家|代|点|栋|单元|楼|岁|成|倍|种|张|份|笔|度|米|封|通|线"
)


class Kind(StrEnum):
    AMOUNT = "amount"  # value in fen
    DAYS = "days"  # value in days, `at_least`/`at_most` when it was said roughly
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was said between start and end: `low`..`high` in fen or days, or a calendar `date`."""

    kind: Kind
    start: int
    end: int
    low: int = 0
    high: int = 0
    date: dt.date | None = None


def read_number(text: str) -> float | None:
    """'八千六' -> 8600, '一万二千六' -> 12600, '8w6' -> 86000, '215.6' -> 215.6; None when it is no number."""
    text = text.replace("w", "万").replace("k", "千").strip(".")
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return min(float(text), _BEYOND)
    if not text or ("." in text and not re.match(r"\d", text)):
        return None
    if not any(unit in text for unit in _UNITS):
        digits = [_DIGITS.get(c, int(c) if c.isdigit() else -1) for c in text]
        return min(float("".join(map(str, digits))), _BEYOND) if digits and min(digits) >= 0 else None
    value = _units(text)
    return None if value is None else min(value, _BEYOND)


def _units(text: str) -> float | None:
    total, section, digit, unit, zero = 0.0, 0.0, None, 1, False
    for part in re.findall(r"\d+(?:\.\d+)?|.", text):
        if part in _UNITS:
            unit = _UNITS[part]
            if unit == 10000:
                total, section, digit = (section + (digit or 0) or 1) * unit, 0.0, None
            else:
                section, digit = section + (1 if digit is None else digit) * unit, None
            zero = False
        elif part in "零〇":
            zero = True
        else:
            value = float(part) if part[0].isdigit() else _DIGITS.get(part)
            if value is None or digit is not None:
                return None
            digit = value
    if digit is not None:  # after a unit a bare digit counts tenths of it: 八千六 = 8600, unless a zero was said
        section += digit if zero or unit == 10 or (unit == 1) else digit * unit / 10
    return total + section


def find_figures(text: str, today: dt.date) -> list[Figure]:
    """All amounts, durations in days and dates, in order; a date's digits are not taken for an amount."""
    found = [*_dates(text, today), *_durations(text)]
    taken = [(figure.start, figure.end) for figure in found]
    for figure in _amounts(text):
        if not any(start < figure.end and figure.start < end for start, end in taken):
            found.append(figure)
    return sorted(found, key=lambda figure: figure.start)


_RELATIVE = {"今天": 0, "今日": 0, "今晚": 0, "明天": 1, "明日": 1, "明早": 1, "后天": 2, "昨天": -1, "昨日": -1}
_DATE = re.compile(rf"(?:({NUMERAL}+)月)?({NUMERAL}{{1,3}})[号日]|月底|月末|" + "|".join(_RELATIVE))


def _dates(text: str, today: dt.date) -> Iterator[Figure]:
    for found in _DATE.finditer(text):
        date = _date(found, today)
        if date is not None:
            yield Figure(Kind.DATE, found.start(), found.end(), date=date)


def _date(found: re.Match[str], today: dt.date) -> dt.date | None:
    if found[0] in _RELATIVE:
        return today + dt.timedelta(days=_RELATIVE[found[0]])
    if found[0] in ("月底", "月末"):
        return (today.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    month = read_number(found[1]) if found[1] else today.month
    day = read_number(found[2])
    try:
        return dt.date(today.year, int(month or 0), int(day or 0))
    except (ValueError, OverflowError):
        return None


_DURATION = re.compile(
    rf"(超过|快|近|将近|不到|满)?了?({NUMERAL}+|半)(多)?(天|日|个多月|个月|年)(?:(多|半)|[零又]?({NUMERAL}{{1,3}})天)?"
)
_LENGTH = {"天": 1, "日": 1, "个月": 30, "个多月": 30, "年": 365}


def _durations(text: str) -> Iterator[Figure]:
    for found in _DURATION.finditer(text):
        count = 0.5 if found[2] == "半" else read_number(found[2])
        if count is None or (found[4] == "日" and text[max(0, found.start() - 1)] == "月"):
            continue
        unit = _LENGTH[found[4]]
        low = high = round(count * unit)
        slack = 0 if unit == 1 else round(unit * 0.17)
        if found[1] in ("超过", "满"):
            high = 100_000
        elif found[6]:
            low = high = low + round(read_number(found[6]) or 0)
            low, high = low - unit // 15, high + unit // 15
        elif found[1] in ("快", "近", "将近", "不到"):
            low = round(low * 0.75)
        elif found[3] or found[5] or found[4] == "个多月":
            high = low + (10 if unit == 1 else unit)
        else:
            low, high = low - slack, high + slack
        yield Figure(Kind.DAYS, found.start(2), found.end(), low, high)


def _amounts(text: str) -> Iterator[Figure]:
    for found in _NUMBER.finditer(text):
        value, end = read_number(found[0]), found.end()
        rough = _ROUGH.match(text, end)
        if rough and value is not None:
            yield _about(found.start(), rough.end(), found[0], value)
            continue
        if value is None or text[max(0, found.start() - 3) : found.start()] == "百分之":
            continue
        unit = _AFTER_AMOUNT.match(text, end)
        if unit:
            value, end = _small_change(text, value, unit.end())
        elif not _bare_amount(text, found, end):
            continue
        fen = round(value * 100)
        yield Figure(Kind.AMOUNT, found.start(), end, fen, fen)


_ROUGH = re.compile("[多来](?:块钱|块|元钱|元)")


def _about(start: int, end: int, said: str, value: float) -> Figure:
    """'八千多块': up to one more of the last place that was said."""
    step = _UNITS.get(said[-1], 1) if said[-1] in _UNITS else 10 ** (len(said) - len(said.rstrip("0")))
    return Figure(Kind.AMOUNT, start, end, round(value * 100), round((value + step) * 100))


def _bare_amount(text: str, found: re.Match[str], end: int) -> bool:
    if text[found.start() - 1 : found.start()] in ("第", "第", "前"):
        return False
    return any(unit in found[0] for unit in "百千万wk") and not _NOT_MONEY.match(text, end)


_DIGIT = "[一二三四五六七八九两0-9]"
_CHANGE = re.compile(
    f"({_DIGIT})[角毛](?:零?({_DIGIT})分(?!钟|之|期))?"  # 七角八分, 三毛
    f"|零?({_DIGIT})分(?!钟|之|期)"  # 零五分
    f"|({_DIGIT})(?![一二三四五六七八九十百千万0-9个天月号日期年次遍])"  # 四块三
)


def _small_change(text: str, value: float, end: int) -> tuple[float, int]:
    """'四元三角', '七角八分', '零五分'; a bare digit behind the unit counts tenths: '四块三'."""
    found = _CHANGE.match(text, end)
    if not found:
        return value, end
    tenths, hundredths = found[1] or found[4], found[2] or found[3]
    value += (read_number(tenths or "零") or 0) / 10 + (read_number(hundredths or "零") or 0) / 100
    return value, found.end()
