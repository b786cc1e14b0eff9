"""A partial that answers the question ends the turn sooner; one that breaks off doesn't."""

from __future__ import annotations

import pytest

from voicebot.domain.understanding import Topic
from voicebot.intent.is_complete import breaks_off_in_figure, is_closed, is_complete_answer, is_whole_sum
from voicebot.intent.understander import Understander


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("对", "open"),
        ("不是", "open"),
        ("好的", "promise"),
        ("二三幺五", "verify"),
        ("我下周五还", "promise"),
        ("三千五百块", "promise"),
        ("我昨天就还了", "debt"),
        ("我没钱", "debt"),
        ("我下周五还", "debt"),
        ("我是您说", "open"),
        ("恩是我", "open"),
        ("我明天就还了你放心", "debt"),
        ("我这个周五就还", "debt"),
        ("我月底之前会还清", "debt"),
        ("可以没文提", "debt"),
        ("我明天就还了你防心", "promise"),
    ],
)
def test_an_answer_is_complete(text: str, topic: str, understander: Understander) -> None:
    assert is_complete_answer(text, Topic(topic), understander)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("", "open"),
        ("嗯", "debt"),
        ("二三", "verify"),
        ("二三幺", "verify"),
        ("我想", "debt"),
        ("那个", "debt"),
        ("我下个", "promise"),
        ("因为我", "reason"),
        ("我先还三千", "any"),
        ("我明天把", "debt"),
        ("我这个周五", "debt"),
        ("下周", "promise"),
    ],
)
def test_what_breaks_off_is_not(text: str, topic: str, understander: Understander) -> None:
    assert not is_complete_answer(text, Topic(topic), understander)


@pytest.mark.parametrize(
    ("text", "topic", "expected"),
    [
        ("十一月", "promise", True),
        ("下个礼拜", "debt", True),
        ("我下个月二十", "promise", True),
        ("一二三", "verify", True),
        ("一二三四", "verify", False),
        ("四三", "verify", True),
        ("我先还三千", "promise", True),
        ("两万", "promise", True),
        ("我先还三千五", "promise", False),
        ("我先还三千块", "promise", False),
        ("二十号", "promise", False),
        ("没有钱", "reason", False),
        ("", "any", False),
    ],
)
def test_people_stop_to_think_inside_figures(text: str, topic: str, expected: bool) -> None:
    assert breaks_off_in_figure(text, Topic(topic)) is expected


@pytest.mark.parametrize(
    ("text", "topic", "owed_yuan", "whole"),
    [
        ("三千", "promise", 5000, True),
        ("我先还三千五百", "promise", 5000, True),
        ("一千二百", "promise", None, True),
        ("五百", "promise", 1268, True),
        ("一千", "promise", 1268, False),
        ("一千二百", "promise", 1268, False),
        ("一千二百六十", "promise", 1268, False),
        ("三千", "promise", 3000, True),
        ("三千", "promise", 3500, False),
        ("三千", "promise", None, False),
        ("三千", "verify", 5000, False),
        ("下个月", "promise", 5000, False),
        ("三千块", "promise", 5000, False),
    ],
)
def test_a_sum_is_whole_unless_it_begins_what_is_owed(
    text: str, topic: str, owed_yuan: int | None, whole: bool
) -> None:
    owed_fen = None if owed_yuan is None else owed_yuan * 100
    assert is_whole_sum(text, Topic(topic), owed_fen) is whole


@pytest.mark.parametrize(
    ("text", "topic", "closed"),
    [
        ("四三二一", "verify", True),
        ("四三二", "verify", False),
        ("我明天就还了你放心", "debt", True),
        ("我是您说", "open", True),
        ("对", "open", False),
        ("好的", "promise", False),
        ("我明天还", "debt", False),
        ("可以没文提", "promise", True),
        ("我没问", "promise", False),
    ],
)
def test_closed_is_what_nobody_adds_to(text: str, topic: str, closed: bool) -> None:
    assert is_closed(text, Topic(topic)) is closed
