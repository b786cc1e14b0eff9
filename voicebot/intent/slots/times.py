"""Times of day: 下午三点半, 两点一刻, 差五分八点, 过半小时; a bare hour is the one between nine and twenty-one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from voicebot.intent.slots.numerals import whole

_PART = (
    r"(?P<part>凌晨|清早|清晨|早上|早晨|大早上|一早|上午|中午|晌午|下午|午后|傍晚|晚上|晚黑|夜里|半夜|今晚|明晚|"
    r"后晚|昨晚|晚间|夜晚|晏昼|早|晚|午夜)?(?:的|大概|差不多|大约|就|在|再|到| )*"
)
_HOUR = r"(?:二十[一二三四]?|十[一二三四五六七八九]?|[零一二两三四五六七八九]|[01]?\d|2[0-4])"
_MINUTE = r"(?:[二三四五]?十[一二三四五六七八九]?|零?[一二三四五六七八九]|\d{1,2})"
_CLOCK = re.compile(
    rf"{_PART}(?:差(?P<less>{_MINUTE}|一刻)分?钟?(?:到)?)?(?P<hour>{_HOUR})(?:(?P<upto>[二三四五六七八九十])点|"
    rf"[点时](?!候|间|常|不时))(?:钟|整)?(?:(?P<half>半)|(?P<quarter>[一三])刻|过?(?P<minute>{_MINUTE})(?:分|(?=$|"
    rf"[ 左前后之以再我打吧的给还]))|差(?P<short>{_MINUTE}|一刻)分?)?"
    r"(?P<money>[块元毛])?"
)
_COLON = re.compile(rf"{_PART}(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)")
_NOON = re.compile(r"中午|晌午|正午")
_AFTER = re.compile(
    r"(?:过|再过)?(?:个)?(?P<n>[一二两三四五六七八九十]+|\d{1,2}|半)?个?(?P<half>半)?(?P<unit>小时|钟头|分钟|"
    r"刻钟)(?P<and>半)?(?P<after>之?后|以后|内|之内|以内|再(?=打)|打来|打过来|左右)?"
)
_AFTERNOON = frozenset({"下午", "午后", "傍晚", "晚上", "晚黑", "晚",
    "今晚", "明晚", "后晚", "昨晚", "晚间", "夜晚", "夜里",
    "晏昼"})
_MORNING = frozenset({"凌晨", "清早", "清晨", "早上", "早晨", "大早上", "一早", "上午", "早", "半夜", "午夜"})


@dataclass(frozen=True, slots=True)
class FoundTime:
    """`at` is a time of day; `moment` the whole moment where it was counted from now (过半小时)."""

    start: int
    end: int
    at: time
    moment: datetime | None = None


def find_times(line: str, now: datetime) -> list[FoundTime]:
    """Times in `line`, left to right; `now` in the zone of the call."""
    out = [found for match in _CLOCK.finditer(line) if (found := _clock(match)) is not None]
    out += [FoundTime(*match.span(), _shifted(int(match["hour"]) % 24, int(match["minute"]), match["part"]))
            for match in _COLON.finditer(line)]
    out += [found for match in _AFTER.finditer(line) if (found := _later(line, match, now)) is not None]
    if not out:
        out = [FoundTime(*match.span(), time(12)) for match in _NOON.finditer(line)]
    return sorted(out, key=lambda found: found.start)


def _clock(found: re.Match[str]) -> FoundTime | None:
    hour = whole(found["hour"])
    if hour is None or hour > 24 or found["money"]:
        return None
    minute = 30 if found["half"] else {"一": 15, "三": 45}.get(found["quarter"] or "", 0)
    if found["minute"]:
        minute = whole(found["minute"]) or 0
    less = found["less"] or found["short"]
    short = 0 if not less else 15 if less == "一刻" else whole(less) or 0
    if minute > 59 or short > 59:
        return None
    at = _shifted(hour % 24, minute, found["part"], midnight=hour == 24)
    if short:
        moment = datetime(2000, 1, 2, at.hour, at.minute) - timedelta(minutes=short)
        at = moment.time()
    return FoundTime(*found.span(), at)


def _shifted(hour: int, minute: int, part: str | None, midnight: bool = False) -> time:
    """Puts a spoken hour into its half of the day; without a word for it, into nine to twenty-one."""
    if midnight:
        return time(0, minute)
    if part in _AFTERNOON:
        hour = 0 if hour == 12 and part not in ("下午", "午后") else hour + 12 if hour < 12 else hour
    elif part in ("中午", "晌午"):
        hour = hour + 12 if hour < 4 else hour
    elif part in _MORNING:
        hour = 0 if hour == 12 and part in ("凌晨", "半夜", "午夜") else hour
    elif 1 <= hour < 9:
        hour += 12
    return time(hour % 24, minute)


def _later(line: str, found: re.Match[str], now: datetime) -> FoundTime | None:
    """过半小时, 一个半小时以后, 二十分钟后; 四十八小时内 is a date."""
    ahead = re.match(r"过|再过", found.group()) or found["after"] in ("之后", "后", "以后", "再", "打来", "打过来")
    if not ahead or not (found["n"] or found["half"]):
        return None
    number = 0.5 if found["n"] == "半" or not found["n"] else float(whole(found["n"]) or 0)
    if found["n"] and found["n"] != "半" and (found["half"] or found["and"]):
        number += 0.5
    minutes = number * {"小时": 60, "钟头": 60, "分钟": 1, "刻钟": 15}[found["unit"]]
    if minutes >= 720 or not minutes:
        return None
    moment = now + timedelta(minutes=round(minutes))
    return FoundTime(*found.span(), moment.time().replace(second=0, microsecond=0, tzinfo=None), moment)
