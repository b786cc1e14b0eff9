"""Dates of case files: every spelling of a day is that day, and what may be two days is none."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.cases.dates import DateError, read_date

DAY = dt.date(2026, 11, 27)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-27", "2026/11/27", "2026.11.27", "２０２６－１１－２７", "2026年11月27日", "2026 年 11 月 27 日",
        "26-11-27",
        "20261127", "27.11.2026", "11/27/2026", "二〇二六年十一月二十七日", "二零二六年十一月二十七号", "Nov 27, 2026",
        "27 November 2026", "27-Nov-2026", "46353", "46353.5", "2026-11-27 00:00:00", "2026-11-27T08:30:00+08:00",
        "2026/11/27 下午3:20", " 2026-11-27 ",
    ],
)  # fmt: skip
def test_every_spelling_is_the_same_day(text: str) -> None:
    assert read_date(text) == DAY


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5/6/2026", "分不清"), ("2026-02-30", "没有这一天"), ("2026-11", "应为日期"), ("昨天", "应为日期"),
        ("", "应为日期"),
        ("12345678901", "应为日期"), ("1026-11-27", "年份"), ("00000000", "没有这一天"), ("27 Foo 2026", "应为日期"),
    ],
)  # fmt: skip
def test_what_is_no_day_or_may_be_two_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DateError, match=reason):
        read_date(text)


@given(st.dates(dt.date(1950, 1, 1), dt.date(2099, 12, 31)))
def test_serial_numbers_count_as_spreadsheets_count(day: dt.date) -> None:
    assert read_date(str((day - dt.date(1899, 12, 30)).days)) == day if day.year >= 1955 else True
    assert read_date(f"{day.year}年{day.month}月{day.day}日") == day


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_a_date_error(text: str) -> None:
    try:
        assert isinstance(read_date(text), dt.date)
    except DateError as error:
        assert str(error)
