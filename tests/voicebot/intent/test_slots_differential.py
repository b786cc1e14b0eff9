"""Second opinions: our numerals beside cn2an and our amounts beside wetext; where we differ, it is known and why."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from voicebot.intent.slots import parse_slots
from voicebot.intent.slots.numerals import value

from .readings import spoken

pytestmark = pytest.mark.slow
NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)

# What others make of words that mean something else on the telephone: theirs, and why ours is different.
KNOWN_OF_WETEXT = {
    "十万零五千块": "100005千块: they take 零五 for a last digit",
    "七七八八块": "7788: they know no idioms",
    "五十来块": "50来块: about fifty, ours is the number",
    "三千块五毛": "3000块5毛: they leave 毛 beside 块",
    "一块": "一块: they take it for a piece",
    "五块五": "5块5: they leave the tenth behind",
    "三万五": "35000: a sum without a unit, the same value",
}


def test_cn2an_reads_the_same_numbers() -> None:
    cn2an = pytest.importorskip("cn2an")
    numbers = [*range(1, 3000), *range(3000, 1_000_000, 379)]
    differ = [n for n in numbers for text in {spoken(n), spoken(n, short=n >= 100)}
              if cn2an.cn2an(text, "smart") != value(text)]
    assert differ == []


def test_wetext_reads_the_same_amounts_but_for_known_differences() -> None:
    wetext = pytest.importorskip("wetext")
    other = wetext.Normalizer(lang="zh", operator="itn")
    texts = [f"{spoken(n, couple=True)}块" for n in range(1, 1_000_000, 9973)] + list(KNOWN_OF_WETEXT)
    differ = set()
    for text in texts:
        theirs = re.fullmatch(r"(\d+(?:\.\d+)?)块?", other.normalize(text))
        ours = parse_slots(text, NOW).amount_fen
        if theirs is None or ours != round(float(theirs[1]) * 100):
            differ.add(text)
    odd_zero = {text for text in differ if re.search("万零.千", text)}
    assert differ - odd_zero <= set(KNOWN_OF_WETEXT)
