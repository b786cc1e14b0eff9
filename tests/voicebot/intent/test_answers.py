"""The same small word means something else after each question."""

from __future__ import annotations

import datetime as dt

import pytest

from voicebot.domain.understanding import Topic
from voicebot.intent.answers import plain_answer
from voicebot.intent.understander import Understander

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize("text", ["对", "是", "是的", "嗯", "对对对", "好的", "嗯 是的", "没错"])
def test_yes_to_who_are_you_confirms_the_person(text: str, understander: Understander) -> None:
    said = understander.understand(text, Topic.OPEN, NOW)
    assert said.top == "id_confirm_self"
    assert said.has("m_affirm")


@pytest.mark.parametrize("text", ["对", "好", "行", "可以", "没问题", "嗯", "好的 好的", "成"])
def test_yes_to_a_promise_agrees(text: str, understander: Understander) -> None:
    said = understander.understand(text, Topic.PROMISE, NOW)
    assert said.top == "m_affirm"
    assert said.has("ptp_confirm", 0.8)


@pytest.mark.parametrize("text", ["不是", "不对", "不是的", "没有"])
def test_no_to_who_are_you_denies_the_person(text: str, understander: Understander) -> None:
    assert understander.understand(text, Topic.OPEN, NOW).top == "id_deny_self"


@pytest.mark.parametrize("text", ["不对", "不行", "不是"])
def test_no_to_a_promise_is_not_agreement(text: str, understander: Understander) -> None:
    said = understander.understand(text, Topic.PROMISE, NOW)
    assert said.top == "m_deny"
    assert not said.has("ptp_confirm")


@pytest.mark.parametrize("text", ["嗯嗯", "哦", "哦哦", "你说", "嗯 你说", "嗯嗯 我听着呢", "啊"])
@pytest.mark.parametrize("topic", list(Topic))
def test_a_back_channel_is_never_consent(text: str, topic: Topic, understander: Understander) -> None:
    said = understander.understand(text, topic, NOW)
    assert said.top == "m_backchannel"
    assert not said.has("m_affirm") and not said.has("ptp_confirm") and not said.has("id_confirm_self")


def test_a_single_en_answers_a_question_but_not_a_statement() -> None:
    promise, debt = plain_answer("嗯", Topic.PROMISE), plain_answer("嗯", Topic.DEBT)
    assert promise is not None and promise[0].id == "m_affirm"
    assert debt is not None and debt[0].id == "m_backchannel"


@pytest.mark.parametrize(
    "text",
    ["好不好", "行不行", "是不是", "不是吧", "对 我不是他", "好 你说完了没", "我不是他", "没有钱", "是的 我下周五还"],
)
def test_more_than_a_bare_word_is_left_to_the_model(text: str) -> None:
    assert plain_answer(text, Topic.OPEN) is None
