"""Emotion from sound: against the caller's own manner, careful before it is known, the riskier when words disagree."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.audio.voice_figures import VoiceFigures
from voicebot.domain.understanding import Emotion, EmotionLabel
from voicebot.intent.voice_emotion import OWN_MS, Manner, VoiceMood, fused, judge, pace_of

USUAL = VoiceFigures(pitch_hz=160, spread=5, level_db=-24, voiced_ms=2000)
TEXT = "我下个月再还你们"  # eight syllables in two seconds
CALM = Manner(OWN_MS, 160, 5, -24, pace_of(TEXT, 2000))
LONGER = "我都说了多少遍了你们还打还打有完没完"


def test_the_usual_voice_says_nothing() -> None:
    mood = judge(USUAL, TEXT, CALM)
    assert mood.label is None and mood.cues == ()
    assert mood.arousal == pytest.approx(0.5, abs=0.02)


def test_louder_higher_and_faster_is_anger_with_its_cues() -> None:
    mood = judge(replace(USUAL, pitch_hz=220, level_db=-15, voiced_ms=2600), LONGER, CALM)
    assert mood.label is EmotionLabel.ANGRY and mood.arousal > 0.8
    assert {cue.split()[0] for cue in mood.cues} >= {"pitch", "level", "pace"}


def test_higher_and_faster_without_force_is_anxiety() -> None:
    mood = judge(replace(USUAL, pitch_hz=205, voiced_ms=2000), "怎么办呀怎么办呀我急死了", CALM)
    assert mood.label is EmotionLabel.ANXIOUS


def test_soft_flat_slow_with_pauses_is_dejection() -> None:
    mood = judge(VoiceFigures(145, 2.5, -31, 2600, 1400), "算了没意思", CALM)
    assert mood.label is EmotionLabel.SAD and mood.arousal < 0.4


@pytest.mark.parametrize("pitch", [95, 160, 250])
@pytest.mark.parametrize("level", [-38, -24, -12])
def test_only_changes_count_not_voices_or_telephones(pitch: float, level: float) -> None:
    own = replace(CALM, pitch_hz=pitch, level_db=level)
    assert judge(replace(USUAL, pitch_hz=pitch, level_db=level), TEXT, own).label is None
    loud = replace(USUAL, pitch_hz=pitch * 1.4, level_db=level + 9, voiced_ms=2600)
    assert judge(loud, LONGER, own).label is EmotionLabel.ANGRY


def test_nothing_is_said_before_the_manner_is_known() -> None:
    shouting = replace(USUAL, pitch_hz=230, level_db=-10)
    assert judge(shouting, LONGER, Manner()) == VoiceMood()
    little = judge(shouting, LONGER, replace(CALM, voiced_ms=1000))
    assert little.p < judge(shouting, LONGER, CALM).p


def test_the_manner_is_learned_from_the_first_seconds_and_then_stays() -> None:
    manner = Manner()
    for _ in range(5):
        manner = manner.with_turn(USUAL, 4.0)
    assert manner.voiced_ms == OWN_MS and manner.pitch_hz == pytest.approx(160)
    assert manner.with_turn(replace(USUAL, pitch_hz=300), 9.0) == manner


def test_words_and_voice_that_agree_are_surer() -> None:
    words = Emotion(EmotionLabel.ANGRY, 0.6, cues=("says 有完没完",))
    both = fused(words, VoiceMood(0.9, EmotionLabel.ANGRY, 0.7, ("level +9 dB",)))
    assert both.p == pytest.approx(0.88)
    assert both.cues == ("says 有完没完", "level +9 dB") and both.arousal == 0.9


def test_nothing_is_wrong_said_in_tears_is_sad() -> None:
    found = fused(Emotion(EmotionLabel.COOPERATIVE, 0.9), VoiceMood(0.3, EmotionLabel.SAD, 0.8))
    assert (found.label, found.p) == (EmotionLabel.SAD, 0.8)


def test_a_calm_voice_does_not_talk_dejected_words_away() -> None:
    assert fused(Emotion(EmotionLabel.SAD, 0.7), VoiceMood(0.8, EmotionLabel.ANGRY, 0.9)).label is EmotionLabel.SAD


_FIGURES = st.builds(
    VoiceFigures, st.none() | st.floats(70, 400), st.floats(0, 24), st.floats(-100, 0), st.integers(0, 20_000),
    st.integers(0, 20_000), st.floats(0, 1),
)


@given(st.lists(st.tuples(_FIGURES, st.text(max_size=30)), max_size=8))
def test_any_voice_has_a_sane_mood(turns: list[tuple[VoiceFigures, str]]) -> None:
    manner = Manner()
    for turn, text in turns:
        mood = judge(turn, text, manner)
        assert 0 <= mood.arousal <= 1 and 0 <= mood.p <= 1
        manner = manner.with_turn(turn, pace_of(text, turn.voiced_ms))
        assert 0 <= fused(Emotion(), mood).p <= 1


def test_an_octave_more_is_the_measurement_and_no_mood() -> None:
    assert judge(replace(USUAL, pitch_hz=320), TEXT, CALM).label is None
    assert judge(replace(USUAL, pitch_hz=80), TEXT, CALM).arousal == pytest.approx(0.5, abs=0.02)


@pytest.mark.slow
def test_acted_moods_are_heard_and_usual_voices_left_alone() -> None:
    pytest.importorskip("torch")
    from benchmarks.intent.moods import heard

    found = heard(6)
    assert found["usual"]["none"] >= 5
    assert found["angry"]["angry"] >= 3 and found["sad"]["sad"] >= 3 and found["anxious"]["anxious"] >= 2
    assert found["angry"]["sad"] == found["sad"]["angry"] == 0
