"""Readings that decide what a debtor hears."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.mandarin.aloud import spoken
from voicebot.mandarin.pinyin import Word, read, sandhi_across


def said(text: str) -> str:
    return " ".join(syllable for word in read(text) for syllable in word.syllables)


@pytest.mark.parametrize(
    ("text", "pinyin"),
    [
        ("还款", "huan2 kuan3"),
        ("我下周五还三千块钱", "wo3 xia4 zhou1 wu3 huan2 san1 qian1 kuai4 qian2"),
        ("今天还", "jin1 tian1 huan2"),
        ("能不能代还", "neng2 bu4 neng2 dai4 huan2"),
        ("早晚会还你们的", "zao2 wan3 hui4 huan2 ni3 men5 de5"),
        ("还没下班呢", "hai2 mei2 xia4 ban1 ne5"),
        ("还有没有别的办法", "hai2 you3 mei2 you3 bie2 de5 ban4 fa3"),
        ("我还不知道", "wo3 hai2 bu4 zhi1 dao4"),
        ("我还不上", "wo3 huan2 bu2 shang4"),
        ("我得还多少", "wo3 dei3 huan2 duo1 shao3"),
        ("银行", "yin2 hang2"),
        ("行", "xing2"),
        ("重庆的利率", "chong2 qing4 de5 li4 lv4"),
        ("尾号幺二三四", "wei3 hao4 yao1 er4 san1 si4"),
        ("空号", "kong1 hao4"),
    ],
)
def test_words_of_the_trade(text: str, pinyin: str) -> None:
    assert said(text) == pinyin


def test_every_word_of_the_trade_as_it_is_written_in_the_table() -> None:
    """readings.tsv: what may be written, figures too, and its syllables with the tones that are spoken."""
    rows = Path(__file__).with_name("readings.tsv").read_text("utf-8").splitlines()
    wanted = dict(row.split("\t") for row in rows)
    assert len(wanted) > 600
    assert {text: said(spoken(text)) for text in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "pinyin"),
    [
        ("请问是任小军先生吗", "qing3 wen4 shi4 ren2 xiao3 jun1 xian1 sheng1 ma5"),
        ("任何先生都可以", "ren4 he2 xian1 sheng1 dou1 ke2 yi3"),
        ("请查一下本人账户", "qing3 cha2 yi2 xia4 ben3 ren2 zhang4 hu4"),
        ("应还还有三千", "ying1 huan2 hai2 you3 san1 qian1"),
        ("先还一点也行", "xian1 huan2 yi4 dian3 ye3 xing2"),
        ("还一点半就来", "hai2 yi4 dian3 ban4 jiu4 lai2"),
        ("说得具体一点", "shuo1 de5 ju4 ti3 yi4 dian3"),
    ],
)
def test_neighbours_decide(text: str, pinyin: str) -> None:
    assert said(text) == pinyin


@pytest.mark.parametrize(
    ("text", "pinyin"),
    [
        ("不是", "bu2 shi4"),
        ("不行", "bu4 xing2"),
        ("一千", "yi4 qian1"),
        ("一万", "yi2 wan4"),
        ("十一月一号", "shi2 yi1 yue4 yi1 hao4"),
        ("你好", "ni2 hao3"),
    ],
)
def test_sandhi(text: str, pinyin: str) -> None:
    assert said(text) == pinyin


def test_third_tones_join_across_words_only_where_asked_and_never_over_a_pause() -> None:
    words = [Word("我", ("wo3",)), Word("有", ("you3",), ","), Word("五", ("wu3",))]
    assert [w.syllables for w in sandhi_across(words, [True, True, True])] == [("wo2",), ("you3",), ("wu3",)]
    assert sandhi_across(words, [False, False, False]) == words


def test_pauses_stay_with_the_word_before_them() -> None:
    words = read("您好，请问是本人吗？")
    assert [w.hanzi for w in words if w.pause == ","][-1].endswith("好")
    assert words[-1].pause == "?"


@given(st.text(max_size=40))
def test_any_text_gives_one_tonal_syllable_per_hanzi(text: str) -> None:
    for word in read(text):
        assert len(word.syllables) == len(word.hanzi)
        assert all(s[-1] in "12345" and s[:-1].isascii() and s[:-1].islower() for s in word.syllables)
