"""The journal keeps label, probability, arousal and cues of every turn; the ear measures how a turn sounded."""

from __future__ import annotations

import math
import struct

from voicebot.asr.recognizer import Transcript
from voicebot.audio.frames import RATE
from voicebot.audio.vad import VoiceActivity
from voicebot.domain.understanding import Emotion, EmotionLabel, IntentScore, Topic, Understanding
from voicebot.pipeline.ear import Ear
from voicebot.pipeline.noticed import Utterance
from voicebot.pipeline.session import Session
from voicebot.pipeline.understand import as_fact


def test_a_fact_holds_what_made_the_emotion() -> None:
    felt = Emotion(EmotionLabel.ANGRY, 0.81234, 0.9, ("says 有完没完", "level +9 dB"))
    fact = as_fact(Understanding("有完没完", (IntentScore("cp_frequency", 0.9),), felt), Topic.DEBT)
    assert fact["emotion"] == {
        "label": "angry", "p": 0.812, "arousal": 0.9, "cues": ["says 有完没完", "level +9 dB"],
    }


def test_a_fact_without_sound_says_nothing_of_arousal() -> None:
    fact = as_fact(Understanding("好", (IntentScore("m_affirm", 0.9),)), Topic.DEBT)
    assert fact["emotion"] == {"label": "neutral", "p": 1.0}


class DeafStream:
    """Takes sound and hears nothing in it."""

    def accept(self, pcm: bytes) -> None: ...

    def partial(self) -> str:
        return ""

    def finish(self) -> Transcript:
        return Transcript("", 0.0, 0.0, 0.0)

    def close(self) -> None: ...


def _tick(number: int, peak: float) -> bytes:
    start = number * RATE // 50
    return struct.pack("<160h", *(int(peak * math.sin(2 * math.pi * 170 * (start + i) / RATE)) for i in range(160)))


def test_a_turn_carries_its_voice_and_how_much_of_it_was_over_ours() -> None:
    session = Session(1, DeafStream)  # type: ignore[arg-type]
    ear = Ear(1, VoiceActivity("webrtc").open(), session, lambda text, topic: False)
    utterances: list[Utterance] = []
    for number in range(200):
        speaking = 20 <= number < 120
        ear.vad.speech_prob = 1.0 if speaking else 0.0
        ear.bot_speaks = lambda number=number: number < 70  # type: ignore[misc]
        heard = ear.tick(_tick(number, 6000 if speaking else 0), number)
        utterances += [each for each in heard if isinstance(each, Utterance)]
    (said,) = utterances
    assert said.voice is not None
    assert said.voice.pitch_hz is not None and abs(said.voice.pitch_hz - 170) < 5
    assert 1900 <= said.voice.voiced_ms <= 2100
    assert 0.3 < said.voice.overlap < 0.6
