"""What the echo guard leaves of our voice is nobody's answer; a short answer over our last word is one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.voicebot.audio.sounds import recorded
from tests.voicebot.audio.test_echo import echoed, received
from voicebot.asr.recognizer import load_recognizer
from voicebot.audio.frames import FRAME_BYTES, SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.domain.talk import OWN_SIDE
from voicebot.domain.understanding import Topic
from voicebot.intent.answers import says_yes_or_no
from voicebot.pipeline.barge_in import LEAST_VOICE_MS, REST_MS, is_rest_of_echo
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.noticed import Utterance
from voicebot.tts.synthesizer import load_synthesizer

BOT = recorded("bot")
LOUD, DELAYED_MS = -12.0, 120


@pytest.fixture(scope="module")
def hearing() -> Hearing:
    return Hearing(load_recognizer(), VoiceActivity(), says_yes_or_no)


def spoken(text: str) -> bytes:
    sound = np.frombuffer(load_synthesizer().synthesize(text, "m3"), "<i2")
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 250)
    return sound[loud[0] : loud[-1] + 1].tobytes()


def turns(hearing: Hearing, heard: bytes, sent: bytes = BOT) -> list[Utterance]:
    """The turns of a call in which `heard` came back while `sent` was played."""
    ear, ours = hearing.open(1), [frame.ljust(FRAME_BYTES, b"\0") for frame in cut(sent)]
    ear.picked_up()
    told: list[Utterance] = []
    for tick, frame in enumerate([*cut(heard), *[SILENCE] * 60]):
        speaks = tick < len(ours)
        ear.bot_speaks = lambda speaks=speaks: speaks  # type: ignore[misc]
        own = [(1 | OWN_SIDE, ours[tick])] if speaks else []
        told += [one for _, one in hearing.tick(tick, [(1, frame), *own]) if isinstance(one, Utterance)]
    hearing.close(1)
    return told


@pytest.mark.parametrize(("level_db", "delay_ms"), [(-20, 40), (-12, 120), (-12, 250), (-9, 150)])
def test_no_word_of_ours_is_taken_for_an_answer(hearing: Hearing, level_db: float, delay_ms: int) -> None:
    told = turns(hearing, received(echoed(BOT, level_db, delay_ms)))
    assert [one.text for one in told if one.text] == []


@pytest.mark.parametrize("text", ["对", "是的", "不是", "好"])
def test_a_short_answer_over_our_last_word_counts(hearing: Hearing, text: str) -> None:
    begins_ms = len(BOT) // 16 - 450
    told = turns(hearing, received(echoed(BOT, LOUD, DELAYED_MS), bytes(16 * begins_ms) + spoken(text)))
    answers = [one for one in told if one.text]
    assert len(answers) == 1 and answers[0].under_us, told
    assert says_yes_or_no(answers[0].text, Topic.OPEN), answers


def test_what_is_silenced_is_nobody_s_whatever_it_is_read_as() -> None:
    assert is_rest_of_echo("是", 0, echoes=False, answers=True)
    assert is_rest_of_echo("我知道了", LEAST_VOICE_MS - 1, echoes=True, answers=True)


@pytest.mark.parametrize(
    ("text", "voiced_ms", "echoes", "answers"),
    [("在", 96, False, False), ("对", 96, True, True), ("人工", REST_MS, True, False), ("等一下", 96, True, False)],
)
def test_a_caller_is_heard_who_cannot_be_told_from_echo_for_sure(
    text: str, voiced_ms: int, echoes: bool, answers: bool
) -> None:
    assert not is_rest_of_echo(text, voiced_ms, echoes=echoes, answers=answers)
    assert is_rest_of_echo("在", 96, echoes=True, answers=False)


@pytest.mark.parametrize(("text", "topic"), [("对", "any"), ("不是", "open"), ("嗯", "open")])
def test_yes_and_no_are_answers(text: str, topic: str) -> None:
    assert says_yes_or_no(text, Topic(topic))


@pytest.mark.parametrize(("text", "topic"), [("啊", "open"), ("在", "debt"), ("嗯", "debt"), ("哎哎", "promise")])
def test_particles_are_not(text: str, topic: str) -> None:
    assert not says_yes_or_no(text, Topic(topic))
