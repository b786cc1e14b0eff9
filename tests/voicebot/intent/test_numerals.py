"""Numerals: ellipsis, 零, mixed writing, and what is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.intent.slots.lunar import eve, lunar_day
from voicebot.intent.slots.numerals import RUN, smallest_unit, value, whole


@pytest.mark.parametrize(
    ("run", "number"),
    [
        ("三千五", 3500),
        ("三千零五", 3005),
        ("三百五", 350),
        ("一万二", 12000),
        ("一万二千五", 12500),
        ("十二万三", 123000),
        ("十五", 15),
        ("二十", 20),
        ("一百一十", 110),
        ("一百零一", 101),
        ("两万零三百", 20300),
        ("一亿两千万", 120_000_000),
        ("3千5", 3500),
        ("1w2", 12000),
        ("1.2万", 12000),
        ("3500", 3500),
        ("三", 3),
        ("零", 0),
        ("十万", 100_000),
        ("二十三万四千五百六十七", 234_567),
    ],
)
def test_value(run: str, number: int) -> None:
    assert value(run) == Decimal(number)


@pytest.mark.parametrize("run", ["幺二三", "二三", "百万", "千", "一二三四", "", "万"])
def test_what_is_no_numeral(run: str) -> None:
    assert value(run) is None


def test_years_are_read_digit_by_digit() -> None:
    assert whole("二零二六") == 2026
    assert whole("1.5") is None


@pytest.mark.parametrize(
    ("run", "unit"), [("一百", 100), ("三千五百", 100), ("一万", 10_000), ("二十", 10), ("三千五", 1000), ("3500", 100)]
)
def test_smallest_unit(run: str, unit: int) -> None:
    assert smallest_unit(run) == unit


@given(st.text(alphabet="零一二两三四五六七八九十百千万亿.0123456789wk", max_size=40))
def test_any_run_is_valued_or_not_but_never_raises(run: str) -> None:
    found = value(run)
    assert found is None or found >= 0
    assert RUN


def test_lunar_days_are_known_within_the_table_only() -> None:
    import datetime as dt

    assert lunar_day(1, 1, dt.date(2026, 11, 24), past=False) == dt.date(2027, 2, 6)
    assert lunar_day(8, 15, dt.date(2026, 11, 24), past=True) == dt.date(2026, 9, 25)
    assert eve(dt.date(2027, 2, 5), past=False) == dt.date(2027, 2, 5)
    assert lunar_day(12, 30, dt.date(2026, 11, 24), past=False) is None or lunar_day(
        12, 30, dt.date(2026, 11, 24), past=False
    ) > dt.date(2026, 11, 24)
    assert lunar_day(1, 1, dt.date(2040, 1, 1), past=False) is None
