"""Words of a call are found by their sound, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.asr.hot_words import BySound

CALL = ("裴沐昕", "李想", "消费分期", "三千五百元")


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("我就是陪木新", "我就是裴沐昕"),  # pei2 mu4 xin1
        ("陪慕信不在家", "裴沐昕不在家"),  # in other tones
        ("是那个消费奋起吧", "是那个消费分期吧"),
        ("我是里想", "我是李想"),  # two characters, both tones
        ("我是离乡", "我是离乡"),  # li2 xiang1: another word
        ("三千五百元", "三千五百元"),
        ("我陪木头", "我陪木头"),  # two of three
        ("", ""),
        ("APP里的1000块", "APP里的1000块"),
    ],
)
def test_what_sounds_like_a_word_of_the_call_is_that_word(heard: str, written: str) -> None:
    assert BySound(CALL).spell(heard) == written


def test_the_longest_word_comes_first_and_no_character_belongs_to_two() -> None:
    words = BySound(("木兰", "花木兰", "兰花木"))
    assert words.spell("花目蓝花木") == "花木兰花木"


def test_without_words_nothing_changes() -> None:
    assert BySound(()).spell("陪木新") == "陪木新"
    assert BySound(("", "裴")).spell("陪") == "陪", "one character is nobody's name"


@given(st.text("陪木新裴沐昕李想里分期a1 ", max_size=12), st.lists(st.sampled_from(CALL), max_size=4))
def test_length_stays_and_what_is_spelt_is_spelt_for_good(text: str, words: list[str]) -> None:
    call = BySound(words)
    once = call.spell(text)
    assert len(once) == len(text)
    assert BySound(words).spell(once) == once
