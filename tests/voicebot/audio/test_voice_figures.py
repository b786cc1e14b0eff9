"""VoiceFigures: pitch, level and pauses of known sounds, and what must hold for any bytes at all."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.audio.frames import RATE
from voicebot.audio.voice_figures import VoiceFigures, measure


def voice(hertz: float, seconds: float, peak: float = 6000, glide: float = 0.0) -> bytes:
    """A buzz with the harmonics that a telephone passes; `glide`: semitones that it rises by."""
    count = int(RATE * seconds)
    pitch = hertz * 2 ** (np.linspace(0, glide, count) / 12)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, int(3400 / pitch.max()) + 1))
    return np.asarray(peak * sound / np.abs(sound).max()).astype("<i2").tobytes()


def hush(seconds: float) -> bytes:
    return bytes(2 * int(RATE * seconds))


@pytest.mark.parametrize("hertz", [75, 95, 140, 200, 260, 350, 390])
def test_pitch_of_deep_and_high_voices(hertz: float) -> None:
    assert measure(voice(hertz, 1.0)).pitch_hz == pytest.approx(hertz, rel=0.02)


def test_noise_has_no_pitch() -> None:
    noise = np.random.default_rng(7).integers(-4000, 4000, 2 * RATE).astype("<i2").tobytes()
    assert measure(noise).pitch_hz is None


def test_a_gliding_voice_has_a_wide_range() -> None:
    assert measure(voice(150, 2)).spread < 0.5
    assert 3.5 < measure(voice(150, 2, glide=6)).spread < 5.5


def test_twice_as_loud_is_six_decibels() -> None:
    soft, loud = measure(voice(150, 1, 3000)), measure(voice(150, 1, 6000))
    assert loud.level_db - soft.level_db == pytest.approx(6, abs=0.3)


def test_pauses_count_inside_the_turn_only_and_not_in_the_level() -> None:
    turn = hush(0.5) + voice(150, 1) + hush(1.2) + voice(150, 1) + hush(0.8)
    found = measure(turn)
    assert 1100 <= found.longest_pause_ms <= 1250
    assert 1900 <= found.voiced_ms <= 2150
    assert found.level_db == pytest.approx(measure(voice(150, 1)).level_db, abs=0.5)


def test_overlap_is_passed_on() -> None:
    assert measure(b"", 0.4) == VoiceFigures(overlap=0.4)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=4000))
def test_any_bytes_have_figures(pcm: bytes) -> None:
    found = measure(pcm)
    assert found.pitch_hz is None or 60 <= found.pitch_hz <= 450
    assert found.voiced_ms >= 0 and found.spread >= 0


def test_the_longest_turn_takes_a_millisecond_or_two() -> None:
    turn = voice(150, 3) + hush(1) + voice(180, 18)
    assert min(_seconds(turn) for _ in range(10)) < 0.004  # 0.7 ms on an idle core


def _seconds(turn: bytes) -> float:
    started = time.process_time()
    measure(turn)
    return time.process_time() - started
