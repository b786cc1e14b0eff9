"""Barge-in by words: company does not stop the bot, three other syllables do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.asr.recognizer import Syllable
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


def test_where_the_sound_tells_the_words_do_not() -> None:
    """They are made of it: by themselves they come later, and from our own echo."""
    assert interrupts("我", insists=True)
    assert not interrupts("实在分", insists=False)
    assert interrupts("实在分", insists=None)


def heard(*readings: dict[str, float], there: float = 1.0) -> list[Syllable]:
    return [Syllable(200 * number, there, one) for number, one in enumerate(readings)]


def sure(*sounds: str) -> list[Syllable]:
    return heard(*({sound: 0.95} for sound in sounds))


@pytest.mark.parametrize(
    "spoken", [("wo", "mei", "you"), ("deng", "yi", "xia"), ("ni", "shi", "na"), ("en", "bu", "yao")]
)
def test_three_syllables_insist_before_they_are_words(spoken: tuple[str, ...]) -> None:
    assert insists(sure(*spoken), 300)


@pytest.mark.parametrize("spoken", [("wo",), ("wo", "mei"), ("ting", "ting", "ting"), ("dui", "dui", "wo"), ()])
def test_fewer_or_the_same_do_not(spoken: tuple[str, ...]) -> None:
    assert not insists(sure(*spoken), 300)


def test_two_of_them_in_the_time_of_three_insist() -> None:
    assert insists(sure("da", "cuo"), 560)
    assert not insists(sure("da", "cuo"), 540)
    assert not insists(sure("en", "cuo"), 2000)
    assert not insists(heard({"hou": 0.33, "hao": 0.17}, {"jun": 0.5, "fen": 0.3}), 2000), "嗯好, maybe"


def test_it_does_not_matter_which_of_several_words_they_were() -> None:
    assert insists(heard({"da": 0.5, "ta": 0.45}, {"wo": 0.28, "zuo": 0.21, "hua": 0.14}, {"le": 0.9}), 300)


def test_doubtful_ones_count_for_what_they_are() -> None:
    rest_of_echo = heard({"chu": 0.34}, {"qi": 0.17}, there=0.3)
    assert not insists(rest_of_echo, 2000)
    assert not insists([*rest_of_echo, *sure("wo")], 2000)
    assert insists([*heard({"ni": 0.5}, there=0.6), *sure("deng", "hui")], 400), "你 was said in a low voice"
    assert not insists([*heard({"ni": 0.2}, there=0.2), *sure("deng", "hui")], 400), "two, and hardly a third"


def test_noise_and_echo_here_and_there_are_no_sentence() -> None:
    one_by_one = [Syllable(1200 * number, 0.8, {sound: 0.7}) for number, sound in enumerate(("chu", "qi", "xu", "zi"))]
    assert not insists(one_by_one, 4000)
    hiss = [Syllable(200 * number, 0.65, {sound: 0.5}) for number, sound in enumerate(("chu", "che", "xi", "qi"))]
    assert not insists(hiss, 1000)
    doubtful = [Syllable(640 * number, 0.6, {sound: 0.4}) for number, sound in enumerate(("chu", "qi"))]
    assert not insists(doubtful, 2000)


def test_what_may_be_company_is_company() -> None:
    misread = {"gao": 0.8, "hao": 0.08, "dao": 0.08}
    assert not insists(heard(misread, {"de": 0.9}, {"zao": 0.4, "cao": 0.38, "hao": 0.18}), 900)
    assert not insists(sure("fen", "fen"), 900), "嗯嗯 with a crackle before it"
    assert not insists(sure("fen", "cao"), 700), "嗯好"


@pytest.mark.parametrize("text", ["知道了", "嗯您说", "好的知道", "可以可以", "你说", "没事没事"])
def test_words_that_ask_to_go_on_do_not_insist(text: str) -> None:
    assert not insists(sure(*syllables(text).split()), 2000)


@pytest.mark.parametrize("text", ["你说什么", "我不知道", "可以分期吗", "没事我明天还"])
def test_but_their_beginnings_do(text: str) -> None:
    assert insists(sure(*syllables(text).split()), 300)


@given(st.lists(st.sampled_from(COMPANY), min_size=1, max_size=9), st.integers(0, 20_000), st.data())
def test_back_channels_never_stop_the_bot(words: list[str], voiced_ms: int, data: st.DataObject) -> None:
    """However many, for however long, and whatever else the recogniser thinks each may rather have been."""
    text = "".join(words)
    assert not interrupts(text)
    spoken: list[Syllable] = []
    for sound in syllables(text).split():
        other = data.draw(st.sampled_from(["wo", "da", "mei", "zao"]))
        company, there = data.draw(st.floats(0.1, 1)), data.draw(st.floats(0, 1))
        rather = data.draw(st.floats(0, 1.4 * company))
        spoken.append(Syllable(200 * len(spoken), there, {sound: company, other: rather}))
    assert not insists(spoken, voiced_ms)
