"""What a line plays: tones by pitch, purity and rhythm, faxes, music; and a person's short hello."""


import numpy as np
import pytest

from sip.codec import PCMA, PCMU
from voicebot.audio.answer import BeepDetector, LineSound, LineSounds, ProgressDetector, ShortHello
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.tones import tone_of

from .sounds import mix, noise, silence, speech, tone, vowel


def beeps(sound: bytes) -> list[int]:
    """When a beep was told, in ms."""
    detector = BeepDetector()
    return [20 * tick for tick, frame in enumerate(cut(sound)) if detector.feed(tone_of(frame))]


def progress(sound: bytes) -> set[LineSound]:
    detector = ProgressDetector()
    return {told for frame in cut(sound) if (told := detector.feed(tone_of(frame)))}


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
    (1000, 4000, 2, {LineSound.RINGBACK}), (350, 350, 5, {LineSound.BUSY}),
    (700, 700, 4, {LineSound.CONGESTION}), (350, 350, 2, set()), (100, 100, 8, set()),
    (1000, 1000, 4, set()), (500, 2500, 3, set())])
def test_progress_tones_are_told_by_their_rhythm(on_ms, off_ms, times, expected):
    assert progress(silence(130) + (tone(450, on_ms, -18) + silence(off_ms)) * times) == expected


def test_another_pitch_in_the_same_rhythm_is_no_progress_tone():
    assert progress((tone(600, 350) + silence(350)) * 6) == set()


def played(sound: bytes, voice: bool = False) -> list[LineSound]:
    """What is told of a sound, each of it once."""
    sounds = LineSounds()
    told = [found for frame in cut(sound) if (found := sounds.feed(frame, voice))]
    return list(dict.fromkeys(told))


def information() -> bytes:
    return b"".join(tone(hertz, 330) for hertz in (950, 1400, 1800))


def reversing(hertz: float) -> bytes:
    """The answer tone of a modem: its phase turns over every 450 ms."""
    half = np.frombuffer(tone(hertz, 450), "<i2")
    return np.concatenate([half, -half] * 3).tobytes()


def tune(milliseconds: int) -> bytes:
    notes = [vowel(hertz, 400) for hertz in (262, 330, 392, 523, 392, 330)]
    return (b"".join(notes) * 10)[: 16 * milliseconds]


@pytest.mark.parametrize(("sound", "expected"), [
    (information() + silence(500), [LineSound.INFORMATION]),
    (silence(700) + tone(2100, 3000), [LineSound.FAX]),
    (silence(700) + reversing(2100), [LineSound.FAX]),
    (silence(700) + tone(1100, 500) + silence(3000), [LineSound.FAX]),
    (silence(300) + tone(950, 250) + silence(500), [LineSound.BEEP]),
    (silence(300) + tone(950, 800) + silence(500), [LineSound.BEEP]),
    (silence(300) + tone(1100, 900) + silence(500), [LineSound.BEEP]),
    (tone(450, 1000) + silence(4000), [LineSound.RINGBACK]),
    ((tone(450, 350) + silence(350)) * 5, [LineSound.BUSY]),
    (((tone(450, 100) + silence(100)) * 3 + tone(450, 400) + silence(400)) * 2, [LineSound.VACANT]),
    (tune(4000), [LineSound.MUSIC]),
    (noise(4000, -25), []), (silence(4000), []),
], ids=["information", "fax", "modem", "calling fax", "short 950", "long 950", "long 1100", "ringback", "busy",
        "vacant", "music", "noise", "silence"])
def test_what_a_line_plays_is_told_apart(sound, expected):
    assert played(sound) == expected


def test_a_voice_is_no_music():
    assert played(tune(4000), voice=True) == []


def test_after_a_greeting_the_tone_of_a_calling_fax_is_a_beep():
    sounds = LineSounds()
    for frame in cut(speech("请在嘀声后留言")):
        sounds.feed(frame, True)
    assert LineSound.BEEP in {sounds.feed(frame, False) for frame in cut(tone(1100, 500) + silence(200))}


def hello(*parts: tuple[int, bool], words: bool = False) -> bool:
    """Whether (milliseconds, voice) one after the other were a hello at their end."""
    short = ShortHello()
    told = [short.feed(voice, words) for ms, voice in parts for _ in range(ms // 20)]
    return told[-1]


@pytest.mark.parametrize(("parts", "words", "expected"), [
    (((400, False), (600, True), (300, False)), False, False),
    (((400, False), (600, True), (600, False)), False, True),
    (((400, False), (3000, True), (600, False)), False, False),
    (((400, False), (3000, True), (600, False)), True, True),
    (((9000, False),), True, False),
])
def test_a_short_hello_and_a_wait_is_a_person(parts, words, expected):
    assert hello(*parts, words=words) is expected
