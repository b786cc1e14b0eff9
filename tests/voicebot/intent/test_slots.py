"""parse_slots: the table of expected values, and what must hold for any words at all."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.domain.understanding import Slots, Tense
from voicebot.intent.rows import slots_json
from voicebot.intent.slots import parse_slots

SHANGHAI = ZoneInfo("Asia/Shanghai")
TUESDAY = dt.datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
NOTHING = slots_json(Slots())


def _rows() -> list[tuple[str, str]]:
    tables = sorted(Path(__file__).parent.glob("slots*.tsv"))
    lines = [line for table in tables for line in table.read_text(encoding="utf-8").splitlines()]
    return [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]  # type: ignore[misc]


def test_the_table_is_large() -> None:
    assert len(_rows()) >= 600
    assert len({text for text, _ in _rows()}) == len(_rows())


def _differs(text: str, expected: str) -> str | None:
    """What is read of `text` where that is not what is expected."""
    wanted = dict(pair.split("=", 1) for pair in expected.split())
    found = slots_json(parse_slots(text, TUESDAY))
    said = {name: str(value) for name, value in found.items() if value != NOTHING[name]}
    return None if said == wanted else f"{text}: {said}, wanted {wanted}"


def test_every_sentence_of_the_table_is_read_as_it_says() -> None:
    assert [wrong for text, expected in _rows() if (wrong := _differs(text, expected))] == []


@pytest.mark.parametrize(
    ("now", "text", "date"),
    [
        ("2026-11-28T10:00:00+08:00", "这周五还", None),  # said on Saturday: gone, so ask
        ("2026-11-28T10:00:00+08:00", "周五还", "2026-12-04"),
        ("2026-11-27T10:00:00+08:00", "周五还", None),  # today or a week on? ask
        ("2026-11-26T10:00:00+08:00", "周五还", None),  # tomorrow: ask
        ("2026-11-29T10:00:00+08:00", "下周一还", "2026-11-30"),
        ("2026-12-30T10:00:00+08:00", "三号还", "2027-01-03"),
        ("2027-01-31T10:00:00+08:00", "一个月后还", "2027-02-28"),
        ("2028-02-01T10:00:00+08:00", "月底还", "2028-02-29"),
        ("2026-11-24T23:59:59+08:00", "明天还", "2026-11-25"),
        ("2026-11-24T16:30:00+00:00", "明天还", "2026-11-26"),  # already the 25th in Shanghai
        ("2027-02-05T10:00:00+08:00", "年前还", "2027-02-05"),
        ("2039-06-01T10:00:00+08:00", "春节前还", None),  # beyond the lunar table: fail closed, ask
        ("2026-12-31T10:00:00+08:00", "年底还", "2026-12-31"),
    ],
)
def test_dates_near_the_edges_of_the_calendar(now: str, text: str, date: str | None) -> None:
    found = parse_slots(text, dt.datetime.fromisoformat(now))
    assert (found.date.isoformat() if found.date else None) == date
    assert found.ambiguous is (date is None)


_UNITS = ((10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十"), (1, ""))


def spoken(number: int, short: bool = False) -> str:
    """The usual reading of 1..999999; `short` drops the last unit (三千五)."""
    digits = "零一二三四五六七八九"
    if number >= 10_000:
        head, rest = divmod(number, 10_000)
        tail = "" if not rest else ("零" if rest < 1000 else "") + spoken(rest)
        said = spoken(head) + "万" + tail
        return said[:-1] if short and rest and not rest % 1000 else said
    out, zero = "", False
    for unit, name in _UNITS[2:]:
        digit, number = divmod(number, unit)
        if digit:
            out += ("零" if zero and out else "") + digits[digit] + name
            zero = False
        elif out:
            zero = True
    if short and len(out) >= 4 and out[-1] in "百十" and "零" not in out:
        return out[:-1]
    return out


@given(st.integers(100, 999_999), st.booleans())
def test_any_amount_comes_back_from_its_reading(yuan: int, short: bool) -> None:
    text = spoken(yuan, short)
    if yuan == 250:
        return  # also an insult: the table holds it
    assert parse_slots(f"{text}块" if not short else f"我先还{text}", TUESDAY).amount_fen == yuan * 100, text


@given(
    st.dates(dt.date(2026, 1, 1), dt.date(2033, 12, 1)),
    st.sampled_from(
        [
            "明天还",
            "周五还",
            "下周三给你",
            "十五号还",
            "三月十五还",
            "月底还",
            "下月初还",
            "半个月后还",
            "春节前还",
            "这周日还",
            "三十号之前处理",
            "过两天还",
            "国庆节还",
            "腊月二十还",
            "五天内还清",
            "周末还",
        ]
    ),
)
def test_a_promise_never_gets_a_date_in_the_past(day: dt.date, text: str) -> None:
    now = dt.datetime.combine(day, dt.time(15), SHANGHAI)
    found = parse_slots(text, now)
    assert found.tense is not Tense.PAST
    if found.date is None:
        assert found.ambiguous
    else:
        assert found.date >= day
        assert found.date_end is None or found.date_end >= found.date


_WORDS = st.lists(
    st.sampled_from(
        [
            *"零一二三四五六七八九十百千万亿半两几点号月日周年天期块元毛分还前后下上个之内不是对改到成第每 .-:/%X幺洞",
            "百分之",
            "农历",
            "礼拜",
            "三十一号",
            "9" * 30,
        ]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=400)
@given(st.one_of(_WORDS, st.text(max_size=60)), st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2090, 1, 1)))
def test_no_words_at_all_can_make_it_raise(text: str, now: dt.datetime) -> None:
    found = parse_slots(text, now.replace(tzinfo=SHANGHAI))
    assert found.amount_fen is None or found.amount_fen >= 0
    if found.amount_min_fen is not None and found.amount_max_fen is not None:
        assert found.amount_min_fen <= found.amount_max_fen


@pytest.mark.parametrize("now", [dt.datetime.min, dt.datetime.max])
def test_the_ends_of_time_are_survived(now: dt.datetime) -> None:
    assert isinstance(parse_slots("下下个月三十一号还三千", now.replace(tzinfo=dt.UTC)), Slots)


def test_a_sentence_takes_less_than_a_millisecond() -> None:
    texts = [text for text, _ in _rows()]
    for text in texts:
        parse_slots(text, TUESDAY)
    best = min(_seconds(texts) for _ in range(3))
    assert best / len(texts) < 0.001


def _seconds(texts: list[str]) -> float:
    started = time.process_time()
    for text in texts:
        parse_slots(text, TUESDAY)
    return time.process_time() - started
