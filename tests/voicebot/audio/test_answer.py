"""Who answered: tones by pitch, purity and rhythm; a person by a short hello."""


import numpy as np
import pytest

from sip.codec import PCMA, PCMU
from voicebot.audio.answer import AnswerClassifier, AnswerKind, BeepDetector, ProgressDetector, ProgressTone
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.tones import tone_of

from .sounds import mix, noise, silence, speech, tone, vowel


def beeps(sound: bytes) -> list[int]:
    """When a beep was told, in ms."""
    detector = BeepDetector()
    return [20 * tick for tick, frame in enumerate(cut(sound)) if detector.feed(frame)]


def progress(sound: bytes) -> set[ProgressTone]:
    detector = ProgressDetector()
    return {told for frame in cut(sound) if (told := detector.feed(frame))}


@pytest.mark.parametrize("hertz", [440, 450, 800, 987, 1000, 1400, 2100])
def test_the_pitch_of_a_tone_is_exact_to_a_few_hertz(hertz):
    found = tone_of(tone(hertz, 20, -30))
    assert found is not None
    assert found.hertz == pytest.approx(hertz, abs=6)
    assert found.level_dbfs == pytest.approx(-30, abs=0.5)


@pytest.mark.parametrize("sound", [SILENCE, noise(20, -20), vowel(200, 20), vowel(450, 20), b"", b"ab"],
                         ids=["silence", "noise", "deep voice", "high voice", "nothing", "short"])
def test_what_is_no_tone_is_none(sound):
    assert tone_of(sound) is None


@pytest.mark.parametrize("hertz", [800, 950, 1000, 1200, 1400])
@pytest.mark.parametrize("lasts_ms", [160, 200, 500, 1500])
def test_a_beep_is_told_once_and_soon(hertz, lasts_ms):
    for lead in (0, 7, 13):
        told = beeps(silence(300 + lead) + tone(hertz, lasts_ms) + silence(300))
        assert len(told) == 1
        assert 300 + 120 <= told[0] <= 300 + 200


@pytest.mark.parametrize("codec", [PCMA, PCMU])
def test_a_beep_is_heard_through_the_telephone_with_noise(codec):
    sound = mix(silence(500) + tone(1000, 400, -28) + silence(500), noise(1400, -48))
    assert len(beeps(codec.decode(codec.encode(sound)))) == 1


@pytest.mark.parametrize("sound", [
    tone(1000, 100), tone(450, 2000), tone(2000, 1000), noise(2000, -20), vowel(220, 1000),
    np.concatenate([np.frombuffer(tone(hertz, 20), "<i2") for hertz in range(800, 1400, 25)]).tobytes(),
], ids=["too short", "ringback", "too high", "noise", "voice", "whistle that slides"])
def test_what_is_no_beep_is_not_told(sound):
    assert beeps(silence(200) + sound + silence(200)) == []


@pytest.mark.parametrize("text", ["您好,我现在不方便接听,请在嘀声后留言。", "喂?喂?谁啊?", "嗯,嗯,好的好的,我知道了。"])
def test_speech_is_no_beep(text):
    assert beeps(speech(text)) == []


def test_two_beeps_are_told_twice():
    assert len(beeps(tone(1000, 300) + silence(200) + tone(1000, 300))) == 2


@pytest.mark.parametrize(("on_ms", "off_ms", "times", "expected"), [
    (1000, 4000, 2, {ProgressTone.RINGBACK}), (350, 350, 5, {ProgressTone.BUSY}),
    (700, 700, 4, {ProgressTone.CONGESTION}), (350, 350, 2, set()), (100, 100, 8, set()), (1000, 1000, 4, set())])
def test_progress_tones_are_told_by_their_rhythm(on_ms, off_ms, times, expected):
    assert progress(silence(130) + (tone(450, on_ms, -18) + silence(off_ms)) * times) == expected


def test_another_pitch_in_the_same_rhythm_is_no_progress_tone():
    assert progress((tone(600, 350) + silence(350)) * 6) == set()


def classified(*parts: tuple[bytes, bool]) -> AnswerKind:
    classifier = AnswerClassifier()
    for sound, speaking in parts:
        for frame in cut(sound):
            classifier.feed(frame, speaking)
    return classifier.kind


def test_a_short_hello_and_a_wait_is_a_person():
    hello = (speech("喂,你好?")[:16_000], True)
    assert classified((silence(400), False), hello, (silence(500), False)) is AnswerKind.UNKNOWN
    assert classified((silence(400), False), hello, (silence(800), False)) is AnswerKind.PERSON


def test_somebody_who_talks_on_is_not_decided_by_sound_alone():
    assert classified((vowel(200, 4000), True), (silence(2000), False)) is AnswerKind.UNKNOWN


def test_a_beep_after_a_greeting_is_voicemail():
    assert classified((vowel(200, 4000), True), (silence(500), False), (tone(1000, 400), False)
                      ) is AnswerKind.VOICEMAIL_BEEP


def test_a_busy_tone_after_answer_is_no_person():
    busy = (tone(450, 350) + silence(350)) * 5
    assert classified((busy, False)) is AnswerKind.ANNOUNCEMENT_TONE


def test_silence_alone_decides_nothing():
    assert classified((silence(10_000), False)) is AnswerKind.UNKNOWN
