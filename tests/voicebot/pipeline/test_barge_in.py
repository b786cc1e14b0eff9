"""Barge-in by words: company does not stop the bot, three other syllables do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.pipeline.barge_in import insists, interrupts, is_company
from voicebot.pipeline.machine_words import syllables

COMPANY = ("嗯", "恩", "啊", "哦", "对", "好", "好的", "是", "是的", "哎", "行", "对的", "好了", "是呢")


@pytest.mark.parametrize(
    "text", ["嗯", "嗯嗯嗯", "对对对", "好的好的", "行行行", "啊对", "您说", "知道了", "", "哦好的"]
)
def test_company_does_not_interrupt(text: str) -> None:
    assert is_company(text)
    assert not interrupts(text)


@pytest.mark.parametrize("text", ["等一下", "不是我", "你们别打了", "我不认识他", "转人工", "我没借过钱"])
def test_words_interrupt(text: str) -> None:
    assert interrupts(text)


@pytest.mark.parametrize("text", ["不", "不是", "喂"])
def test_fewer_than_three_syllables_wait(text: str) -> None:
    assert not interrupts(text)


@pytest.mark.parametrize("text", ["二二二", "嗯号", "恩恩恩", "时的时的", "号的号的", "好的到", "哦哦再"])
def test_company_that_was_misread_does_not_interrupt(text: str) -> None:
    assert not interrupts(text)


def sure(*sounds: str) -> list[dict[str, float]]:
    return [{sound: 0.95} for sound in sounds]


@pytest.mark.parametrize(
    "spoken", [("wo", "mei", "you"), ("deng", "yi", "xia"), ("ni", "shi", "na"), ("en", "bu", "yao")]
)
def test_three_syllables_insist_before_they_are_words(spoken: tuple[str, ...]) -> None:
    assert insists(sure(*spoken), 300)


@pytest.mark.parametrize("spoken", [("wo",), ("wo", "mei"), ("ting", "ting", "ting"), ("dui", "dui", "wo"), ()])
def test_fewer_or_the_same_do_not(spoken: tuple[str, ...]) -> None:
    assert not insists(sure(*spoken), 300)


def test_two_clear_ones_in_the_time_of_three_insist() -> None:
    assert insists(sure("da", "cuo"), 600)
    assert not insists(sure("da", "cuo"), 580)
    assert not insists([{"da": 0.4, "ta": 0.3}, {"cuo": 0.4}], 2000), "nobody knows what they were"


def test_what_may_be_company_is_company() -> None:
    misread = {"gao": 0.8, "hao": 0.08, "dao": 0.08}
    assert not insists([misread, {"de": 0.9}, {"zao": 0.4, "cao": 0.38, "hao": 0.18}], 900)


@given(st.lists(st.sampled_from(COMPANY), min_size=1, max_size=9), st.integers(0, 20_000), st.data())
def test_back_channels_never_stop_the_bot(words: list[str], voiced_ms: int, data: st.DataObject) -> None:
    """However many, for however long, with whatever else the recogniser thinks they may have been."""
    text = "".join(words)
    assert not interrupts(text)
    heard = []
    for sound in syllables(text).split():
        other = data.draw(st.sampled_from(["wo", "da", "mei", "zao"]))
        heard.append({sound: data.draw(st.floats(0.1, 1)), other: data.draw(st.floats(0, 0.9))})
    assert not insists(heard, voiced_ms)
