"""Round trips: every amount and every date phrase comes back from its reading; a sample here, many more when slow."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pytest

from voicebot.domain.understanding import Slots
from voicebot.intent.slots import parse_slots
from voicebot.intent.slots.numerals import value

from .readings import spoken, spoken_day

SHANGHAI = ZoneInfo("Asia/Shanghai")
TUESDAY = dt.datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
WEEK = "一二三四五六日"
FEN_PER_YUAN = 100
INSULT = 250


def _wrong_amounts(yuan: Iterable[int]) -> list[str]:
    wrong = []
    for number in yuan:
        forms = {f"{spoken(number)}块": 0, f"我还{spoken(number)}元": 0, f"{spoken(number)}块五毛": 50}
        if number >= 100 and number != INSULT:
            forms |= {f"先还{spoken(number, short=True)}": 0, f"还{spoken(number, couple=True)}": 0}
        for text, fen in forms.items():
            if parse_slots(text, TUESDAY).amount_fen != number * FEN_PER_YUAN + fen:
                wrong.append(text)
    return wrong


def test_a_sample_of_all_amounts_comes_back() -> None:
    sample = [*range(1, 1200, 7), *range(1200, 1_000_000, 3777), 10_001, 100_000, 101_010, 110_000, 999_999]
    assert _wrong_amounts(sample) == []


@pytest.mark.slow
def test_every_amount_below_a_million_is_valued_and_every_997th_parsed_in_all_its_forms() -> None:
    wrong = [
        n for n in range(1, 1_000_000)
        if value(spoken(n)) != n or (n >= 100 and value(spoken(n, short=True)) != n)
    ]
    assert wrong == []
    assert _wrong_amounts(range(1, 1_000_000, 997)) == []


def _phrases(day: dt.date) -> dict[str, dt.date | None]:
    """What is said on `day` and the day that it means; None means ask. Worked out by calendar, not by our finders."""
    monday = day - dt.timedelta(day.weekday())
    last = calendar.monthrange(day.year, day.month)[1]
    first_next = day.replace(day=1) + dt.timedelta(last)
    said: dict[str, dt.date | None] = {
        "今天还": day, "明天还": day + dt.timedelta(1), "后天还": day + dt.timedelta(2),
        "大后天还": day + dt.timedelta(3),
        "月底还": day.replace(day=last), "十天之内还": day + dt.timedelta(10), "一个礼拜后还": day + dt.timedelta(7),
        "半个月后还": day + dt.timedelta(15),
    }
    for place, name in enumerate(WEEK):
        said[f"下周{name}还"] = monday + dt.timedelta(7 + place)
        said[f"下下周{name}还"] = monday + dt.timedelta(14 + place)
        ahead = (place - day.weekday()) % 7
        said[f"周{name}还"] = day + dt.timedelta(ahead) if ahead > 1 else None
        said[f"这周{name}还"] = monday + dt.timedelta(place) if place >= day.weekday() else None
    for number in (1, 5, 10, 15, 20, 28):
        said[f"{spoken_day(number)}号还"] = (first_next if number < day.day else day).replace(day=number)
        said[f"下个月{spoken_day(number)}号还"] = first_next.replace(day=number)
        said[f"这个月{spoken_day(number)}号还"] = day.replace(day=number) if number >= day.day else None
    for month in (1, 3, 6, 9, 12):
        named = dt.date(day.year, month, 18)
        said[f"{spoken_day(month)}月十八号还"] = named if named >= day else named.replace(year=day.year + 1)
    return said


def _wrong_dates(days: Iterable[dt.date]) -> list[str]:
    wrong = []
    for day in days:
        now = dt.datetime.combine(day, dt.time(10), SHANGHAI)
        for text, wanted in _phrases(day).items():
            found: Slots = parse_slots(text, now)
            if found.date != wanted or found.ambiguous is not (wanted is None):
                wrong.append(f"{text} said on {day:%a %F}: {found.date}, wanted {wanted}")
    return wrong


def _two_years() -> list[dt.date]:
    return [dt.date(2026, 11, 1) + dt.timedelta(days) for days in range(731)]


def test_a_sample_of_all_date_phrases_comes_back() -> None:
    assert _wrong_dates(_two_years()[::41]) == []


@pytest.mark.slow
def test_every_date_phrase_over_two_years_comes_back() -> None:
    assert _wrong_dates(_two_years()) == []
