"""Danger to self: the frozen set must raise the alarm, idioms must not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from voicebot.domain.understanding import Topic
from voicebot.intent.danger import danger, hinted
from voicebot.intent.taxonomy import DANGER
from voicebot.intent.training.corpus import development_set, training_set
from voicebot.intent.understander import Understander

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
FROZEN = Path(__file__).with_name("danger.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("text", FROZEN)
def test_every_frozen_sentence_raises_the_alarm_and_comes_first(text: str, understander: Understander) -> None:
    said = understander.understand(text, Topic.DEBT, NOW)
    assert said.danger
    assert said.top in DANGER


@pytest.mark.parametrize(
    "text",
    [
        "笑死我了",
        "累死了 刚开完会",
        "忙死了忙死了",
        "跳楼价处理的手机",
        "我要跳槽了",
        "我死活不还",
        "打死我也不还",
        "气死我了",
        "想死你了老同学",
        "他说什么死给谁看 那是电视剧台词",
        "我没想死 就是没钱",
        "死线是几号",
        "猝死的是我同事",
        "今天热死了",
        "这利息真要命",
        "手机快死机了",
        "刚从老东家跳出来",
    ],
)
def test_idioms_are_not_taken_for_danger(text: str) -> None:
    assert danger(text) is None


@pytest.mark.parametrize("text", ["我不想火了", "我想字杀", "我自沙算了", "真不想或了", "我站在漏顶上", "我要跳搂"])
def test_what_a_recogniser_makes_of_it_is_heard_too(text: str) -> None:
    assert danger(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "再逼我我就跳黄浦江",
        "刀子在我手上",
        "我有刀 我割给你们看",
        "我在大桥栏杆外头",
        "瓶子就在手边 我还没拧开",
        "下被子还你",
        "好想睡 睡了就莫醒",
        "我想去一个没人催的地方 再也不回来",
        "等我走了以后 你们别为难我老婆",
        "明天你们就打不通了",
        "一闭眼啥都没得了",
        "等我到了那边 就没人催我了",
        "我撑不动了",
    ],
)
def test_later_words_of_farewell_and_means_are_heard(text: str) -> None:
    assert danger(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "等我缓过这口气自然就还了",
        "棺材本拿出来也给他还上",
        "房梁上有个燕子窝",
        "搁塔吊上呢没法下来接",
        "我就是死猪不怕开水烫",
        "机器人打电话没意思",
        "天热死了你们那里有空调没得",
        "我跳了槽工资没发",
    ],
)
def test_what_only_sounds_like_them_is_not(text: str) -> None:
    assert danger(text) is None


def test_the_words_alone_find_most_and_rarely_cry_wolf() -> None:
    rows = training_set() + development_set()
    harmful = [row for row in rows if set(row.labels) & DANGER]
    calm = [row for row in rows if not set(row.labels) & DANGER]
    assert sum(danger(row.text) is not None for row in harmful) / len(harmful) >= 0.8
    assert sum(danger(row.text) is not None for row in calm) / len(calm) <= 0.005


def test_words_and_model_together_miss_next_to_nothing_that_is_known(understander: Understander) -> None:
    rows = [row for row in training_set() + development_set() if set(row.labels) & DANGER]
    said = [understander.understand(row.text, Topic(row.topic), NOW) for row in rows]
    missed = [row.text for row, each in zip(rows, said, strict=True) if not each.danger]
    assert len(missed) / len(rows) <= 0.005, missed
    assert all(any(score.id in DANGER for score in each.intents) for each in said if each.danger)


def test_a_small_chance_counts_only_beside_a_word_that_hints_at_it() -> None:
    assert hinted("孩子就托付给你们了") and hinted("我在江边坐会儿")
    assert not hinted("我下周五还") and not hinted("你们利率多少")


def test_a_plain_yes_is_never_searched_for_danger(understander: Understander) -> None:
    assert not understander.understand("好", Topic.PROMISE, NOW).danger
