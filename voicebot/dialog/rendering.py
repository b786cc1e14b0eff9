"""Reading aloud: amounts, dates and digits as the hanzi a voice can speak."""

from __future__ import annotations

import datetime as dt
import re

from voicebot.domain.case import Debtor, Salutation

_DIGITS = "零一二三四五六七八九"
_ONE_BY_ONE = str.maketrans("0123456789", "零幺二三四五六七八九")
_WEEKDAYS = "一二三四五六日"
_UNSPEAKABLE = re.compile(r"[^一-鿿，。？！；：、《》…]")
_UNITS = ((1000, "千"), (100, "百"), (10, "十"))
TITLES = {Salutation.MR: "先生", Salutation.MS: "女士", Salutation.UNKNOWN: ""}


def spoken_number(number: int) -> str:
    """0 <= number < 10**12 in words: 3500 -> 三千五百, 20000 -> 两万, 12 -> 十二."""
    if not 0 <= number < 10**12:
        raise ValueError(f"cannot read {number} aloud")
    if number == 0:
        return "零"
    parts, gap = "", False
    for scale, unit in ((10**8, "亿"), (10**4, "万"), (1, "")):
        group = number // scale % 10**4
        if group == 0:
            gap = gap or bool(parts)
            continue
        lead = "零" if parts and (gap or group < 1000) else ""
        parts += lead + ("两" if group == 2 and unit else _group(group)) + unit
        gap = False
    return parts.removeprefix("一") if parts.startswith("一十") else parts


def _group(number: int) -> str:
    parts, gap = "", False
    for scale, unit in _UNITS:
        digit, number = divmod(number, scale)
        if digit == 0:
            gap = gap or bool(parts)
            continue
        leading_two = digit == 2 and not parts and scale >= 100
        parts += ("零" if gap else "") + ("两" if leading_two else _DIGITS[digit]) + unit
        gap = False
    return parts + (("零" if gap else "") + _DIGITS[number] if number else "")


def spoken_amount(fen: int) -> str:
    """An amount in fen as spoken money: 350000 -> 三千五百元, 126840 -> 一千二百六十八元四角."""
    whole, rest = divmod(abs(fen), 100)
    jiao, cents = divmod(rest, 10)
    text = ("两" if whole == 2 else spoken_number(whole)) + "元" if whole or not rest else ""
    if jiao:
        text += _DIGITS[jiao] + "角"
    elif cents and whole:
        text += "零"
    return text + (_DIGITS[cents] + "分" if cents else "")


def spoken_date(day: dt.date) -> str:
    """A day with its weekday: 2026-11-27 -> 十一月二十七日星期五."""
    return f"{spoken_number(day.month)}月{spoken_number(day.day)}日星期{_WEEKDAYS[day.weekday()]}"


def spoken_time(at: dt.datetime) -> str:
    """A time of day: 15:00 -> 下午三点, 20:30 -> 晚上八点半."""
    half = next(name for until, name in _PARTS if at.hour < until)
    hour = at.hour - 12 if at.hour > 12 else at.hour
    minute = "" if at.minute == 0 else "半" if at.minute == 30 else _minutes(at.minute)
    return f"{half}{'两' if hour == 2 else spoken_number(hour)}点{minute}"


def _minutes(minute: int) -> str:
    return ("零" if minute < 10 else "") + spoken_number(minute) + "分"


_PARTS = ((6, "凌晨"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))


def spoken_moment(at: dt.datetime, today: dt.date) -> str:
    """Day and time of a callback, near days by their name: 明天上午十点, 十一月二十九日星期日上午十点."""
    near = {0: "今天", 1: "明天", 2: "后天"}.get((at.date() - today).days)
    return (near or spoken_date(at.date())) + spoken_time(at)


def spoken_digits(text: str) -> str:
    """Digits one by one as on the telephone (1 is 幺); everything but digits is dropped."""
    return "".join(c for c in text if c.isascii() and c.isdigit()).translate(_ONE_BY_ONE)


def speakable(text: str) -> str:
    """Only what a Mandarin voice can speak: hanzi and punctuation; digits become hanzi, the rest is dropped."""
    return _UNSPEAKABLE.sub("", text.translate(_ONE_BY_ONE))


def asked_for(debtor: Debtor) -> str:
    """As one asks for somebody: 李振海先生; without a known title the bare name."""
    return speakable(debtor.name) + TITLES[debtor.salutation]


def addressed(debtor: Debtor) -> str:
    """As one speaks to somebody: 李先生; without a known title 您."""
    title = TITLES[debtor.salutation]
    return speakable(debtor.name)[:1] + title if title else "您"
