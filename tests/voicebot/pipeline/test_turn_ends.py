"""Ends of turns on real sound: soon after a complete answer, never inside a number or a date."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.asr.recognizer import load_recognizer
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.domain.understanding import Topic
from voicebot.intent.is_complete import is_complete_answer
from voicebot.intent.understander import Understander
from voicebot.pipeline.ear import VOICE as VOICE_FROM
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.noticed import Utterance
from voicebot.tts.synthesizer import load_synthesizer

PAUSE_MS = 800
VOICE = "m3"


@pytest.fixture(scope="module")
def hearing() -> Hearing:
    understander = Understander()

    def is_complete(text: str, topic: Topic) -> bool:
        return is_complete_answer(text, topic, understander)

    return Hearing(load_recognizer(), VoiceActivity(), is_complete)


def spoken(text: str) -> bytes:
    """Without the silence around it, so that its end is its end."""
    sound = np.frombuffer(load_synthesizer().synthesize(text, VOICE), "<i2")
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 250)
    return sound[loud[0] : loud[-1] + 1].tobytes()


def turns(
    hearing: Hearing, topic: str, *parts: str, owed_yuan: int | None = None, pause_ms: int = PAUSE_MS
) -> list[tuple[str, int]]:
    """The turns that are made of these words with a pause between them: text, and when it was told, in ms after the
    last sound."""
    ear = hearing.open(1)
    ear.picked_up()
    ear.owed_fen = None if owed_yuan is None else owed_yuan * 100
    ear.topic = Topic(topic)
    sound = bytes(16 * 500) + bytes(16 * pause_ms).join(map(spoken, parts))
    told: list[tuple[str, int]] = []
    for tick, frame in enumerate([*cut(sound), *[SILENCE] * 80], 1):
        for _, noticed in hearing.tick(tick, [(1, frame)]):
            if isinstance(noticed, Utterance):
                told.append((noticed.text, tick * 20 - len(sound) // 16))
    hearing.close(1)
    return told


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("是的", "open"), ("我是", "open"), ("不是", "open"), ("好的", "promise"), ("对", "promise"),
        ("明天还", "debt"), ("我没钱", "debt"), ("四三二一", "verify"), ("三千五百块", "promise"),
    ],
)  # fmt: skip
def test_a_complete_short_answer_is_answered_at_once(hearing: Hearing, text: str, topic: str) -> None:
    ((heard, after_ms),) = turns(hearing, topic, text)
    assert after_ms <= 300, heard


@pytest.mark.parametrize(
    ("topic", "parts"),
    [
        ("promise", ("我先还三千", "五百")),
        ("promise", ("还一千", "二百六十八块")),
        ("promise", ("两万", "三千")),
        ("promise", ("我下个月", "二十号还")),
        ("verify", ("四三", "二一")),
    ],
)
def test_nobody_is_cut_off_inside_a_figure(hearing: Hearing, topic: str, parts: tuple[str, ...]) -> None:
    told = turns(hearing, topic, *parts)
    assert len(told) == 1, told


def test_whether_words_are_an_answer_is_asked_in_pauses_only() -> None:
    """It takes longer than hearing does, and callers who speak all at once wait for each other's."""
    asked: list[tuple[str, bool]] = []

    def is_complete(text: str, topic: Topic) -> bool:
        asked.append((text, ear.vad.speech_prob >= VOICE_FROM))
        return False

    hearing = Hearing(load_recognizer(), VoiceActivity(), is_complete)
    ear = hearing.open(1)
    ear.picked_up()
    ear.bot_speaks = lambda: True
    for tick, frame in enumerate([*[SILENCE] * 25, *cut(spoken("我明天下午就把钱还给你们")), *[SILENCE] * 30]):
        hearing.tick(tick, [(1, frame.ljust(len(SILENCE), b"\0"))])
    assert asked
    assert not any(sounded for _, sounded in asked)
    assert len(asked[-1][0]) >= 8, "the words at the end of the pause are the whole"


@pytest.mark.parametrize("text", ["三千", "三千五百", "我先还三千"])
def test_a_sum_that_is_whole_is_answered_within_half_a_second(hearing: Hearing, text: str) -> None:
    ((heard, after_ms),) = turns(hearing, "promise", text, owed_yuan=8000)
    assert after_ms <= 540, heard  # 480 and what voice activity takes to fall silent


@pytest.mark.parametrize(
    ("parts", "owed_yuan", "pause_ms"),
    [(("三千", "五百"), 8000, 350), (("三千", "五百"), 3500, PAUSE_MS), (("一千二百", "六十八"), 1268, PAUSE_MS)],
)
def test_and_nobody_is_cut_off_in_it(
    hearing: Hearing, parts: tuple[str, ...], owed_yuan: int, pause_ms: int
) -> None:
    told = turns(hearing, "promise", *parts, owed_yuan=owed_yuan, pause_ms=pause_ms)
    assert len(told) == 1, told


@pytest.mark.parametrize(("text", "topic"), [("四三二一", "verify"), ("我明天就还了你放心", "debt")])
def test_an_answer_that_is_closed_is_answered_sooner_still(hearing: Hearing, text: str, topic: str) -> None:
    ((heard, after_ms),) = turns(hearing, topic, text)
    assert after_ms <= 200, heard
