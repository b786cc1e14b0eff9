"""What is written in figures is said as a person says it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.mandarin.aloud import letters, number, one_by_one, spoken

_UNITS = {"十": 10, "百": 100, "千": 1000}


def value(said: str) -> int:
    """Reads a Chinese numeral back, the other way from `number`."""
    total = 0
    for big, size in (("兆", 10**12), ("亿", 10**8), ("万", 10**4)):
        head, found, said = said.partition(big) if big in said else ("", "", said)
        total += value(head) * size if found else 0
    digit = 0
    for char in said:
        if char in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[char], 0
        else:
            digit = "零一二三四五六七八九".index(char)
    return total + digit


@given(st.integers(0, 10**15))
def test_numbers_read_back_to_themselves(n: int) -> None:
    assert value(number(n)) == n


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("应还￥3500.50元", "应还三千五百元五角"),
        ("3,500元", "三千五百元"),
        ("1000000元", "一百万元"),
        ("20000.08元", "两万元零八分"),
        ("22212元", "两万两千二百一十二元"),
        ("2元", "两元"),
        ("2.5万", "二点五万"),
        ("第2期", "第二期"),
        ("3-5天", "三到五天"),
        ("ＡＰＰ", "诶屁屁"),
        ("￥0.50", "五角"),
        ("2026-11-27之前", "二零二六年十一月二十七日之前"),
        ("11月27日", "十一月二十七日"),
        ("2026年", "二零二六年"),
        ("尾号1234", "尾号幺二三四"),
        ("身份证后四位是208X", "身份证后四位是二零八埃克斯"),
        ("15:30", "十五点半"),
        ("2:05", "两点零五分"),
        ("3.5%", "百分之三点五"),
        ("13812345678", "幺三八幺二三四五六七八"),
        ("400-820-8820", "四零零八二零八八二零"),
        ("110", "幺幺零"),
        ("95588", "九五五八八"),
        ("2天", "两天"),
        ("12个月", "十二个月"),
        ("10203", "一万零二百零三"),
        ("３５００元", "三千五百元"),
    ],
)
def test_figures(written: str, said: str) -> None:
    assert spoken(written) == said


def test_digits_one_by_one_say_yao() -> None:
    assert one_by_one("1380") == "幺三八零"


def test_letters_go_and_come_back() -> None:
    assert letters(spoken("二零八X")) == "二零八X"
    assert letters(spoken("APP")) == "APP"


@given(st.text(max_size=60))
def test_any_text_becomes_hanzi_and_punctuation(text: str) -> None:
    assert not re.search(r"[A-Za-z0-9%￥]", spoken(text))
