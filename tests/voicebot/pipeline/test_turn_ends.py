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


def turns(hearing: Hearing, topic: str, *parts: str) -> list[tuple[str, int]]:
    """The turns that are made of these words with a pause between them: text, and when it was told, in ms after the
    last sound."""
    ear = hearing.open(1)
    ear.picked_up()
    ear.topic = Topic(topic)
    sound = bytes(16 * 500) + bytes(16 * PAUSE_MS).join(map(spoken, parts))
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
