"""Nothing that finds a person passes the mask, however it is spelt, nested or hidden."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.telemetry.masking import Concealed, masked, masked_text, without_password

NUMBER = "13812345678"


def digits(text: object) -> str:
    return re.sub(r"\D", "", str(text))


@pytest.mark.parametrize(
    "text",
    [
        "ring 13812345678",
        "+8613812345678 is busy",
        "+86 138 1234 5678",
        "138-1234-5678",
        "138.1234.5678",
        "(138)1234 5678",
        "１３８１２３４５６７８",
        "138\u200b1234\u200b5678",
        "138\u00a01234\u00a05678",
        "1 3 8 1 2 3 4 5 6 7 8",
        "sip:13812345678@10.0.0.1:5060",
        "tel:+86-138-1234-5678",
        "{'to': '13812345678'}",
        "x=13812345678;y",
        "回拨13812345678吧",
        "2026-11-22 13812345678",
        "at 2026-11-22T08:00:00 13812345678",
        "打0755-13812345678",
    ],
)
def test_a_mobile_number_is_never_whole(text: str) -> None:
    shown = masked_text(text)
    assert "1234" not in digits(shown).replace("20261122", "") and "12345678" not in digits(shown)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("身份证 11010119900307123X", "0307123"),
        ("身份证 110101199003071234。", "0307123"),
        ("卡 6222 0202 0001 2345 678", "0001 2345"),
        ("座机 010-12345678", "12345678"),
        ("座机 0755 8888 6666", "8888"),
        ("+14155552671", "5552"),
        ("mail wangfang@example.com", "wangfang"),
        ("欠款 1,268.00元", "1,268"),
        ("欠 ¥1268.50", "1268"),
        ("还一千二百六十八元", "一千二百"),
        ("RMB 1268", "1268"),
        ("我的号码是幺三八一二三四五六七八", "一二三四五"),
        ("{'amount_fen': 126800}", "126800"),
        ("Promise(amount_fen=126800, on=1)", "126800"),
        ("Debtor(id='d-1', name='李振海')", "振海"),
        ("""{"text": "四三二一", "start_ms": 3}""", "三二一"),
        ("{'text': 'it\\'s 四三二一'}", "二一"),
        ("postgresql://bot:hunter2@db/x", "hunter2"),
    ],
)
def test_cards_sums_addresses_and_spoken_numbers_are_blotted_out(text: str, gone: str) -> None:
    assert gone not in masked_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T08:00:00.123456+00:00",
        "listening on 127.0.0.1:5060",
        "version 0.14.2 of python 3.11.7",
        "late by 1234 ms, 99 of 100",
        "sip:voicebot@10.0.0.1:5060",
        "sip:1001@10.0.0.1",
        "recordings/2026/11/22/0a1b2c3d4e5f60718293",
        "INVITE timed out after 32 s (408)",
        "第一次拨打",
    ],
)
def test_what_operators_need_is_left_alone(text: str) -> None:
    assert masked_text(text) == text


def test_keys_say_what_is_personal_however_deep() -> None:
    event = {"who": {"debtor": "张三丰", "deep": [{"phone": 13812345678, "amount_fen": 126800}]}, "call_id": "c" * 20}
    shown = {key: masked(key, value) for key, value in event.items()}
    assert shown["who"] == {"debtor": "张**", "deep": [{"phone": "138****5678", "amount_fen": "***"}]}
    assert shown["call_id"] == "c" * 20


def test_numbers_in_keys_bytes_sets_errors_and_strange_objects_are_found() -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError(NUMBER)

    class Telling:
        def __repr__(self) -> str:
            return f"<callee {NUMBER}>"

    values: list[object] = [{NUMBER: 1}, NUMBER.encode(), {NUMBER}, ValueError(NUMBER), Hostile(), Telling()]
    assert "12345678" not in digits([masked("x", value) for value in values])


def test_a_structure_without_end_ends() -> None:
    loop: dict[str, object] = {}
    loop["again"] = loop
    assert "…" in str(masked("x", loop))
    assert len(str(masked("x", "a" * 1_000_000))) < 20_000


def test_measures_stay_numbers_and_a_number_that_looks_like_a_phone_does_not() -> None:
    assert masked("late_ms", 13812345678) == 13812345678
    assert masked("calls", 42) == 42 and masked("is_up", True) is True
    assert masked("target", 13812345678) == "138****5678"


def test_the_name_of_somebody_in_a_call_is_found_in_any_text() -> None:
    concealed = Concealed(most=2)
    concealed.add("李振海", "x", "")
    assert concealed.blot("case of 李振海 failed, x") == "case of 李** failed, x"
    concealed.add("王芳", "赵云")
    assert concealed.blot("李振海 王芳 赵云") == "李振海 王* 赵*"


def test_a_concealed_name_may_hold_signs_of_patterns() -> None:
    concealed = Concealed()
    concealed.add("a.*b(")
    assert concealed.blot("xx a.*b( axxb(") == "xx a.*** axxb("


@given(st.text(max_size=300))
def test_any_text_at_all_can_be_masked(text: str) -> None:
    assert isinstance(masked_text(text), str)


@given(
    st.sampled_from(["", " ", "-", "\u3000"]),
    st.from_regex(r"1[3-9]\d{9}", fullmatch=True),
    st.text(alphabet="打回给：,. ", max_size=4),
)
def test_any_mobile_number_is_cut(gap: str, number: str, before: str) -> None:
    spelt = gap.join((number[:3], number[3:7], number[7:]))
    assert number not in digits(masked_text(f"{before}{spelt} 好"))


def test_passwords_in_addresses() -> None:
    assert without_password("smtp://me:secret@host") == "smtp://me:***@host"
