"""Cells of case files: what people and spreadsheets write, and what is refused with which remedy."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.cases import fields
from voicebot.cases.columns import Column, check_mapping, missing, recognise, shape_of, with_heading
from voicebot.cases.parsing import Context, parse_row
from voicebot.cases.phones import PhoneError, parse_phone
from voicebot.cases.tables import Row, Table
from voicebot.domain.case import Salutation


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13800138000", "+8613800138000"),
        ("138 0013 8000", "+8613800138000"),
        ("138-0013-8000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("8613800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("010-62345678", "+861062345678"),
        ("sip:anna@127.0.0.1:5080", "sip:anna@127.0.0.1:5080"),
        ("sip:1001@pbx.example.com;transport=udp", "sip:1001@pbx.example.com;transport=udp"),
    ],
)
def test_numbers(text: str, number: str) -> None:
    assert parse_phone(text) == number


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "为空"),
        ("138001380", "现有9位"),
        ("138001380001", "现有12位"),
        ("12345678901", "不是有效的号码"),
        ("138****8000", "打码"),
        ("1.38E+10", "科学计数法"),
        ("13800138000/13900139000", "几个号码"),
        ("没有", "文字"),
        ("sip:", "SIP 地址不完整"),
        ("sip:a b@host", "SIP 地址不完整"),
    ],
)
def test_refused_numbers(text: str, reason: str) -> None:
    with pytest.raises(PhoneError, match=reason):
        parse_phone(text)


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_a_phone_error(text: str) -> None:
    try:
        number = parse_phone(text)
    except PhoneError:
        return
    assert number.startswith(("+", "sip:", "sips:")) and parse_phone(number) == number


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("3500", 350000),
        ("3,500.50", 350050),
        ("￥3500.5", 350050),
        ("3500元", 350000),
        ("３５００", 350000),
        ("0.01", 1),
        ("3500.4999999999", 350050),
        ("RMB 20", 2000),
        ("3.5万", 3_500_000),
        ("0.35万元", 350_000),
        ("１万２千元", 1_200_000),
        ("2万5000", 2_500_000),
        ("3500元整", 350_000),
    ],
)
def test_amounts(text: str, fen: int) -> None:
    assert fields.parse_amount(text) == fen


REFUSED = ["", "0", "-5", "1.234", "三千", "2万5", "0.0000001万", "万", "1e5", "999999999999", "12.3.4"]


@pytest.mark.parametrize("text", REFUSED)
def test_refused_amounts(text: str) -> None:
    with pytest.raises(fields.FieldError):
        fields.parse_amount(text)


@given(st.integers(1, 10_000_000_000))
def test_amounts_are_read_as_they_are_written(fen: int) -> None:
    assert fields.parse_amount(f"{fen // 100:,}.{fen % 100:02d}") == fen


@pytest.mark.parametrize(
    ("text", "numeric", "mmdd"),
    [
        ("0812", False, "0812"),
        ("8月12日", False, "0812"),
        ("8-12", False, "0812"),
        ("1990-08-12", False, "0812"),
        ("19900812", False, "0812"),
        ("812", True, "0812"),
        ("2月29", False, "0229"),
    ],
)
def test_birthdays(text: str, numeric: bool, mmdd: str) -> None:
    assert fields.parse_birth(text, numeric) == mmdd


@pytest.mark.parametrize("text", ["812", "1332", "2-30", "八月", "", "0000"])
def test_refused_birthdays(text: str) -> None:
    with pytest.raises(fields.FieldError):
        fields.parse_birth(text)


def test_the_last_four_of_the_identity_card() -> None:
    assert fields.parse_last4("0426") == "0426"
    assert fields.parse_last4("231x") == "231X"
    assert fields.parse_last4("426", numeric=True) == "0426"
    for text, reason in [("426", "开头的0"), ("X123", "请核对"), ("12345", "应为4位"), ("二三一五", "应为4位")]:
        with pytest.raises(fields.FieldError, match=reason):
            fields.parse_last4(text)


def test_of_an_identity_card_only_the_needed_parts_are_kept() -> None:
    # 11010519491231002X is the specimen number of GB 11643-1999.
    assert fields.parse_id_card("11010519491231002x") == ("002X", "1231")
    for text in ["110105194912310021", "11010519491331002X", "1101051949123100", ""]:
        with pytest.raises(fields.FieldError):
            fields.parse_id_card(text)


def test_dates_flags_days_names_and_titles() -> None:
    assert [fields.parse_flag(text) for text in ["是", "Y", "否", "", "0"]] == [True, True, False, False, False]
    assert fields.parse_days("12天") == 12
    assert [fields.parse_salutation(t) for t in ["男", "女士", "？"]] == [
        Salutation.MR,
        Salutation.MS,
        Salutation.UNKNOWN,
    ]
    assert fields.parse_name("阿卜杜热合曼·买买提") == "阿卜杜热合曼·买买提"
    for parse, text in [
        (fields.parse_date, "2026-02-30"),
        (fields.parse_flag, "也许"),
        (fields.parse_days, "-1"),
        (fields.parse_name, "张*"),
        (fields.parse_name, "13800138000"),
        (fields.parse_fen, "12.5"),
    ]:
        with pytest.raises(fields.FieldError):
            parse(text)


def test_headings_are_known_in_many_spellings() -> None:
    places = recognise(("客户 姓名", "手机号码*", "欠款金额（元）", "Overdue_Days", "备注", "姓名", "发薪日"))
    assert places.columns == {Column.NAME: 0, Column.PHONE: 1, Column.AMOUNT: 2, Column.OVERDUE_DAYS: 3}
    assert places.traits == {"income_day": 6} and places.ignored == ("备注", "姓名")
    assert missing(places) == []


def test_figures_below_a_heading_in_another_unit_are_not_taken_for_yuan() -> None:
    places = recognise(("姓名", "手机号", "欠款金额（万元）", "逾期天数"))
    row = Row(2, ("张三", "13800138000", "0.35", "9"))
    new = parse_row(row, places, Context(dt.date(2026, 11, 24), {}))
    assert new.case.amount_fen == 350_000


def test_what_a_person_says_of_a_heading_stands_above_the_guess() -> None:
    places = recognise(("姓名", "手机", "余额", "DPD", "备注"), {"余额": "欠款金额", "备注": "occupation", "手机": ""})
    assert places.columns == {Column.NAME: 0, Column.AMOUNT: 2, Column.OVERDUE_DAYS: 3}
    assert places.traits == {"occupation": 4} and missing(places) == [Column.PHONE]
    for wrong in ({"a": "没有这个"}, {"a": "姓名", "b": "姓名"}):
        with pytest.raises(ValueError, match="请"):
            check_mapping(wrong)


def test_the_heading_may_stand_below_a_title() -> None:
    rows = (Row(1, ("十一月逾期名单",)), Row(2, ("姓名", "手机号", "金额")), Row(3, ("张三", "1", "2")))
    table, above = with_heading(Table(rows[0], rows[1:]))
    assert (table.header, table.rows, above) == (rows[1], rows[2:], rows[:1])
    plain = Table(rows[1], rows[2:])
    assert with_heading(plain) == (plain, ())


def test_files_with_the_same_headings_have_one_shape() -> None:
    assert shape_of(("姓名", "手 机", "")) == shape_of(("手机", "姓名*")) != shape_of(("姓名",))
