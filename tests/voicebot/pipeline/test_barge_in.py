"""Barge-in by words: company does not stop the bot, three other syllables do."""

import pytest

from voicebot.pipeline.barge_in import interrupts, is_company


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
