"""Known sentences, the shape of the answer, and the floor of the development figures."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.domain.understanding import EmotionLabel, Topic
from voicebot.intent.taxonomy import taxonomy
from voicebot.intent.training.corpus import development_set, training_set
from voicebot.intent.training.evaluate import figures
from voicebot.intent.understander import Understander
from voicebot.intent.vocabulary import ModelError

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "topic", "intent"),
    [
        ("你打错了 这号我刚办的", "open", "id_wrong_number"),
        ("我是他老婆", "open", "tp_relation"),
        ("他不在家 晚上才回来", "open", "tp_not_here"),
        ("你是哪里的", "open", "id_who_are_you"),
        ("二三幺五", "verify", "id_verify_answer"),
        ("凭什么告诉你", "verify", "id_verify_refuse"),
        ("我下周五还", "debt", "ptp_date"),
        ("今天下班就还", "debt", "ptp_today"),
        ("昨天就还完了", "debt", "pay_already_paid"),
        ("我失业了", "reason", "hs_unemployed"),
        ("真没钱", "debt", "hs_no_money"),
        ("我没借过你们的钱", "debt", "dp_not_mine"),
        ("你去法院告我吧", "debt", "rf_sue_me"),
        ("转人工", "any", "m_human"),
        ("转人公", "any", "m_human"),
        ("你是机器人吧", "any", "m_robot"),
        ("别再给我打电话了", "any", "dnc_stop"),
        ("我要投诉你们", "any", "cp_regulator"),
        ("我开车呢", "open", "dl_driving"),
        ("您好 请在滴声后留言", "open", "m_voicemail"),
        ("您拨打的电话已关机", "open", "m_carrier"),
        ("能不能分期", "debt", "pay_installment"),
        ("我先还五百行不", "debt", "pay_partial"),
        ("我爸爸不在家 我八岁", "open", "tp_minor"),
        ("靓女 给我来两份炒河粉打包", "any", "unknown"),
        ("妈 你把阳台衣服收一下", "any", "unknown"),
        ("他去年就去世了", "open", "tp_deceased"),
    ],
)
def test_known_sentence(text: str, topic: str, intent: str, understander: Understander) -> None:
    said = understander.understand(text, Topic(topic), NOW)
    assert said.has(intent), said.intents


def test_a_swearword_is_an_insult_whatever_stands_beside_it(understander: Understander) -> None:
    assert understander.understand("你个傻逼机器人", Topic.ANY, NOW).has("ab_insult")


def test_the_debtors_lawyer_is_not_the_debtor(understander: Understander) -> None:
    assert understander.understand("我是李振海的律师", Topic.OPEN, NOW).top == "tp_relation"


def test_slots_travel_with_the_meaning(understander: Understander) -> None:
    said = understander.understand("我下周五还三千五", Topic.DEBT, NOW)
    assert said.slots.date == dt.date(2026, 12, 4)
    assert said.slots.amount_fen == 350_000


@pytest.mark.parametrize("text", ["我明早还", "我明儿一早转给你们", "后天就打过去"])
def test_a_day_to_come_is_no_payment_made(text: str, understander: Understander) -> None:
    said = understander.understand(text, Topic.DEBT, NOW)
    assert said.top == "ptp_date" and not said.has("pay_already_paid")


@pytest.mark.parametrize("text", ["", "   ", "。。。"])
def test_no_words_are_silence(text: str, understander: Understander) -> None:
    assert understander.understand(text, Topic.ANY, NOW).top == "m_silence"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.sampled_from(list(Topic)))
def test_any_text_gets_sane_probabilities(text: str, topic: Topic) -> None:
    said = _shared().understand(text, topic, NOW)
    assert said.intents and all(0 <= score.p <= 1 for score in said.intents)
    assert len({score.id for score in said.intents}) == len(said.intents)
    assert all(score.id in taxonomy() for score in said.intents)
    assert said.emotion.label in EmotionLabel


_MODEL: list[Understander] = []


def _shared() -> Understander:
    if not _MODEL:
        _MODEL.append(Understander())
    return _MODEL[0]


def test_it_answers_the_same_twice(understander: Understander) -> None:
    one, two = (understander.understand("我想想吧 月底行不行", Topic.DEBT, NOW) for _ in range(2))
    assert one == two


def test_a_missing_model_tells_the_operator_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="make train-intent"):
        Understander(tmp_path)


def test_development_figures_do_not_fall(understander: Understander) -> None:
    found = figures(development_set(), understander.understand)
    assert found.top.hits / found.top.total >= 0.83
    assert found.lenient.hits / found.lenient.total >= 0.86
    assert found.macro_f1 >= 0.83
    assert found.danger_recall.hits == found.danger_recall.total
    assert found.danger_false.hits / found.danger_false.total <= 0.015


def test_development_hand_is_not_trained_on() -> None:
    """Two hands may write the same stock phrase, but no more than that."""
    assert "plain" not in {row.writer for row in training_set()}
    trained = {row.text for row in training_set()}
    shared = [row for row in development_set() if row.text in trained]
    assert len(shared) / len(development_set()) < 0.03


def test_understanding_takes_less_than_three_milliseconds(understander: Understander) -> None:
    rows = development_set()[:200]
    best = min(_seconds(understander, rows) for _ in range(3))
    assert best / len(rows) < 0.003


def _seconds(understander: Understander, rows: list) -> float:  # type: ignore[type-arg]
    started = time.process_time()
    for row in rows:
        understander.understand(row.text, Topic(row.topic), NOW)
    return time.process_time() - started
