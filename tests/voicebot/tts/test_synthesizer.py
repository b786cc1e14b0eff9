"""The embedded voice: telephone PCM of the right length and level, from any thread."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from voicebot.mandarin.pinyin import Word, read
from voicebot.tts.espeak import engine, safe_range, spell, tokens_of
from voicebot.tts.synthesizer import load_synthesizer
from voicebot.tts.voices import HELD_OUT, SEEN, VoiceSpec, parse_voice

PROMPT = "您好，请问是李振海先生本人吗？"


def speech_level(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2") / 32768
    power = (samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() * 0.02].mean()))


def test_speaks_about_four_syllables_a_second() -> None:
    seconds = len(load_synthesizer().synthesize(PROMPT)) / 2 / 8000
    assert 2.0 < seconds < 5.5


def test_faster_rate_is_shorter() -> None:
    synthesizer = load_synthesizer()
    assert len(synthesizer.synthesize(PROMPT, rate=240)) < 0.8 * len(synthesizer.synthesize(PROMPT, rate=140))


@pytest.mark.parametrize("voice", ["f3", "m4:rate=150,pitch=40", "klatt", VoiceSpec("f5", pitch=60)])
def test_voices_are_matched_in_level_and_do_not_clip(voice: str | VoiceSpec) -> None:
    pcm = load_synthesizer().synthesize(PROMPT, voice)
    assert -21.5 < speech_level(pcm) < -18.5
    assert np.abs(np.frombuffer(pcm, "<i2").astype(int)).max() < 32000


def test_silence_for_text_without_words() -> None:
    assert load_synthesizer().synthesize(" …！") == b""


def test_threads_do_not_disturb_each_other() -> None:
    synthesizer = load_synthesizer()
    jobs = [(text, voice) for text in ("好的", PROMPT) for voice in ("f3", "m1", "Storm")] * 4
    with ThreadPoolExecutor(6) as pool:
        spoken = list(pool.map(lambda job: len(synthesizer.synthesize(*job)), jobs))
    for job, length in zip(jobs, spoken, strict=True):
        assert abs(length - len(synthesizer.synthesize(*job))) < 2 * 8000 * 0.1, job


def test_no_voice_is_pressed_below_the_pitch_that_espeak_survives() -> None:
    """Deep variants with a wide range overran espeak-ng's 400 harmonics: a crash some calls later."""
    assert safe_range(VoiceSpec("rob", pitch=42, range=95)) < 50  # the request that killed a process
    assert safe_range(VoiceSpec("announcer", pitch=24, range=82)) < 10
    assert safe_range(VoiceSpec("f3", pitch=25, range=99)) == 99
    ranges = [safe_range(VoiceSpec("rob", pitch=pitch, range=99)) for pitch in range(0, 100, 10)]
    assert ranges == sorted(ranges)


def test_word_events_give_every_token_a_start() -> None:
    words = read("我兄弟下周五还款")
    speech = engine().speak(words, VoiceSpec(), joined=False)
    assert len(speech.starts_ms) == sum(len(word.syllables) for word in words)
    assert list(speech.starts_ms) == sorted(speech.starts_ms)


def test_iong_goes_as_phonemes() -> None:
    assert tokens_of(Word("穷", ("qiong2",)), joined=True) == ["[[tS;h'u35N]]"]
    assert spell([Word("还款", ("huan2", "kuan3"), ","), Word("好", ("hao3",))], joined=True) == "huan2kuan3, hao3"


@pytest.mark.parametrize("voice", ["nobody", "f3:speed=2", "f3:rate=fast", "f3:rate=9"])
def test_wrong_voices_are_named(voice: str) -> None:
    with pytest.raises(ValueError, match=r"voice|rate|speed"):
        parse_voice(voice)


def test_a_voice_spec_survives_its_notation() -> None:
    spec = VoiceSpec("m2", 150, 40, 60, -23)
    assert parse_voice(spec.key) == spec


def test_held_out_voices_are_never_trained_on() -> None:
    assert len(HELD_OUT) >= 10
    assert not set(HELD_OUT) & set(SEEN)


def test_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="embedded"):
        load_synthesizer("festival")
