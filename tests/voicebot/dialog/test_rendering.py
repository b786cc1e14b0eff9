"""Reading aloud: amounts, days, times and digits in hanzi, as people say them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.dialog.prompts import LONGEST, split, static_prompts
from voicebot.dialog.rendering import (
    addressed,
    asked_for,
    speakable,
    spoken_amount,
    spoken_date,
    spoken_digits,
    spoken_moment,
    spoken_number,
)
from voicebot.dialog.script import Script
from voicebot.domain.case import Debtor, Salutation

from .callee import NOW, TODAY

AMOUNTS = [
    (350000, "三千五百元"), (126840, "一千二百六十八元四角"), (20000, "两百元"), (200, "两元"),
    (5, "五分"), (50, "五角"), (100005, "一千元零五分"), (1203380, "一万两千零三十三元八角"),
    (10500, "一百零五元"), (1000000, "一万元"), (0, "零元"), (11000000, "十一万元"), (1200, "十二元"),
    (222200, "两千二百二十二元"), (10010000, "十万零一百元"),
]  # fmt: skip


@pytest.mark.parametrize(("fen", "words"), AMOUNTS)
def test_amounts(fen: int, words: str) -> None:
    assert spoken_amount(fen) == words


@given(st.integers(0, 10**12 - 1))
def test_every_number_reads_back(number: int) -> None:
    assert read(spoken_number(number)) == number


def read(words: str) -> int:
    """The other way round, written independently: 三万两千零五 -> 32005."""
    total = group = digit = 0
    for char in words:
        if char in "零一二三四五六七八九":
            digit = "零一二三四五六七八九".index(char)
        elif char == "两":
            digit = 2
        elif char in "十百千":
            group += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[char]
            digit = 0
        else:
            total = (total + group + digit) * 1 if char == "亿" else total + 0
            total, group, digit = (total * 10**8, 0, 0) if char == "亿" else (total + (group + digit) * 10**4, 0, 0)
    return total + group + digit


def test_days_and_times() -> None:
    assert spoken_date(dt.date(2026, 11, 27)) == "十一月二十七日星期五"
    assert spoken_moment(NOW.replace(hour=15), TODAY) == "今天下午三点"
    assert spoken_moment(NOW + dt.timedelta(days=1, minutes=30), TODAY) == "明天上午十点半"
    assert spoken_moment(NOW.replace(day=30, hour=14, minute=5), TODAY) == "十一月三十日星期一下午两点零五分"


def test_digits_names_and_what_cannot_be_spoken() -> None:
    assert spoken_digits("400-000-1234") == "四零零零零零幺二三四"
    assert asked_for(Debtor("1", "李振海", Salutation.MR)) == "李振海先生"
    assert addressed(Debtor("1", "沈美琴", Salutation.MS)) == "沈女士"
    assert addressed(Debtor("1", "沈美琴")) == "您"
    assert speakable("e贷 2号-Plus") == "贷二号"


@given(st.text(alphabet="好的一二，。？！", max_size=200))
def test_split_loses_nothing_and_keeps_breaths_short(text: str) -> None:
    pieces = list(split(text))
    assert "".join(pieces).replace("，", "") == text.replace("，", "")
    assert all(len(piece) <= LONGEST or "，" not in piece.rstrip("，")[1:] for piece in pieces)


def test_static_prompts_have_no_variables_and_are_spoken_as_they_stand(reminder: Script) -> None:
    texts = static_prompts(reminder)
    assert len(texts) == len(set(texts)) > 50
    assert all("{" not in text and 0 < len(text) <= LONGEST for text in texts)
    assert "涉及您的个人信息，请说一下身份证后四位，或者出生的月和日。" in texts
