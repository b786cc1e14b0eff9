"""Short answers that repeat what was asked."""

from __future__ import annotations

import datetime as dt

import pytest

from voicebot.domain.understanding import Topic
from voicebot.intent.understander import Understander

NOW = dt.datetime(2026, 11, 24, 2, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text", ["对，礼拜五，四千", "中，下周一，两万三千一", "要得，后天", "嗯，就下周五", "系，六千一百八十八，全部"]
)
def test_a_read_back_that_is_repeated_is_confirmed(text: str, understander: Understander) -> None:
    assert understander.understand(text, Topic.PROMISE, NOW).top == "ptp_confirm"


@pytest.mark.parametrize("text", ["对，但是改成周六", "好，能不能周六", "不对，是下周五", "是四千，不是八千"])
def test_a_read_back_that_is_changed_is_not(text: str, understander: Understander) -> None:
    assert understander.understand(text, Topic.PROMISE, NOW).top != "ptp_confirm"


@pytest.mark.parametrize("text", ["六月十号", "八月十二的生日", "二三幺五", "生日九月三十号", "九月二十六"])
def test_digits_and_days_answer_the_identity_check(text: str, understander: Understander) -> None:
    assert understander.understand(text, Topic.VERIFY, NOW).top == "id_verify_answer"


@pytest.mark.parametrize("text", ["他上周去世了", "他明天才回来", "你凭什么明天打给我"])
def test_a_day_in_other_words_does_not(text: str, understander: Understander) -> None:
    assert understander.understand(text, Topic.VERIFY, NOW).top != "id_verify_answer"


@pytest.mark.parametrize(
    "text", ["嗯，余腊梅", "对，熊佳慧", "郑阿木，对", "是我，没错", "嗯，习向阳", "哦，我是杨晓峰"]
)
def test_yes_and_a_name_confirm_the_person(text: str, understander: Understander) -> None:
    assert understander.understand(text, Topic.OPEN, NOW).top == "id_confirm_self"


@pytest.mark.parametrize("text", ["嗯，你说", "哦，你好", "对，他不在", "嗯，打错了", "喂，喂"])
def test_yes_and_something_else_do_not(text: str, understander: Understander) -> None:
    assert understander.understand(text, Topic.OPEN, NOW).top != "id_confirm_self"
