"""Echo of our own voice: taken out of real telephone sound, while a caller who talks over us stays in it."""

from __future__ import annotations

import numpy as np
import pytest

from sip.codec import PCMA
from voicebot.asr.recognizer import Transcript, load_recognizer
from voicebot.audio.echo import EchoGuard, EchoPath
from voicebot.audio.frames import RATE, SILENCE, cut
from voicebot.audio.level import amplify, rms_dbfs
from voicebot.audio.vad import VoiceActivity
from voicebot.pipeline.barge_in import interrupts

from .sounds import mix, noise, recorded, silence

BOT = recorded("bot")
"""您好，请问是李振海先生吗？我是示范服务中心的智能助手，有一件事情需要和您本人核实。"""
CALLER = recorded("caller")
"""等一下我现在没有空"""


def echoed(sound: bytes, level_db: float, delay_ms: int) -> bytes:
    """What a loudspeaker in a room gives back."""
    rng = np.random.default_rng(3)
    room = np.concatenate([[1.0], 0.3 * rng.normal(0, 1, 399) * np.exp(-np.arange(399) / 80)])
    room *= 10 ** (level_db / 20) / np.sqrt(np.sum(room**2))
    back = np.convolve(np.frombuffer(sound, "<i2"), room)
    return silence(delay_ms) + back.clip(-32768, 32767).astype("<i2").tobytes()


def received(*sounds: bytes) -> bytes:
    """Through the telephone, with the hiss of a line."""
    sound = mix(noise(max(map(len, sounds)) // 16, -62), *sounds)
    return PCMA.decode(PCMA.encode(sound))


def cleaned(heard: bytes, sent: bytes, path: EchoPath | None = None) -> bytes:
    guard, path = EchoGuard(), path or EchoPath()
    ours = cut(sent)
    frames = [(path, frame, ours[i] if i < len(ours) else SILENCE) for i, frame in enumerate(cut(heard))]
    return b"".join(guard.process([frame])[0] for frame in frames)


def text_of(sound: bytes) -> str:
    recognizer = load_recognizer()
    stream = recognizer.open()
    for frame in cut(sound):
        stream.accept(frame)
        recognizer.decode([stream])
    read = stream.finish()
    assert isinstance(read, Transcript)
    return read.text


def voiced_s(sound: bytes) -> float:
    activity = VoiceActivity()
    stream = activity.open()
    probabilities = []
    for frame in cut(sound):
        activity.process([(stream, frame)])
        probabilities.append(stream.speech_prob)
    return sum(p >= 0.5 for p in probabilities) * 0.02


@pytest.mark.parametrize(("level_db", "delay_ms"), [(-20, 0), (-20, 60), (-12, 120), (-12, 250)])
def test_echo_is_neither_voice_nor_words(level_db: float, delay_ms: int) -> None:
    heard = received(echoed(BOT, level_db, delay_ms))
    assert voiced_s(heard) > 3, "the echo is loud enough to be heard"
    clean = cleaned(heard, BOT)
    assert voiced_s(clean) <= 0.6
    assert not interrupts(text_of(clean)), text_of(clean)


@pytest.mark.parametrize(
    ("level_db", "delay_ms", "after_s", "quieter_db"),
    [(-20, 30, 1.0, -8), (-12, 120, 1.0, 0), (-12, 120, 3.0, -8)],
)
def test_a_caller_who_talks_over_us_is_heard_through_the_echo(
    level_db: float, delay_ms: int, after_s: float, quieter_db: float
) -> None:
    caller = silence(int(after_s * 1000)) + amplify(CALLER, quieter_db)
    clean = cleaned(received(echoed(BOT, level_db, delay_ms), caller), BOT)
    text = text_of(clean)
    assert interrupts(text) and len(set(text) & set("等一下我现在没有空")) >= 4, text


def test_without_echo_the_caller_is_left_alone() -> None:
    heard = received(silence(1000) + CALLER)
    clean = cleaned(heard, BOT)
    assert text_of(clean) == text_of(heard)
    at = 16 * 1400
    assert rms_dbfs(clean[at : at + 16000]) == pytest.approx(rms_dbfs(heard[at : at + 16000]), abs=1.5)


def test_a_telephone_put_on_loudspeaker_in_the_middle_of_a_call_is_noticed() -> None:
    path = EchoPath()
    cleaned(received(silence(len(BOT) // 16)), BOT, path)
    clean = cleaned(received(echoed(BOT, -14, 80)), BOT, path)
    assert voiced_s(clean[len(clean) // 2 :]) <= 0.4


def test_calls_in_one_batch_do_not_mix_and_silent_ones_pass_as_they_are() -> None:
    heard = received(echoed(BOT, -12, 120))
    alone = cleaned(heard, BOT)
    guard, paths = EchoGuard(), [EchoPath(), EchoPath(), EchoPath()]
    other = received(CALLER)
    ours, theirs, others = cut(BOT), cut(heard), cut(other)
    together: list[bytes] = []
    for i, frame in enumerate(theirs[: len(others)]):
        batch = [(paths[0], others[i], SILENCE), (paths[1], frame, ours[i]), (paths[2], SILENCE, ours[i])]
        quiet, clean, nothing = guard.process(batch)
        assert quiet == others[i] and nothing == SILENCE
        together.append(clean)
    pairs = zip(b"".join(together)[:RATE], alone, strict=False)
    assert all(abs(a - b) <= 1 or {a, b} == {0, 255} for a, b in pairs)


@pytest.mark.parametrize("sent", [b"\xff\x7f" * 160, b"\x00\x80" * 160])
def test_the_loudest_sound_breaks_nothing(sent: bytes) -> None:
    clean = cleaned(sent * 100, sent * 100)
    assert len(clean) == len(sent * 100)
    assert np.isfinite(np.frombuffer(clean, "<i2").astype(float)).all()
